/** Time to the limit that growth meets first: a robust slope over the last half minute, told only when it means something. */
import type { Memcg, NodeModel } from '../model/node.ts'
import { secondOf } from '../model/rates.ts'
import type { Level } from './limits.ts'
import { robustSlope, SLOPE_SECONDS } from './slope.ts'
import { fillUsage } from './window.ts'

/** Slower growth is noise. */
const LEAST_GROWTH_BYTES = 64 * 1024, LEAST_RISE_BYTES = 10 * LEAST_GROWTH_BYTES
/** Nearly all pairs of seconds must grow, and half of the seconds lie this near to the line (as a share of the whole growth). */
const AGREEMENT = 0.85, SCATTER = 0.15
/** Beyond an hour nothing goes on as it did for half a minute. */
const LONGEST_S = 3600
/** More of the growth than this is file cache: reclaim takes it back at the limit, and nothing happens. */
const MOSTLY_CACHE = 0.5
/** Filled anew for each. */
const USAGE = new Float64Array(SLOPE_SECONDS)

export type Forecast = { readonly level: Level; readonly growthBytesPerS: number; readonly secondsToLimit: number }

/** Most stand still, and this is asked of every one in every scene: the series and its pairs are for those that do not. */
function mayGrow({ history, usage }: Memcg, lastSecond: number): boolean {
  if (usage === undefined) return false
  for (let second = lastSecond - SLOPE_SECONDS + 1; second <= lastSecond; second++) {
    const first = secondOf(history.usageBytes, history.newestSecond, second)
    if (!Number.isNaN(first)) return usage.currentBytes - first >= LEAST_RISE_BYTES
  }
  return false
}

/** Its steady growth, without what is only file cache; nothing when there is none worth telling. */
export function growthOf(memcg: Memcg, lastSecond: number): number | undefined {
  if (!mayGrow(memcg, lastSecond)) return undefined
  fillUsage(memcg.history, lastSecond, USAGE)
  const slope = robustSlope(USAGE)
  if (slope === undefined || slope.perSecond < LEAST_GROWTH_BYTES || slope.agreement < AGREEMENT || slope.scatter > SCATTER) return undefined
  return cacheGrowth(memcg) > MOSTLY_CACHE * slope.perSecond ? undefined : slope.perSecond
}

/** File cache without shared memory, bytes a second between the oldest kept reading of memory.stat and the newest. */
function cacheGrowth({ stat, earlierStat }: Memcg): number {
  const [before] = earlierStat ?? []
  if (stat === undefined || before === undefined || stat.tsNs <= before.tsNs) return 0
  const cache = (of: typeof stat): number => (of.fileBytes ?? 0) - (of.shmemBytes ?? 0)
  return (cache(stat) - cache(before)) / ((stat.tsNs - before.tsNs) / 1e9)
}

/** The limit on the way up that is met first if every level goes on growing as it does. */
export function forecastOf(model: NodeModel, levels: readonly Level[], growth: (memcg: Memcg) => number | undefined): Forecast | undefined {
  let soonest: Forecast | undefined
  for (const level of levels) {
    const memcg = model.memcgs.get(level.memcgId)
    if (memcg === undefined || level.maxBytes === undefined || level.usedBytes === undefined) continue
    const growthBytesPerS = growth(memcg)
    if (growthBytesPerS === undefined) continue
    const secondsToLimit = Math.max(0, level.maxBytes - level.usedBytes) / growthBytesPerS
    if (secondsToLimit <= LONGEST_S && (soonest === undefined || secondsToLimit < soonest.secondsToLimit)) soonest = { level, growthBytesPerS, secondsToLimit }
  }
  return soonest
}
