/** Live with a memory: the same picture of any moment that is still kept, while the stream is read on. */
import type { NodeModel } from '../model/node.ts'
import type { MemoryTape } from '../recording/memory-tape.ts'
import { ReplaySource } from '../source/replay.ts'
import type { Playback, TuiControl } from '../tui/app.ts'
import { Feed } from './feed.ts'

type Past = { readonly source: ReplaySource; readonly feed: Feed; readonly pumped: Promise<void> }

export class Rewind {
  private readonly live: Feed
  private readonly tape: MemoryTape
  private readonly tombstones: number | undefined
  private past: Past | undefined

  constructor(live: Feed, tape: MemoryTape, tombstones?: number) {
    this.live = live
    this.tape = tape
    this.tombstones = tombstones
  }

  /** Of the moment looked at. */
  get model(): NodeModel { return this.past?.feed.model ?? this.live.model }

  get control(): TuiControl {
    return {
      seek: (tsNs) => this.seek(tsNs), setPaused: (paused) => this.past?.source.setPaused(paused), setSpeed: (speed) => this.past?.source.setSpeed(speed),
      playback: () => this.playback(), toLive: () => this.toLive(), kept: () => ({ bytes: this.tape.heldBytes, maxBytes: this.tape.maxBytes, ...this.tape.span() }),
    }
  }

  async close(): Promise<void> {
    const { past } = this
    this.past = undefined
    await past?.source.close()
    await past?.pumped
  }

  /** Who has played up to the present is live again. */
  private playback(): Playback {
    const { past } = this, now = past?.source.playback()
    if (now !== undefined && now.ended && !now.paused) this.toLive()
    const live = { isFollowing: this.past === undefined, nowNs: this.live.model.nowNs }
    return this.past === undefined || now === undefined ? { speed: 1, paused: false, ended: false, ...this.tape.span(), live } : { ...now, live }
  }

  private seek(tsNs: number): void {
    if (this.past !== undefined) { this.past.source.seek(tsNs); return }
    const source = new ReplaySource(this.tape, { atNs: tsNs, speed: 1, isPaused: true }), feed = new Feed(source, { nameBook: this.live.model.nameBook, tombstones: this.tombstones })
    this.past = { source, feed, pumped: pump(source, feed) }
  }

  private toLive(): void { void this.close() }
}

async function pump(source: ReplaySource, feed: Feed): Promise<void> {
  for await (const batch of source.batches()) feed.take(batch)
}
