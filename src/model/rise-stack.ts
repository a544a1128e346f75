/** The rises of one memcg, the outermost first, each higher than where the one around it stood: pushed, raised and ended by one value after another. */
import { sampleAt } from './earlier.ts'
import type { Memcg, NodeModel } from './node.ts'
import { newRise, noteStat, SOURCE } from './rise.ts'
import type { Rise, SpikeWatch } from './rise.ts'
import { tell, tellTop } from './spike-tell.ts'
import { leastFall, leastHeight, LONGEST_SPIKE_NS } from './spike.ts'

/** Rises within rises that are kept apart. */
const MAX_DEPTH = 4
/** Usage that stays this long within the least height is a level. */
const SETTLED_NS = 1e9

/** One value, by a look or between two. */
export function see(model: NodeModel, memcg: Memcg, bytes: number): void {
  const { watch, limits } = memcg
  if (watch === undefined) return
  fall(model, memcg, bytes)
  const top = watch.rises[watch.depth - 1], isRisen = bytes - watch.lowBytes >= leastHeight(limits?.maxBytes, watch.lowBytes)
  if (watch.depth === 0 || top === undefined) {
    if (isRisen) push(memcg, watch, bytes)
    else watch.lowBytes = Math.min(watch.lowBytes, bytes)
  } else if (isRisen && watch.depth < MAX_DEPTH && (top.isLevel || bytes <= top.peakBytes)) push(memcg, watch, bytes)
  // Above a level, and not clearly: it drifts, or is on its way down from a spike. It is a level of its own when it has settled.
  else if (bytes > top.peakBytes && !top.isLevel) climb(model, memcg, bytes)
  else watch.lowBytes = Math.min(watch.lowBytes, bytes)
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise
    rise.lowAfterBytes = Math.min(rise.lowAfterBytes, bytes)
  }
}

function push(memcg: Memcg, watch: SpikeWatch, bytes: number): void {
  const rise = (watch.rises[watch.depth] ??= newRise()), { stat } = memcg
  watch.depth += 1
  rise.baseBytes = watch.lowBytes
  rise.startNs = watch.fromNs
  rise.roseNs = watch.atNs
  rise.firstAboveNs = rise.lastAboveNs = Number.NaN
  rise.isCovered = watch.source === SOURCE.window
  rise.isTouched = watch.isTouched
  rise.isLevel = false
  rise.topBytes = watch.topBytes
  rise.topDuringBytes = Number.NaN
  rise.waitedNs = memcg.waitedNs ?? 0
  rise.statBefore = sampleAt(stat, memcg.earlierStat, watch.fromNs)
  rise.statDuring = undefined
  setPeak(watch, rise, bytes)
  if (stat !== undefined) noteStat(rise, stat)
  watch.lowBytes = bytes
}

function setPeak(watch: SpikeWatch, rise: Rise, bytes: number): void {
  rise.peakBytes = bytes
  rise.peakSource = watch.source
  rise.peakFromNs = watch.fromNs
  rise.firstTopNs = rise.lastTopNs = rise.fellNs = Number.NaN
  rise.lowAfterBytes = bytes
}

/** Higher than the innermost rise: that is what goes on, and rises around it that are lower have had their maximum. */
function climb(model: NodeModel, memcg: Memcg, bytes: number): void {
  const { watch } = memcg
  if (watch === undefined) return
  for (;;) {
    const inner = watch.rises[watch.depth - 1], outer = watch.rises[watch.depth - 2]
    if (inner === undefined || watch.depth < 1) return
    if (watch.depth < 2 || outer === undefined || outer.isLevel || bytes <= outer.peakBytes) {
      setPeak(watch, inner, bytes)
      watch.lowBytes = bytes
      return
    }
    tellTop(model, memcg, outer)
    watch.depth -= 1
  }
}

/** Ends every rise of which usage has fallen by half and by what counts. What one value ends together was one, on its way up in steps. */
function fall(model: NodeModel, memcg: Memcg, bytes: number): void {
  const { watch, limits } = memcg
  const hasFallen = ({ peakBytes, baseBytes }: Rise): boolean => bytes <= peakBytes - Math.max(leastFall(limits?.maxBytes, baseBytes), (peakBytes - baseBytes) / 2)
  while (watch !== undefined && watch.depth > 0) {
    const rise = watch.rises[watch.depth - 1] as Rise
    if (!hasFallen(rise)) return
    watch.depth -= 1
    watch.lowBytes = bytes
    const outer = watch.depth > 0 ? watch.rises[watch.depth - 1] : undefined
    if (outer !== undefined && hasFallen(outer)) absorb(outer, rise)
    else tellWhole(model, memcg, rise, 'fell')
  }
}

/** The inner one was the top of it; what the looks noted meanwhile they noted of both. */
function absorb(outer: Rise, inner: Rise): void {
  if (inner.peakBytes <= outer.peakBytes) return
  outer.peakBytes = inner.peakBytes
  outer.peakSource = inner.peakSource
  outer.peakFromNs = inner.peakFromNs
}

/** All of it, over its own base. */
function tellWhole(model: NodeModel, memcg: Memcg, rise: Rise, ended: 'fell' | 'died'): void {
  const { baseBytes, startNs, firstAboveNs, lastAboveNs } = rise
  tell(model, memcg, { rise, baseBytes, startNs, endNs: memcg.watch?.atNs ?? startNs, leastNs: lastAboveNs - firstAboveNs, ended })
}

