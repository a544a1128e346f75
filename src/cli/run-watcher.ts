/** The node as seen while a command of ours runs: folds the live stream, keeps a recording when one is wanted, and goes on when watching fails. */
import type { NameSource } from '../identity/name-source.ts'
import { createModel } from '../model/apply.ts'
import type { NodeModel } from '../model/node.ts'
import { createRunWatch, watchRun } from '../model/run-watch.ts'
import type { RunWatch } from '../model/run-watch.ts'
import { createLedger, keepAccount } from '../model/usage-ledger.ts'
import type { Ledger } from '../model/usage-ledger.ts'
import type { MemoryTape } from '../recording/memory-tape.ts'
import type { RecordingWriter } from '../recording/writer.ts'
import type { LiveSource } from '../source/live.ts'
import { Story } from '../view/story.ts'
import { Feed } from './feed.ts'
import { Names } from './names.ts'
import { Rewind } from './rewind.ts'

/** What the last rows need from the kernel through bpftrace and the bridge; they come within a tenth of this. */
const LAST_ROWS_MS = 3000

export class RunWatcher {
  readonly story = new Story(createModel())
  readonly watch: RunWatch
  /** What the command's memcg needed; of no other one. */
  readonly ledger: Ledger = createLedger()
  /** Why watching ended before the command did. */
  failure: Error | undefined
  /** Where a screen shows it, it can be looked back. */
  readonly rewind: Rewind | undefined
  private readonly source: LiveSource
  private readonly writer: RecordingWriter | undefined
  private readonly tape: MemoryTape | undefined
  private readonly feed: Feed
  private readonly names: Names
  private pumped: Promise<void> | undefined
  private wake = (): void => undefined

  constructor(source: LiveSource, { memcgId, writer, sources, tape }: { readonly memcgId: number; readonly writer: RecordingWriter | undefined; readonly sources: readonly NameSource[]; readonly tape: MemoryTape | undefined }) {
    this.source = source
    this.writer = writer
    this.tape = tape
    this.names = new Names(sources)
    this.watch = createRunWatch(memcgId)
    this.feed = new Feed(source, { afterFrame: (model) => { watchRun(this.watch, model); this.story.see(model) },
      afterEvent: (model, event) => { if ('memcgId' in event && event.memcgId === memcgId) keepAccount(this.ledger, model, event) } })
    this.rewind = tape === undefined ? undefined : new Rewind(this.feed, tape)
  }

  get model(): NodeModel { return this.feed.model }

  /** Begins to watch; resolves when every probe is attached and tested, or known not to be. Throws when watching cannot begin. */
  async start(): Promise<void> {
    this.pumped = this.pump()
    await Promise.race([this.source.ready, this.pumped])
    if (this.failure !== undefined) throw this.failure
  }

  /** Once the command's memcg is removed: its death is the last that the stream says of it. */
  async lastRows(): Promise<void> {
    const deadline = new Promise<'late'>((resolve) => { setTimeout(resolve, LAST_ROWS_MS, 'late').unref() })
    while (this.failure === undefined && this.model.memcgs.get(this.watch.memcgId)?.diedNs === undefined) {
      const next = new Promise<void>((resolve) => { this.wake = resolve })
      if (await Promise.race([next, deadline]) === 'late') return
    }
  }

  async close(): Promise<void> {
    this.names.close()
    await this.rewind?.close()
    await this.source.close()
    await this.pumped
  }

  private async pump(): Promise<void> {
    try {
      for await (const batch of this.source.batches()) {
        const items = this.names.take(this.feed, batch)
        this.writer?.write(items)
        this.tape?.push(items)
        this.wake()
      }
    } catch (error) {
      // The command goes on; it is said at its end.
      this.failure = error instanceof Error ? error : new Error(String(error))
      this.wake()
    }
  }
}
