/** Reclaim of one memcg in the last seconds: what the kernel tried before it gave up and killed. */
import { NS_PER_SECOND } from '../base/time.ts'

/** Seconds kept: ten before a decision, and room for rows that arrive late. */
const SLOTS = 32

export type ReclaimHistory = {
  newestSecond: number
  /** Counted by the memcg reclaimed; otherwise by the memcg of the task that waited, which is not the same. */
  byTarget: boolean
  readonly attempts: Float64Array
  readonly stalledNs: Float64Array
  readonly reclaimedPages: Float64Array
  /** The last print that fell into each second, CLOCK_MONOTONIC ns. */
  readonly printedNs: Float64Array
}

export type ReclaimSeries = 'attempts' | 'stalledNs' | 'reclaimedPages'

export const createReclaimHistory = (byTarget: boolean): ReclaimHistory =>
  ({ newestSecond: -1, byTarget, attempts: new Float64Array(SLOTS), stalledNs: new Float64Array(SLOTS), reclaimedPages: new Float64Array(SLOTS), printedNs: new Float64Array(SLOTS) })

function clear(history: ReclaimHistory, second: number): void {
  history.attempts[second % SLOTS] = history.stalledNs[second % SLOTS] = history.reclaimedPages[second % SLOTS] = history.printedNs[second % SLOTS] = 0
}

/** Adds what a counter rose by. */
export function addReclaim(history: ReclaimHistory, name: ReclaimSeries, at: { readonly tsNs: number; readonly amount: number }): void {
  const second = Math.floor(at.tsNs / NS_PER_SECOND)
  if (history.newestSecond < 0) history.newestSecond = second - 1
  if (history.newestSecond - second >= SLOTS) return
  if (second > history.newestSecond) {
    for (let s = Math.max(history.newestSecond + 1, second - SLOTS + 1); s <= second; s++) clear(history, s)
    history.newestSecond = second
  }
  history[name][second % SLOTS] = (history[name][second % SLOTS] ?? 0) + at.amount
  history.printedNs[second % SLOTS] = at.tsNs
}

/**
 * The sum over the `seconds` before `tsNs`, up to the first print after it: the probes print once a second what they counted, and what was tried
 * last, just before `tsNs`, is in the print that comes after it.
 */
export function reclaimBefore(history: ReclaimHistory, tsNs: number, seconds: number): { attempts: number; stalledNs: number; reclaimedPages: number } {
  const second = Math.floor(tsNs / NS_PER_SECOND), isPrinted = second <= history.newestSecond && (history.printedNs[second % SLOTS] ?? 0) >= tsNs
  const last = isPrinted ? second : second + 1, sum = { attempts: 0, stalledNs: 0, reclaimedPages: 0 }
  for (let s = second - seconds; s <= last; s++) {
    if (s < 0 || s > history.newestSecond || history.newestSecond - s >= SLOTS) continue
    sum.attempts += history.attempts[s % SLOTS] ?? 0
    sum.stalledNs += history.stalledNs[s % SLOTS] ?? 0
    sum.reclaimedPages += history.reclaimedPages[s % SLOTS] ?? 0
  }
  return sum
}
