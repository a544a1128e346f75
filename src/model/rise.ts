/** Usage that has risen and not yet fallen: what may become a spike. Kept in a few slots per memcg that are used again, so that looks allocate nothing. */
import type { EventOf } from '../event/event.ts'
import { topSlotOf } from './kubectl-top.ts'
import type { Makeup, Spike } from './spike.ts'

/** How a height came to be known; larger is better. */
export const SOURCE = { sampled: 0, highWater: 1, window: 2 } as const
export type Source = (typeof SOURCE)[keyof typeof SOURCE]

export type Rise = {
  baseBytes: number
  /** Not earlier than this. */
  startNs: number
  /** The look that told of it. */
  roseNs: number
  peakBytes: number
  peakSource: Source
  /** The look that told of the highest value, and what it can have been at the earliest. */
  peakFromNs: number
  /** First and last look itself (not a peak between two looks) that saw it clearly above the base; NaN = none. */
  firstAboveNs: number
  lastAboveNs: number
  /** The same for the top of it: since the highest value. */
  firstTopNs: number
  lastTopNs: number
  /** First look after the highest value that was clearly below it; NaN = none yet. */
  fellNs: number
  /** Least usage since the highest value. */
  lowAfterBytes: number
  /** Every look since the start told the exact peak before it. */
  isCovered: boolean
  /** Facts were lost meanwhile. */
  isTouched: boolean
  /** Usage has settled up here: what rises from here is something of its own. */
  isLevel: boolean
  /** The highest kubectl top showed since (and at) its beginning, and the highest of its looks that fell into it; NaN = not known. */
  topBytes: number
  topDuringBytes: number
  /** Cumulative wait of its tasks at the beginning. */
  waitedNs: number
  statBefore: EventOf<'memcg_stat'> | undefined
  statDuring: EventOf<'memcg_stat'> | undefined
}

export const newRise = (): Rise => ({
  baseBytes: 0, startNs: 0, roseNs: 0, peakBytes: 0, peakSource: SOURCE.sampled, peakFromNs: 0, firstAboveNs: Number.NaN, lastAboveNs: Number.NaN, firstTopNs: Number.NaN, lastTopNs: Number.NaN,
  fellNs: Number.NaN, lowAfterBytes: 0, isCovered: true, isTouched: false, isLevel: false, topBytes: Number.NaN, topDuringBytes: Number.NaN, waitedNs: 0, statBefore: undefined, statDuring: undefined,
})

/** Anonymous, file and kernel memory do not overlap; shmem is part of file. */
export const sumOfStat = (stat: Makeup): number => (stat.anonBytes ?? 0) + (stat.fileBytes ?? 0) + (stat.kernelBytes ?? 0)

/** memory.stat was read while it stood high: the reading with the most in it is the nearest to its top. */
export function noteStat(rise: Rise, stat: EventOf<'memcg_stat'>): void {
  if (stat.tsNs < rise.startNs || sumOfStat(stat) < (rise.baseBytes + rise.peakBytes) / 2) return
  if (rise.statDuring === undefined || sumOfStat(stat) > sumOfStat(rise.statDuring)) rise.statDuring = stat
}

/** What is known of one memcg between two of its rows. */
export type SpikeWatch = {
  /** The newest row. */
  lastNs: number
  lastBytes: number
  lastPeakBytes: number | undefined
  /** Least usage since the innermost rise was at its highest, or since there is none. */
  lowBytes: number
  /** Usage has been near this since then. */
  levelBytes: number
  levelNs: number
  /** Least usage since `secondNs`, and in the second before it, as far as it was of this level. */
  secondNs: number
  secondLowBytes: number
  earlierLowBytes: number
  /** The newest row told the peak since the look before; any row ever did. */
  isWindowed: boolean
  hasWindows: boolean
  /** kubectl-top.ts: the last look and what it found; NaN = not known. */
  topSlot: number
  topBytes: number
  depth: number
  readonly rises: Rise[]
  /** May still be told more about: a higher mark. */
  newest: Spike | undefined
  /** What is looked at now: not earlier than `fromNs`, seen at `atNs`. */
  fromNs: number
  atNs: number
  source: Source
  isTouched: boolean
}

export function newWatch(tsNs: number, bytes: number): SpikeWatch {
  return {
    lastNs: tsNs, lastBytes: bytes, lastPeakBytes: undefined, lowBytes: bytes, levelBytes: bytes, levelNs: tsNs, secondNs: tsNs, secondLowBytes: bytes, earlierLowBytes: bytes, isWindowed: false, hasWindows: false, topSlot: topSlotOf(tsNs), topBytes: Number.NaN,
    depth: 0, rises: [], newest: undefined, fromNs: tsNs, atNs: tsNs, source: SOURCE.sampled, isTouched: false,
  }
}
