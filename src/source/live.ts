/**
 * This node as a source: chooses probes, runs the bridge, and says in `rung` rows what is chosen, proven, refused or dead.
 * When bpftrace refuses the script, the culprits are found and the bridge is started again without them.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Event } from '../event/event.ts'
import { Decoder } from '../wire/decode.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG, FrameReader } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { bridgeArguments } from './bridge-arguments.ts'
import { BridgeProcess, bridgePath } from './bridge-process.ts'
import type { LiveOptions } from './live-options.ts'
import { prepareProbes, refusedAsWhole, required, withoutRefused } from './prepare-probes.ts'
import type { Preparation, Shortage } from './prepare-probes.ts'
import { Readiness } from './readiness.ts'
import type { Overdue, Ready } from './readiness.ts'
import { insteadOf } from './remaining.ts'
import { RungStates } from './rung-states.ts'
import { ScriptFile } from './script-file.ts'
import type { Batch, Item, Source, SourceCounts } from './source.ts'

/** A set of scripts that passed one by one is refused again only when something else is wrong. */
const MAX_RESTARTS = 2

/** Looks at the node and chooses; throws a UserError when not even sampling is possible. Nothing runs before `batches()` is read. */
export async function openLive(options: LiveOptions): Promise<LiveSource> {
  return new LiveSource(options, await prepareProbes(options))
}

export class LiveSource implements Source {
  readonly mode = 'live'
  /** Resolves when every chosen probe is attached and tested (or known not to be) and sampling runs; never if the source dies before. */
  readonly ready: Promise<Ready>
  private readonly options: LiveOptions
  private preparation: Preparation
  private rungs: RungStates
  private readonly readiness = new Readiness()
  private readonly totals = { corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 }
  private readonly reader = { frames: new FrameReader(), rows: new Decoder() }
  private readonly script = new ScriptFile()
  private bridge: BridgeProcess | undefined
  private isClosing = false
  private newestNs = 0

  constructor(options: LiveOptions, preparation: Preparation) {
    this.options = options
    this.preparation = preparation
    this.rungs = rungsOf(preparation)
    this.ready = this.readiness.promise
  }

  /** Why there are no probes though they are wanted; changes when bpftrace refuses all that was chosen. */
  get shortage(): Shortage | undefined { return this.preparation.shortage }

  counts(): SourceCounts {
    const { damage } = this.reader.frames, { counts } = this.reader.rows
    return {
      corruptFrames: this.totals.corruptFrames + damage.corruptFrames, corruptBytes: this.totals.corruptBytes + damage.corruptBytes,
      unknownKinds: this.totals.unknownKinds + counts.unknownKinds, badRows: this.totals.badRows + counts.badRows,
    }
  }

  async close(): Promise<void> {
    this.isClosing = true
    await this.bridge?.stop()
    this.script.remove()
  }

  async *batches(): AsyncGenerator<Batch, void, void> {
    try {
      for (let restarts = 0; !this.isClosing; restarts += 1) {
        const next = yield* this.run(restarts < MAX_RESTARTS)
        if (next === undefined) return
        this.choose(next)
      }
    } finally {
      // Also when the reader stops reading, or throws.
      await this.close()
    }
  }

  /** One bridge, from its start to its end; returns what to start the next one with, if bpftrace refused a part of this one's script. */
  private async *run(mayRestart: boolean): AsyncGenerator<Batch, Preparation | undefined, void> {
    const { preparation } = this, trial = new RefusalTrial(() => withoutRefused(preparation, this.options))
    this.renewReader()
    this.readiness.begin(preparation.selftests)
    const bridge = this.bridge = new BridgeProcess(bridgePath(), bridgeArguments(this.options, preparation, preparation.text === '' ? undefined : this.script.write(preparation.text)))
    let own: Event[] | undefined, late: readonly Event[] = []
    for await (const chunk of bridge.stdout as AsyncIterable<Buffer>) {
      const frames = this.reader.frames.push(chunk)
      if (frames.length === 0) continue
      const items = this.decode(frames)
      own = [...(own === undefined ? this.rungs.rows(this.newestNs) : late), ...this.ownRows(items)]
      // Sampling goes on while the scripts are tried one by one.
      const refusal = refusalIn(items)
      if (refusal !== undefined && mayRestart) trial.start(refusal)
      else if (refusal !== undefined) this.runWithout(preparation, refusal)
      const next = trial.result()
      if (next !== undefined && next.text !== '' && next.text !== preparation.text && !this.isClosing) {
        yield { items: [...items, ...this.ownItems(own)], isRestart: false }
        await bridge.discard()
        return next
      }
      if (next?.text === preparation.text) this.runWithout(preparation, trial.words)
      else if (next !== undefined) own.push(...this.choose(next).rows(this.newestNs))
      yield { items: [...items, ...this.ownItems(own)], isRestart: false }
      const overdue = this.readiness.settle(() => this.rungs.count())
      late = this.giveUp(overdue)
      // libuv reads a pipe that is always full 32 times before it looks at anything else (uv__read): a signal or a key must not wait until 2 MiB are folded.
      await turn()
    }
    const rest = this.decode(this.reader.frames.end())
    if (rest.length > 0) yield { items: rest, isRestart: false }
    const failure = await bridge.failure()
    if (!this.isClosing) throw failure
    return undefined
  }

