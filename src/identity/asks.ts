/** Questions about single containers: when to ask which again, how many at a time. A queue with a clock from outside; no connection here. */
import type { NameQuestion } from './name-source.ts'

/** `exited`: the runtime says so, but not why it was killed. */
export type AskReason = NameQuestion['why'] | 'exited'

/**
 * After a birth the runtime may not list it yet. A victim is asked for until its runtime has noticed, which takes up to some seconds; that
 * it exited comes by another way than that it was the OOM killer (containerd: TaskExit and TaskOOM), so once more after a while.
 */
const AGAIN_MS: Readonly<Record<AskReason, readonly number[]>> = {
  birth: [50, 100, 200, 500, 1000, 2000, 5000],
  victim: [50, 100, 200, 400, 800, 1500, 3000, 5000, 10_000],
  exited: [500, 2000],
  resized: [1000],
}
export const MAX_ASKS = 2000
/** So many a second at most, and so many at once: a runtime under pressure is not to be asked to death. */
const PER_SECOND = 50, BURST = 100

/** One container to ask about. */
export type Ask = { readonly containerId: string; readonly podUid: string | undefined; readonly why: AskReason }
type Pending = { readonly containerId: string; readonly podUid: string | undefined; why: AskReason; tries: number; dueMs: number; isBusy: boolean }

export class Asks {
  private readonly pending = new Map<string, Pending>()
  private tokens = BURST
  private tokensMs = 0

  get size(): number { return this.pending.size }

  /** `dueMs`: not before; what is said of it until then may make the question needless. */
  add({ containerId, podUid, why }: NameQuestion, dueMs: number): void {
    const known = this.pending.get(containerId)
    if (known === undefined) {
      if (this.pending.size < MAX_ASKS) this.pending.set(containerId, { containerId, podUid, why, tries: 0, dueMs, isBusy: false })
    } else if (why === 'victim' && known.why !== 'victim') {
      known.why = why
      known.tries = 0
      known.dueMs = dueMs
    }
  }

  /** Those that are due and may be asked now, marked busy. */
  due(nowMs: number, room: number): readonly Ask[] {
    this.tokens = Math.min(BURST, this.tokens + ((nowMs - this.tokensMs) / 1000) * PER_SECOND)
    this.tokensMs = nowMs
    const asks: Pending[] = []
    for (const ask of this.pending.values()) {
      if (asks.length >= room || this.tokens < 1) break
      if (ask.isBusy || ask.dueMs > nowMs) continue
      ask.isBusy = true
      this.tokens -= 1
      asks.push(ask)
    }
    return asks
  }

  countDue(nowMs: number): number {
    let count = 0
    for (const { isBusy, dueMs } of this.pending.values()) if (!isBusy && dueMs <= nowMs) count += 1
    return count
  }

  /** Milliseconds until the next one is due (at least a few: tokens come in time); undefined when nothing waits. */
  waitMs(nowMs: number): number | undefined {
    let next: number | undefined
    for (const { isBusy, dueMs } of this.pending.values()) if (!isBusy && (next === undefined || dueMs < next)) next = dueMs
    return next === undefined ? undefined : Math.max(1000 / PER_SECOND, next - nowMs)
  }

  done(containerId: string): void { this.pending.delete(containerId) }

  /** A list or an event has it: that answers who it is, and nothing else. */
  named(containerId: string): void { if (this.pending.get(containerId)?.why === 'birth') this.pending.delete(containerId) }

  /** Asked from now on as another reason wants it. */
  become(containerId: string, why: AskReason): void {
    const ask = this.pending.get(containerId)
    if (ask === undefined || ask.why === why) return
    ask.why = why
    ask.tries = 0
  }

  /** Not yet, or not all of it: again later, or never when it was often enough. */
  again(containerId: string, nowMs: number): void {
    const ask = this.pending.get(containerId)
    if (ask === undefined) return
    const wait = AGAIN_MS[ask.why][ask.tries]
    ask.tries += 1
    ask.isBusy = false
    if (wait === undefined) this.pending.delete(containerId)
    else ask.dueMs = nowMs + wait
  }

  /** The connection went away under it: it was no try. */
  release(containerId: string): void {
    const ask = this.pending.get(containerId)
    if (ask !== undefined) ask.isBusy = false
  }
}
