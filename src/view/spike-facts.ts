/** Which spikes are told, each once, and what they were made of: pure functions over the model that every picture of a spike shares. */
import { isSelfTestPath } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { shareOfPhases } from '../model/kubectl-top.ts'
import { sumOfStat } from '../model/rise.ts'
import { LONGEST_SPIKE_NS } from '../model/spike.ts'
import type { Exactness, Makeup, Spike } from '../model/spike.ts'

/** An ancestor's spike is its children's when they rose by this share of it. */
const EXPLAINED = 0.7

const depthOf = (path: string): number => path.split('/').length

/** Deepest first, so that what is below is judged before what is above it. */
function withoutAncestors(spikes: readonly Spike[]): Spike[] {
  const byStart = spikes.toSorted((a, b) => a.startNs - b.startNs), kept = new Set<Spike>(), paths = new Set(byStart.map(({ path }) => path)), inner = new Set<string>()
  for (const path of paths) for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) if (paths.has(path.slice(0, at))) inner.add(path.slice(0, at))
  const reach = LONGEST_SPIKE_NS + 5e9
  const isExplained = (spike: Spike, index: number): boolean => {
    const heights = new Map<string, number>()
    const add = (other: Spike | undefined): void => {
      if (other === undefined || other.endNs < spike.startNs || !kept.has(other) || !other.path.startsWith(`${spike.path}/`)) return
      heights.set(other.path, Math.max(heights.get(other.path) ?? 0, other.peakBytes - other.baseBytes))
    }
    for (let i = index - 1; i >= 0 && spike.startNs - (byStart[i]?.startNs ?? 0) <= reach; i--) add(byStart[i])
    for (let i = index + 1; i < byStart.length && (byStart[i]?.startNs ?? Infinity) <= spike.endNs; i++) add(byStart[i])
    let sum = 0
    for (const height of heights.values()) sum += height
    return sum >= EXPLAINED * (spike.peakBytes - spike.baseBytes)
  }
  const order = byStart.map((spike, index) => ({ spike, index, depth: depthOf(spike.path) })).sort((a, b) => b.depth - a.depth)
  for (const { spike, index } of order) if (!inner.has(spike.path) || !isExplained(spike, index)) kept.add(spike)
  return byStart.filter((spike) => kept.has(spike))
}

/** The spikes themselves stay the same objects, so the choice holds until there is another one. */
const TOLD = new WeakMap<NodeModel, { readonly count: number; readonly spikes: readonly Spike[] }>()

/** Every spike where it happened and nowhere above, oldest first; those of our own self-tests and of cgroups that nobody looks at left out. */
export function toldSpikes(model: NodeModel): readonly Spike[] {
  const { spikes: book, covers } = model, count = book.spikes.length + book.omitted, before = TOLD.get(model)
  if (before?.count === count) return before.spikes
  const spikes = withoutAncestors(book.spikes.filter(({ path }) => !isSelfTestPath(path) && covers?.(path) !== false))
  TOLD.set(model, { count, spikes })
  return spikes
}

export type Composition = { readonly anonBytes?: number; readonly fileBytes?: number; readonly shmemBytes?: number; readonly kernelBytes?: number }

const PARTS = ['anon', 'file', 'shmem', 'kernel'] as const

/** Parts that do not overlap: shmem is counted in file. */
export function compositionOf({ anonBytes, fileBytes, shmemBytes, kernelBytes }: Makeup): Composition {
  const file = fileBytes === undefined ? undefined : Math.max(0, fileBytes - (shmemBytes ?? 0))
  return { ...(anonBytes === undefined ? {} : { anonBytes }), ...(file === undefined ? {} : { fileBytes: file }), ...(shmemBytes === undefined ? {} : { shmemBytes }), ...(kernelBytes === undefined ? {} : { kernelBytes }) }
}

/** memory.stat was read while it lasted, and with what it holds it can only be of the spike. */
export const isSeenInside = ({ statDuring, baseBytes, peakBytes }: Spike): boolean => statDuring !== undefined && sumOfStat(statDuring) >= (baseBytes + peakBytes) / 2

/** What it grew by: `anon`, `file+shmem`; nothing when memory.stat was not read while it lasted, or not before it. */
export function madeOf(spike: Spike): string | undefined {
  if (spike.statDuring === undefined || (spike.statBefore === undefined && spike.baseBytes > 0) || !isSeenInside(spike)) return undefined
  const now = compositionOf(spike.statDuring), before = spike.statBefore === undefined ? {} : compositionOf(spike.statBefore)
  const grown = PARTS.map((part) => ({ part, bytes: (now[`${part}Bytes`] ?? 0) - (before[`${part}Bytes`] ?? 0) })), sum = grown.reduce((all, { bytes }) => all + Math.max(0, bytes), 0)
  const main = grown.filter(({ bytes }) => sum > 0 && bytes >= sum / 5).sort((a, b) => b.bytes - a.bytes)
  return main.length === 0 ? undefined : main.map(({ part }) => part).join('+')
}

export type SpikeSummary = {
  readonly count: number
  readonly workloads: number
  /** How many a look of kubectl top fell into, of those of which it is known. */
  readonly shownByTop: number
  readonly topKnown: number
  /** How many it would show in the mean over all moments at which its looks can fall, at least and at most. */
  readonly expectedShown: { readonly least: number; readonly most: number }
  readonly byExactness: Readonly<Record<Exactness, number>>
  /** Facts were lost during so many. */
  readonly touched: number
  /** Older ones that are no longer kept, of whatever cgroup. */
  readonly omitted: number
}

/** The headline's numbers, of any choice of spikes. */
export function summaryOf(spikes: readonly Spike[], omitted = 0): SpikeSummary {
  const count = (is: (spike: Spike) => boolean): number => spikes.reduce((sum, spike) => sum + (is(spike) ? 1 : 0), 0), sum = (of: (spike: Spike) => number): number => spikes.reduce((all, spike) => all + of(spike), 0)
  return {
    count: spikes.length, workloads: new Set(spikes.map(({ path }) => path)).size, shownByTop: count(({ isShownByTop }) => isShownByTop === true), topKnown: count(({ isShownByTop }) => isShownByTop !== undefined),
    expectedShown: { least: sum(({ leastNs }) => shareOfPhases(leastNs)), most: sum(({ startNs, endNs }) => shareOfPhases(endNs - startNs)) },
    byExactness: { 'exact-height': count(({ exactness }) => exactness === 'exact-height'), 'high-water': count(({ exactness }) => exactness === 'high-water'), sampled: count(({ exactness }) => exactness === 'sampled') },
    touched: count(({ isTouched }) => isTouched), omitted,
  }
}