/** Before a look: as rows come only when something changed, what the last look saw stood until the look before this one. */
export function stand(watch: SpikeWatch): void {
  const untilNs = Math.max(watch.fromNs, watch.lastNs)
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise
    if (rise.lastAboveNs === watch.lastNs) rise.lastAboveNs = untilNs
    if (rise.lastTopNs === watch.lastNs) rise.lastTopNs = untilNs
  }
}

/** After each look: who still stands high, what has settled, what is too old to be a spike. */
export function noteLook(memcg: Memcg, watch: SpikeWatch, bytes: number): void {
  const { limits } = memcg
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise, least = leastHeight(limits?.maxBytes, rise.baseBytes)
    if (bytes >= rise.baseBytes + least) {
      if (Number.isNaN(rise.firstAboveNs)) rise.firstAboveNs = watch.atNs
      rise.lastAboveNs = watch.atNs
    }
    if (bytes > rise.peakBytes - least && Number.isNaN(rise.fellNs)) {
      if (Number.isNaN(rise.firstTopNs)) rise.firstTopNs = watch.atNs
      rise.lastTopNs = watch.atNs
    } else if (Number.isNaN(rise.fellNs)) rise.fellNs = watch.atNs
  }
  if (Math.abs(bytes - watch.levelBytes) >= leastHeight(limits?.maxBytes, Math.min(bytes, watch.levelBytes))) {
    watch.levelBytes = watch.secondLowBytes = watch.earlierLowBytes = bytes
    watch.levelNs = watch.secondNs = watch.atNs
  }
  watch.secondLowBytes = Math.min(watch.secondLowBytes, bytes)
}

/** Before a look: what has stood still until now is a level, and what rose too long ago is no spike. */
export function settle(model: NodeModel, memcg: Memcg): void {
  const { watch } = memcg
  if (watch === undefined) return
  passSecond(watch)
  if (watch.depth === 0) return
  if (watch.fromNs - watch.levelNs >= SETTLED_NS) level(model, memcg, watch)
  while (watch.depth > 0) {
    const oldest = watch.rises[0] as Rise
    if (watch.fromNs - oldest.startNs <= LONGEST_SPIKE_NS) return
    if (!oldest.isLevel) tellTop(model, memcg, oldest)
    // The slot is used again.
    watch.rises.copyWithin(0, 1, watch.depth)
    watch.depth -= 1
    watch.rises[watch.depth] = oldest
    if (watch.depth === 0) watch.lowBytes = watch.lastBytes
  }
}

/** What the last look saw stood until `fromNs`. */
function passSecond(watch: SpikeWatch): void {
  const { fromNs, lastNs, lastBytes } = watch
  if (fromNs - watch.secondNs < SETTLED_NS) return
  watch.earlierLowBytes = fromNs - lastNs >= SETTLED_NS ? lastBytes : watch.secondLowBytes
  watch.secondLowBytes = lastBytes
  watch.secondNs = fromNs
}

function level(model: NodeModel, memcg: Memcg, watch: SpikeWatch): void {
  // What has stood still may have been below it, and near enough not to count as another level.
  if (watch.fromNs - (watch.rises[watch.depth - 1] as Rise).roseNs < SETTLED_NS) return
  for (let i = 0; i < watch.depth; i++) {
    const rise = watch.rises[i] as Rise
    const hasDrifted = rise.isLevel && watch.lastBytes > rise.peakBytes && i === watch.depth - 1
    if (!rise.isLevel) tellTop(model, memcg, rise)
    if (!hasDrifted && (rise.isLevel || rise.peakBytes - watch.lastBytes < leastHeight(memcg.limits?.maxBytes, watch.lastBytes))) { rise.isLevel = true; continue }
    rise.isLevel = true
    rise.peakBytes = rise.lowAfterBytes = watch.lastBytes
    rise.peakSource = watch.isWindowed ? SOURCE.window : SOURCE.sampled
    rise.firstTopNs = rise.lastTopNs = rise.fellNs = Number.NaN
  }
  // Not where usage was at the last look, which may have been on its way up.
  watch.lowBytes = Math.min(watch.earlierLowBytes, watch.secondLowBytes)
}

/** The memcg is gone: whatever stood high ended with it. */
export function endByDeath(model: NodeModel, memcg: Memcg, tsNs: number): void {
  const { watch } = memcg
  if (watch === undefined) return
  watch.fromNs = watch.atNs = Math.max(tsNs, watch.lastNs)
  settle(model, memcg)
  for (; watch.depth > 1; watch.depth -= 1) absorb(watch.rises[watch.depth - 2] as Rise, watch.rises[watch.depth - 1] as Rise)
  const rise = watch.rises[0]
  if (watch.depth === 0 || rise === undefined) return
  watch.depth = 0
  tellWhole(model, memcg, rise, 'died')
}

/** The stream is over: of what still stands high, only what already fell is known. */
export function endByStream(model: NodeModel, memcg: Memcg): void {
  const { watch } = memcg
  if (watch === undefined) return
  for (; watch.depth > 0; watch.depth -= 1) {
    const rise = watch.rises[watch.depth - 1] as Rise
    if (!rise.isLevel) tellTop(model, memcg, rise)
  }
}
