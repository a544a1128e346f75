/** Makes a spike of a rise that is over, where it was high enough and short enough. */
import { workingSetOf } from './kubectl-top.ts'
import type { Memcg, NodeModel } from './node.ts'
import { SOURCE } from './rise.ts'
import type { Rise } from './rise.ts'
import { keepSpike, leastHeight, limitOver, LONGEST_SPIKE_NS } from './spike.ts'
import type { Exactness, Makeup, Spike } from './spike.ts'
import { awaitPrint, settleBefore } from './spike-waits.ts'

type Ended = { readonly rise: Rise; readonly baseBytes: number; readonly startNs: number; readonly endNs: number; readonly leastNs: number; readonly ended: Spike['ended'] }

function exactnessOf({ peakSource, isCovered, isTouched }: Rise): Exactness {
  if (peakSource === SOURCE.highWater) return 'high-water'
  return peakSource === SOURCE.window && isCovered && !isTouched ? 'exact-height' : 'sampled'
}

/** Of the working set over the same base, because the base may hold file cache that the kubelet does not count. */
function isShown({ rise, baseBytes }: Ended, memcg: Memcg): boolean | undefined {
  const inactive = rise.statBefore?.inactiveFileBytes ?? memcg.stat?.inactiveFileBytes
  if (Number.isNaN(rise.topDuringBytes)) return inactive === undefined ? undefined : false
  return rise.topDuringBytes >= workingSetOf(baseBytes, inactive) + (rise.peakBytes - baseBytes) / 2
}

const makeupOf = (stat: Rise['statBefore']): Makeup | undefined =>
  stat === undefined ? undefined : { tsNs: stat.tsNs, anonBytes: stat.anonBytes, fileBytes: stat.fileBytes, shmemBytes: stat.shmemBytes, kernelBytes: stat.kernelBytes }

/** Keeps it when it is one. */
export function tell(model: NodeModel, memcg: Memcg, ended: Ended): void {
  const { rise, baseBytes, startNs, endNs } = ended, { watch } = memcg, leastNs = Number.isNaN(ended.leastNs) ? 0 : ended.leastNs
  if (rise.peakBytes - baseBytes < leastHeight(memcg.limits?.maxBytes, baseBytes) || leastNs > LONGEST_SPIKE_NS || watch === undefined) return
  // What is waited from here on is this one's, not that of one that was over before.
  settleBefore(model.spikes.waits, { memcg, tsNs: startNs }, model)
  const spike: Spike = {
    memcgId: memcg.id, path: memcg.path, startNs, endNs, leastNs, baseBytes, peakBytes: rise.peakBytes, exactness: exactnessOf(rise), limit: limitOver(model, memcg), statBefore: makeupOf(rise.statBefore), statDuring: makeupOf(rise.statDuring),
    stallNs: undefined, kubectlTopBytes: Number.isNaN(rise.topBytes) ? undefined : rise.topBytes, isShownByTop: isShown(ended, memcg), ended: ended.ended, isTouched: rise.isTouched,
  }
  watch.newest = spike
  awaitPrint(model.spikes.waits, { spike, memcg, waitedNs: rise.waitedNs }, model)
  keepSpike(model, spike)
}

/** The top of a rise alone, over what usage fell to since: it stays up, or rises again. */
export function tellTop(model: NodeModel, memcg: Memcg, rise: Rise): void {
  const baseBytes = Math.max(rise.baseBytes, rise.lowAfterBytes), endNs = Number.isNaN(rise.fellNs) ? memcg.watch?.atNs ?? rise.peakFromNs : rise.fellNs
  tell(model, memcg, { rise, baseBytes, startNs: baseBytes > rise.baseBytes ? rise.peakFromNs : rise.startNs, endNs, leastNs: rise.lastTopNs - rise.firstTopNs, ended: 'settled' })
}
