/** A recording as a source: as fast as it can be read, or at the pace it happened, with pause, speed and jumps in time. */
import { NS_PER_MS, NS_PER_SECOND } from '../base/time.ts'
import { openRecording } from '../recording/reader.ts'
import type { Tape, TapeCursor } from '../recording/tape.ts'
import { Decoder } from '../wire/decode.ts'
import type { Frame } from '../wire/frame.ts'
import type { Batch, Source, SourceCounts } from './source.ts'

/** How much is folded before the wanted time, so that two minutes of history (model/history.ts) and the case under way are there. */
const RUN_UP_NS = 150 * NS_PER_SECOND
/** Up to here a jump folds the recording from its beginning and misses nothing. */
const WHOLE_FOLD_BYTES = 8 * 2 ** 20
/** About a tenth of a second of work: who waits for a picture hardly notices. What takes longer is first folded from shortly before the wanted time. */
const QUICK_FOLD_BYTES = 4 * 2 ** 20
const SHORT_RUN_UP_NS = 5 * NS_PER_SECOND
/** A paced reader wakes at least this often, so that a change of speed is felt at once. */
const MAX_WAIT_MS = 100

export type PlayOptions = {
  /** CLOCK_MONOTONIC; what leads up to it is delivered at once. Whoever waits for nothing begins at the beginning. */
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
  /** Read, and not yet due. */
  private ahead: Frame[] = []
  private fold: Batch['fold']
  /** Where the fold beside the short one is as far as that. */
  private besideUntilNs = 0
  private wake: (() => void) | undefined

  constructor(tape: Tape, { atNs, speed, isPaused = false, now = () => performance.now() }: PlayOptions) {
    this.tape = tape
    this.isPaused = isPaused
    this.isPaced = speed !== 'max'
    this.speed = speed === 'max' ? 1 : speed
    this.now = now
    this.playedNs = this.isPaced ? tape.span()?.startNs ?? 0 : 0
    this.since = now()
    // From the beginning on: nothing must be looked for first.
    this.cursor = tape.cursor()
    if (atNs !== undefined && this.isPaced) this.seek(atNs)
  }

  counts(): SourceCounts { return { ...this.cursor.damage, ...this.decoder.counts } }

  playback(): { readonly speed: number; readonly paused: boolean; readonly ended: boolean; /** Everything that is due was delivered: after a jump, the picture is of the wanted time. */ readonly caughtUp: boolean; /** It is, but the minutes before it are still being read. */ readonly partial: boolean; readonly startNs?: number; readonly endNs?: number } {
    return { speed: this.speed, paused: this.isPaused, ended: this.isEnded, caughtUp: this.isCaughtUp, partial: this.fold !== undefined, ...this.tape.span() }
  }

  setPaused(paused: boolean): void {
    this.settle()
    this.isPaused = paused
    // A tape that grows may have more by now.
    if (!paused) this.isEnded = false
    this.wake?.()
  }

  setSpeed(speed: number): void { this.settle(); this.speed = speed; this.wake?.() }

  /** The next batches lead up to this time: after a restart, or on from here where that is less to read. */
  seek(tsNs: number): void {
    this.pendingSeekNs = tsNs
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
      if (this.cursor.isOverrun && this.pendingSeekNs === undefined) this.seek(this.tape.span()?.startNs ?? 0)
      if (await this.takeSeek()) isRestart = true
      if (this.isClosed) return
      const isAtEnd = !this.readAhead(), frames = this.takeDue()
      // Played on at once and fast, it may never catch up with what is due.
      if (this.fold === 'beside' && (frames.at(-1)?.tsNs ?? 0) > this.besideUntilNs) this.fold = undefined
      // Only at the end is it known that it was cut: whoever counts (counts) must hear of it.
      if (frames.length > 0 || (isAtEnd && (isRestart || this.cursor.damage.corruptBytes !== toldBytes))) {
        yield { items: frames.map((frame) => ({ frame, events: this.decoder.decode(frame) })), isRestart, fold: this.fold }
        isRestart = false
        toldBytes = this.cursor.damage.corruptBytes
      }
      if (isAtEnd && !this.isPaced) return
      // Whoever took the batch may have asked for something; and without a turn of the event loop no key would be read and no frame drawn while catching up.
      if (!isAtEnd && (frames.length > 0 || this.ahead.length === 0)) { await new Promise((resolve) => setImmediate(resolve)); continue }
      if (!this.canGoOn()) continue
      if (this.fold === 'short') { this.foldBeside(); isRestart = true; continue }
      if (this.fold === 'beside') { this.fold = undefined; yield { items: [], isRestart: false }; continue }
      // At its end a recording stays open: a person may want to go back.
      this.isEnded = isAtEnd
      await this.sleep(isAtEnd || this.isPaused ? undefined : Math.min(MAX_WAIT_MS, Math.max(1, ((this.ahead[0]?.tsNs ?? 0) - this.dueNs()) / NS_PER_MS / this.speed)))
    }
  }

  private canGoOn(): boolean { return !this.isClosed && this.pendingSeekNs === undefined }

  /** False at the end. */
  private readAhead(): boolean {
    if (this.ahead.length > 0) return true
    const frames = this.cursor.next()
    if (frames === undefined) return false
    this.isEnded = false
    this.ahead = frames
    return true
  }

  private takeDue(): Frame[] {
    const dueNs = this.isPaced ? this.dueNs() : Infinity, later = this.ahead.findIndex(({ tsNs }) => tsNs > dueNs)
    return this.ahead.splice(0, later < 0 ? this.ahead.length : later)
  }

  private dueNs(): number { return this.isPaused ? this.playedNs : this.playedNs + (this.now() - this.since) * NS_PER_MS * this.speed }

  private settle(): void { this.playedNs = this.dueNs(); this.since = this.now() }

  /** True when a new fold begins. */
  private async takeSeek(): Promise<boolean> {
    // Keys are read meanwhile: the newest wish counts.
    if (this.pendingSeekNs === undefined || !await this.tape.prepare() || this.isClosed) return false
    // What memory keeps may have begun later since it was asked for.
    const { startNs = -Infinity, endNs = Infinity } = this.tape.span() ?? {}, toNs = Math.max(startNs, Math.min(endNs, this.pendingSeekNs)), isOn = this.canWindOn(toNs)
    this.playedNs = toNs
    this.since = this.now()
    this.pendingSeekNs = undefined
    this.isEnded = false
    if (isOn) return false
    const start = this.startFor(toNs), isLong = this.tape.bytesBefore(toNs) - (start === undefined ? 0 : this.tape.bytesBefore(start)) > QUICK_FOLD_BYTES
    this.begin(isLong ? toNs - SHORT_RUN_UP_NS : start, isLong ? 'short' : undefined)
    return true
  }

  /** What lies between is little, and what was folded so far is whole. */
  private canWindOn(toNs: number): boolean {
    const fromNs = this.dueNs()
    return this.isPaced && this.fold === undefined && !this.cursor.isOverrun && toNs >= fromNs && this.tape.bytesBefore(toNs) - this.tape.bytesBefore(fromNs) <= QUICK_FOLD_BYTES
  }

  private foldBeside(): void {
    this.isCaughtUp = true
    this.besideUntilNs = this.dueNs()
    this.begin(this.startFor(this.besideUntilNs), 'beside')
  }

  /** Where a fold begins that has all its run-up; nothing for the beginning. */
  private startFor(tsNs: number): number | undefined { return this.tape.bytesBefore(tsNs) <= WHOLE_FOLD_BYTES ? undefined : tsNs - RUN_UP_NS }

  private begin(fromNs: number | undefined, fold: Batch['fold']): void {
    this.decoder = new Decoder()
    this.cursor = this.tape.cursor(fromNs)
    this.ahead = []
    this.fold = fold
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
