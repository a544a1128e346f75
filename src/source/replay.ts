/** A recording as a source: as fast as it can be read, or at the pace it happened, with pause, speed and jumps in time. */
import { NS_PER_MS, NS_PER_SECOND } from '../base/time.ts'
import { openRecording } from '../recording/reader.ts'
import type { Tape, TapeCursor } from '../recording/tape.ts'
import { Decoder } from '../wire/decode.ts'
import type { Frame } from '../wire/frame.ts'
import type { Batch, Source, SourceCounts } from './source.ts'

/** How much is folded before the wanted time, so that two minutes of history (model/history.ts) and the case under way are there. */
const RUN_UP_NS = 150 * NS_PER_SECOND
/** Up to here a jump folds the recording from its beginning and misses nothing; about a tenth of a second of work. */
const WHOLE_FOLD_BYTES = 8 * 2 ** 20
/** A paced reader wakes at least this often, so that a change of speed is felt at once. */
const MAX_WAIT_MS = 100

export type PlayOptions = {
  /** CLOCK_MONOTONIC; what lies before it is delivered at once. */
  readonly atNs?: number
  /** Seconds of the recording per second; `max` waits for nothing and ends with the recording. */
  readonly speed: number | 'max'
  readonly isPaused?: boolean
  /** Milliseconds that only go forward; injected by tests. */
  readonly now?: () => number
}

export type ReplayOptions = PlayOptions & { readonly path: string }

/** Opens FILE; throws a UserError when it is no readable recording. */
export const openReplay = (options: ReplayOptions): ReplaySource => new ReplaySource(openRecording(options.path), options)

export class ReplaySource implements Source {
  readonly mode = 'replay'
  readonly tape: Tape
  private readonly isPaced: boolean
  private readonly now: () => number
  private speed: number
  private isPaused: boolean
  private isClosed = false
  private isEnded = false
  /** Whoever reads has had everything that is due. */
  private isCaughtUp = false
  /** The moment of the recording that is due now: `playedNs` at `since` on the clock. */
  private playedNs: number
  private since: number
  private pendingSeekNs: number | undefined
  private decoder = new Decoder()
  private cursor: TapeCursor
  private wake: (() => void) | undefined

  constructor(tape: Tape, { atNs, speed, isPaused = false, now = () => performance.now() }: PlayOptions) {
    this.tape = tape
    this.isPaused = isPaused
    this.isPaced = speed !== 'max'
    this.speed = speed === 'max' ? 1 : speed
    this.now = now
    const start = this.isPaced ? this.tape.span()?.startNs ?? 0 : 0
    this.playedNs = atNs ?? start
    this.since = now()
    // From the beginning on: nothing must be looked for first.
    this.cursor = atNs === undefined ? tape.cursor() : this.cursorFor(atNs)
  }

  counts(): SourceCounts { return { ...this.cursor.damage, ...this.decoder.counts } }

  playback(): { readonly speed: number; readonly paused: boolean; readonly ended: boolean; /** Everything that is due was delivered: after a jump, the picture is of the wanted time. */ readonly caughtUp: boolean; readonly startNs?: number; readonly endNs?: number } {
    return { speed: this.speed, paused: this.isPaused, ended: this.isEnded, caughtUp: this.isCaughtUp, ...this.tape.span() }
  }

  setPaused(paused: boolean): void {
    this.settle()
    this.isPaused = paused
    // A tape that grows may have more by now.
    if (!paused) this.isEnded = false
    this.wake?.()
  }

  setSpeed(speed: number): void { this.settle(); this.speed = speed; this.wake?.() }

  /** The next batch is a restart whose events lead up to this time. */
  seek(tsNs: number): void {
    const span = this.tape.span()
    this.pendingSeekNs = span === undefined ? tsNs : Math.min(Math.max(tsNs, span.startNs), span.endNs)
    this.isCaughtUp = false
    this.wake?.()
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.wake?.()
    this.tape.close()
  }

  async *batches(): AsyncGenerator<Batch, void, void> {
    let isRestart = false, toldBytes = 0
    while (!this.isClosed) {
      // The memory it plays from has let go what was to come next: on from the oldest that is kept.
      if (this.cursor.isOverrun && this.canGoOn()) this.seek(this.tape.span()?.startNs ?? 0)
      if (await this.takeSeek()) isRestart = true
      if (this.isClosed) return
      const frames = this.cursor.next()
      if (frames !== undefined) this.isEnded = false
      else {
        this.isEnded = this.isPaced
        // Only now is it known that the end was cut: whoever counts (counts) must hear of it.
        if (isRestart || this.cursor.damage.corruptBytes !== toldBytes) yield { items: [], isRestart }
        isRestart = false
        toldBytes = this.cursor.damage.corruptBytes
        if (!this.isPaced) return
        // At its end a recording stays open: a person may want to go back.
        if (this.canGoOn()) await this.sleep(undefined)
        continue
      }
      for await (const items of this.paced(frames)) {
        yield { items, isRestart }
        isRestart = false
        toldBytes = this.cursor.damage.corruptBytes
      }
      // Without a turn of the event loop no key would be read and no frame drawn while catching up.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private canGoOn(): boolean { return !this.isClosed && this.pendingSeekNs === undefined }

  /** Decoded frames in groups, each when it is due. */
  private async *paced(frames: readonly Frame[]): AsyncGenerator<Batch['items'], void, void> {
    let ready: Frame[] = []
    const decoded = (): Batch['items'] => { const items = ready.map((frame) => ({ frame, events: this.decoder.decode(frame) })); ready = []; return items }
    for (const frame of frames) {
      while (this.isPaced && this.canGoOn() && frame.tsNs > this.dueNs()) {
        if (ready.length > 0) {
          // Whoever takes the batch may pause or jump meanwhile: look again before sleeping.
          yield decoded()
          continue
        }
        await this.sleep(this.isPaused ? undefined : Math.min(MAX_WAIT_MS, Math.max(1, (frame.tsNs - this.dueNs()) / NS_PER_MS / this.speed)))
      }
      if (!this.canGoOn()) return
      ready.push(frame)
    }
    if (ready.length > 0) yield decoded()
  }

  private dueNs(): number { return this.isPaused ? this.playedNs : this.playedNs + (this.now() - this.since) * NS_PER_MS * this.speed }

  private settle(): void { this.playedNs = this.dueNs(); this.since = this.now() }

  private async takeSeek(): Promise<boolean> {
    // Keys are read meanwhile: the newest wish counts.
    if (this.pendingSeekNs === undefined || !await this.tape.prepare()) return false
    this.playedNs = this.pendingSeekNs
    this.since = this.now()
    this.pendingSeekNs = undefined
    this.isEnded = false
    this.decoder = new Decoder()
    this.cursor = this.cursorFor(this.playedNs)
    return true
  }

  private cursorFor(tsNs: number): TapeCursor {
    return !this.isPaced || this.tape.bytesBefore(tsNs) <= WHOLE_FOLD_BYTES ? this.tape.cursor() : this.tape.cursor(tsNs - RUN_UP_NS)
  }

  /** Until the time is over, or something was asked for. */
  private sleep(ms: number | undefined): Promise<void> {
    this.isCaughtUp = true
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.wake?.(), ms)
      this.wake = () => { clearTimeout(timer); this.wake = undefined; resolve() }
    })
  }
}
