/** Would it have lived under another limit? Certain only where the recording can tell; page cache adapts, and programs that size themselves by their limit do. */
import { formatBytes } from '../base/bytes.ts'
import { plural } from '../base/text.ts'
import { ownKillsOf, type Need } from './recommendation.ts'

export type Survival = 'yes' | 'likely' | 'unknown' | 'no'
export type WhatIf = { readonly limitBytes: number; readonly survives: Survival; readonly because: string }

/** Said once for all of them. */
export const ALWAYS_UNKNOWN = 'Not in any recording: programs that size their heap by the limit (JVM, Go with GOMEMLIMIT, Node) would have taken another size, and with less page cache files are read again.'

function judge(need: Need, limitBytes: number, hasSwap: boolean): Omit<WhatIf, 'limitBytes'> {
  const { limitBytes: own, peakBytes, hardPeakBytes, floorBytes, exactness } = need, limit = formatBytes(limitBytes), kills = ownKillsOf(need)
  if (kills > 0 && own !== undefined) {
    if (limitBytes <= own) return { survives: 'no', because: `it did not live under ${formatBytes(own)} either (${plural(kills, 'kill')})` }
    return { survives: 'unknown', because: `it was killed at ${formatBytes(own)}: how much more it wanted is not in the recording` }
  }
  if (need.kills > 0 && !((floorBytes ?? 0) > limitBytes)) return { survives: 'unknown', because: `it was killed with ${formatBytes(peakBytes)} at most${need.killsByOthers > 0 ? ', for a limit that is not its own' : ''}: how much more it wanted is not in the recording` }
  const isLost = need.lostNs > 0 || need.isLossSomewhere, isHeld = own !== undefined && limitBytes > own && (need.atMax ?? 0) > 0
  if (peakBytes <= limitBytes) {
    if (isHeld) return { survives: 'likely', because: `it lived at its own limit of ${formatBytes(own)}, where reclaim held it down` }
    if (exactness === 'sampled') return { survives: 'likely', because: `the highest sampled usage was ${formatBytes(peakBytes)}; between two looks it may have been higher` }
    if (isLost) return { survives: 'likely', because: `the highest usage was ${formatBytes(peakBytes)}, but facts are missing` }
    return { survives: 'yes', because: `its exact peak, page cache and all, was ${formatBytes(peakBytes)}` }
  }
  if (floorBytes !== undefined && floorBytes > limitBytes) {
    const what = `${formatBytes(floorBytes)} of anonymous, shared and kernel memory at one time`
    return hasSwap ? { survives: 'unknown', because: `${what} is more than ${limit}: it depends on how much could have been swapped` } : { survives: 'no', because: `${what}, which nothing gives back without swap, is more than ${limit}` }
  }
  if (hardPeakBytes <= limitBytes && floorBytes !== undefined) return { survives: 'likely', because: `its peak was ${formatBytes(peakBytes)}, but all of it above ${formatBytes(hardPeakBytes)} was file cache that reclaim could have taken` }
  return { survives: 'unknown', because: `its peak was ${formatBytes(peakBytes)}; memory.stat saw ${floorBytes === undefined ? 'nothing of it' : `${formatBytes(floorBytes)} that cannot be given back`}, and what the rest was is not known` }
}

export const whatIf = (need: Need, limitBytes: number, hasSwap: boolean): WhatIf => ({ limitBytes, ...judge(need, limitBytes, hasSwap) })
