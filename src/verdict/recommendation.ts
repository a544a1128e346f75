/** What to request and where to set the limit, from what a workload truly needed; every number with its reason, every doubt with its words. */
import { formatBytes } from '../base/bytes.ts'
import { plural } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { Exactness } from '../model/spike.ts'

/** One workload over the recording: one memcg, or those of a container that was started again. */
export type Need = {
  readonly knownNs: number
  readonly lostNs: number
  /** Rows were lost of which nobody knows the time. */
  readonly isLossSomewhere: boolean
  readonly exactness: Exactness
  readonly peakBytes: number
  /** Without inactive file cache, at the true peak. */
  readonly needPeakBytes: number
  readonly hardPeakBytes: number
  readonly floorBytes: number | undefined
  /** Of the highest need in each second. */
  readonly p50Bytes: number
  readonly p95Bytes: number
  readonly p99Bytes: number
  readonly limitBytes: number | undefined
  readonly topBytes: number | undefined
  readonly swapBytes: number
  readonly over80Ns: number
  readonly over90Ns: number
  /** OOM kills of its processes while it was recorded, and how many of them were for a limit that is not its own: one above it, or the node. */
  readonly kills: number
  readonly killsByOthers: number
  /** Times it was about to pass its limit, and passed memory.high; absent = not told. */
  readonly atMax: number | undefined
  readonly atHigh: number | undefined
  readonly waitedNs: number | undefined
}

export type WarningCode = 'too-short' | 'no-load' | 'killed' | 'at-limit' | 'throttled' | 'not-exact' | 'facts-lost' | 'cache' | 'swap'
export type Warning = { readonly code: WarningCode; readonly text: string }

export type Recommendation = {
  readonly requestBytes: number
  readonly limitBytes: number
  readonly headroomPercent: number
  readonly reasons: readonly string[]
  readonly warnings: readonly Warning[]
}

const MIB = 2 ** 20
/** Below this a container's own start needs more than what was measured. */
const LEAST_BYTES = 16 * MIB
const MINUTE_NS = 60e9, HOUR_NS = 3600e9, DAY_NS = 86_400e9

/** Up to a number that a person would write: in sixteenths of its power of two, whole MiB. */
export function roundUp(bytes: number): number {
  const least = Math.max(LEAST_BYTES, bytes), step = Math.max(MIB, 2 ** (Math.floor(Math.log2(least)) - 4))
  return Math.ceil(least / step) * step
}

/** 20 %, and more for every reason to doubt that the peak was the highest there will be; never more than 40. */
function headroomOf(need: Need): { readonly percent: number; readonly why: readonly string[] } {
  const doubts: readonly (readonly [number, boolean, string])[] = [
    [20, ownKillsOf(need) > 0 || isAtLimit(need), 'it was held down by its limit'], [10, need.killsByOthers > 0, 'it was killed for a limit that is not its own'], [10, need.knownNs < HOUR_NS, 'the recording is shorter than an hour'], [10, need.exactness === 'sampled', 'the peak is sampled'],
    [10, need.lostNs > 0 || need.isLossSomewhere, 'facts are missing'], [10, need.needPeakBytes > 1.5 * need.p99Bytes, 'the peak stands far above the 99th percentile'],
  ]
  const held = doubts.filter(([, is]) => is)
  return { percent: Math.min(40, held.reduce((sum, [percent]) => sum + percent, 20)), why: held.map(([, , why]) => why) }
}

/** Where nobody knows whose limit it was, its own is the likeliest. */
export const ownKillsOf = ({ kills, killsByOthers }: Pick<Need, 'kills' | 'killsByOthers'>): number => kills - killsByOthers

const killedText = (count: number, why: string): string => `the kernel killed ${count === 1 ? 'a process' : `${count} processes`} of it${why}: what it would have taken is not known`

/** Usage was as high as the limit lets it be: what it would have taken is not in the recording. */
const isAtLimit = ({ limitBytes, peakBytes, atMax }: Need): boolean => limitBytes !== undefined && (peakBytes >= 0.98 * limitBytes || (atMax ?? 0) > 0)

