/** The last two minutes of one memcg (or the node), one slot a second, in fixed typed arrays: what sparklines and rates are made of. */
import { NS_PER_SECOND } from '../base/time.ts'

/** Seconds kept. The slot of a second is `second % HISTORY_SECONDS`. */
export const HISTORY_SECONDS = 120

/**
 * Names of the series kept per slot. Usage is the largest sample of the second; the others are amounts that accrued during it.
 * An array has length 0 until its first fact arrives, so that a memcg of which only usage is known costs about 2 KiB and
 * one with every series about 8 KiB. NaN = not known (before the first fact; a second without a usage sample).
 */
export type History = {
  /** Second (floor of tsNs / 1e9) of the newest slot; -1 when empty. */
  newestSecond: number
  /** Largest usage known of the second: sampled, or the exact peak of a window that ended in it; NaN = no sample. */
  usageBytes: Float64Array
  /** Last currentBytes sampled in the second: what stands until the next sample, because unchanged values are not sent. */
  lastBytes: Float64Array
  /** Anonymous memory (memory.stat anon) as last read in the second; NaN = not read. */
  anonBytes: Float64Array
  /** PSI some/full stall, microseconds accrued in the second. */
  someUs: Float64Array
  fullUs: Float64Array
  /** Reclaim and throttling wait of its tasks, nanoseconds accrued in the second. */
  stallNs: Float64Array
  /** memory.events high/max accrued in the second. */
  highEvents: Float64Array
  maxEvents: Float64Array
  /** Pages that came back soon after reclaim took them (memory.stat workingset_refault_*), accrued in the second. */
  refaults: Float64Array
}

export type SeriesName = Exclude<keyof History, 'newestSecond'>
/** Series that sum what accrued; usage and anon are the only gauges. */
export type AccruingSeries = Exclude<SeriesName, 'usageBytes' | 'lastBytes' | 'anonBytes'>

const NONE = new Float64Array(0)

/** No second yet, no memory yet. */
export const createHistory = (): History =>
  ({ newestSecond: -1, usageBytes: NONE, lastBytes: NONE, anonBytes: NONE, someUs: NONE, fullUs: NONE, stallNs: NONE, highEvents: NONE, maxEvents: NONE, refaults: NONE })

/** Gives the arrays back: for memcgs that died long ago. */
export function dropHistory(history: History): void {
  history.newestSecond = -1
  history.usageBytes = history.lastBytes = history.anonBytes = history.someUs = history.fullUs = history.stallNs = history.highEvents = history.maxEvents = history.refaults = NONE
}

function clearSlot(history: History, slot: number): void {
  if (history.usageBytes.length > 0) history.usageBytes[slot] = history.lastBytes[slot] = Number.NaN
  if (history.anonBytes.length > 0) history.anonBytes[slot] = Number.NaN
  if (history.someUs.length > 0) history.someUs[slot] = 0
  if (history.fullUs.length > 0) history.fullUs[slot] = 0
  if (history.stallNs.length > 0) history.stallNs[slot] = 0
  if (history.highEvents.length > 0) history.highEvents[slot] = 0
  if (history.maxEvents.length > 0) history.maxEvents[slot] = 0
  if (history.refaults.length > 0) history.refaults[slot] = 0
}

/** Makes room for `second` and returns its slot, or -1 when that second is no longer kept. */
function slotOf(history: History, second: number): number {
  const newest = history.newestSecond
  if (second > newest) {
    if (newest >= 0) for (let s = Math.max(newest + 1, second - HISTORY_SECONDS + 1); s <= second; s++) clearSlot(history, s % HISTORY_SECONDS)
    history.newestSecond = second
  } else if (newest - second >= HISTORY_SECONDS) return -1
  return second % HISTORY_SECONDS
}

const allocate = (history: History, name: SeriesName): Float64Array => (history[name] = new Float64Array(HISTORY_SECONDS).fill(Number.NaN))

/** One usage sample. Allocates nothing after the first. */
export function recordUsage(history: History, tsNs: number, bytes: number): void {
  const slot = slotOf(history, Math.floor(tsNs / NS_PER_SECOND))
  if (slot < 0) return
  const values = history.usageBytes.length > 0 ? history.usageBytes : allocate(history, 'usageBytes'), lasts = history.lastBytes.length > 0 ? history.lastBytes : allocate(history, 'lastBytes')
  // Written so that NaN (no sample yet) is replaced.
  if (!((values[slot] ?? Number.NaN) >= bytes)) values[slot] = bytes
  lasts[slot] = bytes
}

/** One reading of memory.stat. Allocates nothing after the first. */
export function recordAnon(history: History, tsNs: number, bytes: number): void {
  const slot = slotOf(history, Math.floor(tsNs / NS_PER_SECOND))
  if (slot < 0) return
  const values = history.anonBytes.length > 0 ? history.anonBytes : allocate(history, 'anonBytes')
  values[slot] = bytes
}

function add(history: History, name: AccruingSeries, second: number, amount: number): void {
  const slot = slotOf(history, second)
  if (slot < 0) return
  const values = history[name].length > 0 ? history[name] : allocate(history, name)
  const before = values[slot] ?? Number.NaN
  values[slot] = Number.isNaN(before) ? amount : before + amount
}

/** When an amount accrued: between two readings of a cumulative file. */
export type Span = { readonly fromNs: number; readonly toNs: number }

/** Spreads an amount evenly over the seconds in which it accrued, so that a slow sampler makes no false peaks. */
export function accrue(history: History, name: AccruingSeries, amount: number, span: Span): void {
  const last = Math.floor(span.toNs / NS_PER_SECOND)
  const fromNs = Math.max(span.fromNs, (last - HISTORY_SECONDS + 1) * NS_PER_SECOND), first = Math.floor(fromNs / NS_PER_SECOND)
  if (first >= last || amount === 0) {
    add(history, name, last, amount)
    return
  }
  const lengthNs = span.toNs - span.fromNs
  for (let second = first; second <= last; second++) {
    const overlapNs = Math.min(span.toNs, (second + 1) * NS_PER_SECOND) - Math.max(fromNs, second * NS_PER_SECOND)
    add(history, name, second, (amount * overlapNs) / lengthNs)
  }
}