  private giveUp(overdue: Overdue | undefined): readonly Event[] {
    const why = overdue === undefined ? undefined : GIVEN_UP[overdue]
    return why === undefined ? [] : this.rungs.giveUp(why, this.newestNs)
  }

  /** Nothing is to blame alone: the rungs stay dead, as the tracer's row made them. */
  private runWithout(preparation: Preparation, words: string): void {
    this.preparation = refusedAsWhole(preparation, words)
    if (this.options.requireProbes === true && this.preparation.shortage !== undefined) throw required(this.preparation.shortage)
    this.readiness.giveUpTracer()
  }

  private choose(next: Preparation): RungStates {
    this.preparation = next
    if (this.options.requireProbes === true && next.shortage !== undefined) throw required(next.shortage)
    this.rungs = rungsOf(next)
    this.readiness.giveUpTracer()
    return this.rungs
  }

  private renewReader(): void {
    Object.assign(this.totals, this.counts())
    this.reader.frames = new FrameReader()
    this.reader.rows = new Decoder()
  }

  private decode(frames: readonly Frame[]): Item[] {
    return frames.map((frame) => {
      this.newestNs = Math.max(this.newestNs, frame.tsNs)
      return { frame, events: this.reader.rows.decode(frame) }
    })
  }

  /** Rows of our own that these frames give rise to. */
  private ownRows(items: readonly Item[]): Event[] {
    const rows: Event[] = []
    // What ends now ends because we asked for it: the probes have not failed.
    if (this.isClosing) return rows
    for (const { frame, events } of items) {
      if ((frame.flags & FLAG.keyframe) !== 0) this.readiness.sawKeyframe()
      for (const event of events) {
        this.readiness.note(event)
        // The bridge's keyframes do not repeat these; in a names frame a reader that starts later finds them.
        if (event.kind === 'tracer' || event.kind === 'selftest') rows.push(this.explained(event))
        rows.push(...this.rungs.note(event))
      }
    }
    return rows
  }

  /** The bridge knows that it was given no tracer, not why. */
  private explained(event: Event): Event {
    if (event.kind !== 'tracer' || event.state !== 'absent' || event.detail !== undefined) return event
    return { ...event, detail: this.preparation.shortage?.reason ?? 'not wanted (--no-probes)' }
  }

  private ownItems(rows: readonly Event[]): Item[] {
    return encodeFrames(rows, FLAG.names).flatMap((bytes) => new FrameReader().push(bytes)).map((frame) => ({ frame, events: new Decoder().decode(frame) }))
  }
}

/** Why a probe that nobody heard of is not counted on. */
const GIVEN_UP: Readonly<Partial<Record<Overdue, string>>> = {
  tracer: 'bpftrace hangs: it never said that it is attached', unreadable: 'what bpftrace says is not understood, so nobody knows whether it is attached',
}

const rungsOf = ({ rungs, features, node }: Preparation): RungStates => new RungStates(rungs, features.scripts, (question) => insteadOf(question, node))

/** What bpftrace said when it refused the script; undefined when it did not. */
const refusalIn = (items: readonly Item[]): string | undefined =>
  items.flatMap(({ events }) => events.flatMap((event) => (event.kind === 'tracer' && event.state === 'refused' ? [event.detail ?? 'without a word'] : [])))[0]

/** Finds out beside the running bridge which scripts are to blame. */
class RefusalTrial {
  /** Of bpftrace, when it refused them together. */
  words = ''
  private readonly find: () => Promise<Preparation>
  private found: Preparation | undefined
  private failure: unknown
  private isStarted = false

  constructor(find: () => Promise<Preparation>) { this.find = find }

  start(words: string): void {
    if (this.isStarted) return
    this.words = words
    this.isStarted = true
    this.find().then((found) => { this.found = found }, (error: unknown) => { this.failure = error })
  }

  /** What was found, once; throws what went wrong. */
  result(): Preparation | undefined {
    if (this.failure !== undefined) throw this.failure
    const { found } = this
    this.found = undefined
    return found
  }
}
