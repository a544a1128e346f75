/** Reads one memcg's rows of usage for spikes, whatever their rhythm. Looks allocate nothing; memory per memcg is bounded. See spike.ts for what a spike is. */
import type { EventOf } from '../event/event.ts'
import { topSlotOf, workingSetOf } from './kubectl-top.ts'
import type { Memcg, NodeModel } from './node.ts'
import { endByStream, noteLook, see, settle, stand } from './rise-stack.ts'
import { newWatch, noteStat, SOURCE } from './rise.ts'
import type { Rise, SpikeWatch } from './rise.ts'
import { dropWaits, settleDue } from './spike-waits.ts'

/**
 * A quiet memcg is looked at this often, and its high-water mark read, unless the budget of sampling made it rarer; a busy node may make a turn
 * late by as much again. Rows come only when something changed, so the row before tells nothing of the last look.
 */
const LOOK_NS = 1e9
const lookNs = (model: NodeModel): number => 2 * Math.max(LOOK_NS, model.health.sampling?.slowPeriodNs ?? 0)

/** A memcg that was born while the stream ran began at zero; of any other the first row is only where it stands. */
function begin(model: NodeModel, memcg: Memcg, event: EventOf<'memcg_usage'>): SpikeWatch | undefined {
  const isNew = model.hello !== undefined && memcg.bornNs > model.hello.tsNs + LOOK_NS && event.tsNs - memcg.bornNs < LOOK_NS
  memcg.watch = isNew ? newWatch(memcg.bornNs, 0) : newWatch(event.tsNs, event.currentBytes)
  memcg.watch.lastPeakBytes = isNew ? 0 : event.peakBytes
  return isNew ? memcg.watch : undefined
}

/** One row of usage. Hot. */
export function watchUsage(model: NodeModel, memcg: Memcg, event: EventOf<'memcg_usage'>): void {
  // All memory of the node; what stands out there stands out below.
  if (memcg.path === '/') return
  const watch = memcg.watch ?? begin(model, memcg, event)
  if (watch === undefined) return
  const { currentBytes, peakBytes, windowPeakBytes, windowNs } = event, isWindowed = windowPeakBytes !== undefined && windowNs !== undefined
  // A keyframe repeats what was sent before: no look.
  if (watch.hasWindows && windowPeakBytes === undefined && currentBytes === watch.lastBytes && peakBytes === watch.lastPeakBytes) return
  lookOfTop(memcg, watch, event.tsNs)
  watch.atNs = Math.max(event.tsNs, watch.lastNs)
  watch.fromNs = isWindowed ? event.tsNs - windowNs : Math.max(watch.lastNs, event.tsNs - lookNs(model))
  watch.isTouched = model.gaps.newestNs > watch.lastNs
  // The descriptor was read for the rows that are lost: of their time only they knew.
  const isExact = isWindowed && !watch.isTouched, mark = risenMark(watch, peakBytes), torn = isWindowed ? undefined : windowPeakBytes
  const isTorn = torn !== undefined && torn > (mark ?? 0), between = isWindowed ? windowPeakBytes : isTorn ? torn : mark
  if (watch.isTouched || !isWindowed) uncover(watch)
  if (!watch.isTouched) stand(watch)
  settle(model, memcg)
  if (between !== undefined && between > currentBytes && between > watch.lastBytes) {
    watch.source = isExact ? SOURCE.window : isWindowed || isTorn ? SOURCE.sampled : SOURCE.highWater
    if (isWindowed || isTorn || !amendNewest(model, watch, between)) {
      if (!isWindowed) watch.fromNs = Math.min(watch.fromNs, Math.max(memcg.bornNs, event.tsNs - lookNs(model)))
      see(model, memcg, between)
    }
  }
  watch.source = isExact ? SOURCE.window : !isWindowed && !isTorn && between === currentBytes ? SOURCE.highWater : SOURCE.sampled
  see(model, memcg, currentBytes)
  noteLook(memcg, watch, currentBytes)
  watch.isWindowed = isWindowed
  watch.hasWindows ||= isWindowed
  watch.lastNs = watch.atNs
  watch.lastBytes = currentBytes
  watch.lastPeakBytes = peakBytes
}

/** The high-water mark, when it has risen since the row before. */
const risenMark = (watch: SpikeWatch, peakBytes: number | undefined): number | undefined =>
  peakBytes !== undefined && watch.lastPeakBytes !== undefined && peakBytes > watch.lastPeakBytes ? peakBytes : undefined

function uncover(watch: SpikeWatch): void {
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise
    rise.isCovered = false
    if (watch.isTouched) rise.isTouched = true
  }
}

/** The mark is read up to a slow look late: a spike that has just ended was higher than the looks saw. */
function amendNewest(model: NodeModel, { newest, depth, rises, atNs }: SpikeWatch, markBytes: number): boolean {
  // What stands high now, and is more than the level that all of it stands on, was higher itself.
  const isHigh = depth > 0 && rises[depth - 1]?.isLevel === false
  if (isHigh || newest === undefined || newest.endNs < atNs - lookNs(model) || newest.exactness === 'exact-height' || newest.peakBytes >= markBytes) return false
  newest.peakBytes = markBytes
  newest.exactness = 'high-water'
  return true
}

/** Whenever a look of kubectl top has passed: it found what the row before told. */
function lookOfTop({ stat }: Memcg, watch: SpikeWatch, tsNs: number): void {
  const slot = topSlotOf(tsNs)
  if (slot <= watch.topSlot) return
  watch.topSlot = slot
  watch.topBytes = workingSetOf(watch.lastBytes, stat?.inactiveFileBytes)
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise
    if (!(rise.topBytes >= watch.topBytes)) rise.topBytes = watch.topBytes
    if (!(rise.topDuringBytes >= watch.topBytes)) rise.topDuringBytes = watch.topBytes
  }
}

/** memory.stat was read. */
export function watchStat({ watch }: Memcg, stat: EventOf<'memcg_stat'>): void {
  if (watch === undefined) return
  for (let i = 0; i < watch.depth; i++) noteStat(watch.rises[i] as Rise, stat)
}

/** The stream is over; where the print of its second never came, a spike's wait is not known. */
export function endWatches(model: NodeModel): void {
  for (const memcg of model.memcgs.values()) if (memcg.diedNs === undefined) endByStream(model, memcg)
  settleDue(model.spikes.waits, model)
  dropWaits(model.spikes.waits)
}