const RULES: readonly (readonly [WarningCode, (need: Need) => string | undefined])[] = [
  ['killed', (need) => (ownKillsOf(need) === 0 ? undefined : `${killedText(ownKillsOf(need), need.limitBytes === undefined ? '' : ` under a limit of ${formatBytes(need.limitBytes)}`)}; measure again under a higher limit`)],
  ['killed', ({ killsByOthers }) => (killsByOthers === 0 ? undefined : killedText(killsByOthers, ' for a limit above it, or for the node'))],
  ['at-limit', (need) => (ownKillsOf(need) > 0 || !isAtLimit(need) ? undefined : `it was held at its limit of ${formatBytes(need.limitBytes ?? 0)}${(need.atMax ?? 0) > 0 ? ` (${plural(need.atMax ?? 0, 'time')})` : ''}: it may want more than was seen`)],
  ['throttled', ({ atHigh }) => ((atHigh ?? 0) === 0 ? undefined : `it passed memory.high ${plural(atHigh ?? 0, 'time')} and was slowed down: it may want more than was seen`)],
  ['too-short', ({ knownNs }) => (knownNs < 10 * MINUTE_NS ? `only ${formatDuration(knownNs)} are recorded: record at least an hour under real load` : knownNs < HOUR_NS ? `${formatDuration(knownNs)} are recorded: what happens once an hour may not be in it` : knownNs < DAY_NS ? `${formatDuration(knownNs)} are recorded: what happens once a day may not be in it` : undefined)],
  ['no-load', (need) => (need.needPeakBytes <= 1.1 * need.p50Bytes && need.kills === 0 && !isAtLimit(need) && (need.waitedNs ?? 0) < 1e6 ? 'usage hardly moved: it seems not to have been under load' : undefined)],
  ['not-exact', ({ exactness }) => (exactness === 'sampled' ? 'its peak is sampled: between two looks it may have been higher' : undefined)],
  ['facts-lost', ({ lostNs, isLossSomewhere }) => (isLossSomewhere ? 'rows of this recording are lost: every number may be too low' : lostNs > 0 ? `nothing is known of ${formatDuration(lostNs)}: its peak may have been then` : undefined)],
  ['swap', ({ swapBytes }) => (swapBytes > 0 ? `up to ${formatBytes(swapBytes)} of it was swapped out, which is not counted here` : undefined)],
  ['cache', ({ peakBytes, needPeakBytes }) => (peakBytes - needPeakBytes > peakBytes / 4 ? `${formatBytes(peakBytes - needPeakBytes)} of its highest usage was inactive file cache, which is not counted: with less of it, reading files again takes longer` : undefined)],
]

/** Why the numbers may be wrong. */
export const warningsOf = (need: Need): Warning[] => RULES.flatMap(([code, says]) => { const text = says(need); return text === undefined ? [] : [{ code, text }] })

export function recommend(need: Need): Recommendation {
  const { percent, why } = headroomOf(need), { p99Bytes, p95Bytes, needPeakBytes, topBytes } = need
  // A percentile is up to 1 % too high, the peak is not.
  const limitBytes = roundUp(needPeakBytes * (1 + percent / 100)), requestBytes = Math.min(limitBytes, roundUp(Math.min(p99Bytes, needPeakBytes)))
  const how = need.exactness === 'sampled' ? 'highest sampled' : 'exact peak'
  return {
    requestBytes, limitBytes, headroomPercent: percent, warnings: warningsOf(need),
    reasons: [
      `request ${formatBytes(requestBytes)}: in 99 % of the seconds its highest working set was at most ${formatBytes(Math.min(p99Bytes, needPeakBytes))}, in 95 % at most ${formatBytes(Math.min(p95Bytes, needPeakBytes))}`,
      `limit ${formatBytes(limitBytes)}: ${how} ${formatBytes(needPeakBytes)} without inactive file cache, and ${percent} % head room${why.length === 0 ? '' : ` because ${why.join(', ')}`}`,
      ...(topBytes === undefined ? [] : [`kubectl top never showed more than ${formatBytes(topBytes)}`]),
    ],
  }
}
