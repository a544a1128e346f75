/** Which limit a workload meets first: every limit from its containers up to the root, and the one that binds. */
import type { Memcg } from '../model/node.ts'
import { cellText } from './cell-text.ts'
import type { Population } from './population.ts'

/** One cgroup on the way up, with what it uses and may use; absent = unknown or unlimited. */
export type Level = {
  readonly memcgId: number
  readonly label: string
  /** Where it stands seen from the row: made by one of its containers below itself, one of its containers, the row's own cgroup, or above it. */
  readonly where: 'inside' | 'container' | 'self' | 'above'
  readonly usedBytes: number | undefined
  readonly maxBytes: number | undefined
  readonly highBytes: number | undefined
}

export type Binding = Level & { readonly usedBytes: number; readonly maxBytes: number }

/** Below this share of a limit nothing binds yet and the row shows its own cgroup's limit. */
const BINDS_FROM = 0.8

/** Where the numbers of a level come from. */
export type Link = { readonly memcg: Memcg; readonly where: Level['where']; readonly label: string }

/** The levels of one row: its containers (and what they made) first, then itself, then its ancestors up to (not including) the root. */
export function chainOf({ model, labelOf }: Population, self: Memcg, containers: readonly Memcg[] = []): Link[] {
  const ids = new Set(containers.map(({ id }) => id)), isInside = ({ parentId }: Memcg): boolean => ids.has(parentId)
  const chain: Link[] = containers.filter((memcg) => memcg !== self).map((memcg) => (isInside(memcg) ? { memcg, where: 'inside', label: cellText(memcg.path.slice(memcg.path.lastIndexOf('/') + 1)) } : { memcg, where: 'container', label: labelOf(memcg) }))
  chain.push({ memcg: self, where: 'self', label: labelOf(self) })
  let above = model.memcgs.get(self.parentId)
  // 64: cgroup.max.depth is usually unlimited, but a damaged stream could name a memcg its own ancestor.
  for (let depth = 0; above !== undefined && above.path !== '/' && depth < 64; depth++) {
    chain.push({ memcg: above, where: 'above', label: labelOf(above) })
    above = above.parentId === above.id ? undefined : model.memcgs.get(above.parentId)
  }
  return chain
}

export const levelsOf = (chain: readonly Link[]): Level[] => chain.map(({ memcg: { id, usage, limits }, where, label }) =>
  ({ memcgId: id, label, where, usedBytes: usage?.currentBytes, maxBytes: limits?.maxBytes, highBytes: limits?.highBytes }))

const isLimited = (level: Level): level is Binding => level.usedBytes !== undefined && level.maxBytes !== undefined && level.maxBytes > 0

/** Below the row's own cgroup. */
export const isWithin = ({ where }: Level): boolean => where === 'container' || where === 'inside'

/** Used share of a limit, 0..1 and more. */
export const shareOf = (binding: Binding): number => binding.usedBytes / binding.maxBytes

/** Limits of the row's own and of its containers: several containers' limits bind none of the whole. */
export const limitsWithin = (levels: readonly Level[]): number => levels.reduce((count, level) => count + (level.where !== 'above' && level.maxBytes !== undefined ? 1 : 0), 0)

/**
 * The fullest level once it is at least four fifths full (the innermost of equals); before that the row's own limit,
 * or its only container's. Nothing when none of these exists: then the row has no limit of its own.
 */
export function bindingOf(levels: readonly Level[]): Binding | undefined {
  let fullest: Binding | undefined
  for (const level of levels) if (isLimited(level) && (fullest === undefined || shareOf(level) > shareOf(fullest) + 0.005)) fullest = level
  if (fullest !== undefined && shareOf(fullest) >= BINDS_FROM) return fullest
  const self = levels.find((level) => level.where === 'self')
  if (self !== undefined && isLimited(self)) return self
  let containers = 0, limited = 0, only: Binding | undefined
  for (const level of levels) {
    if (level.where !== 'container') continue
    containers += 1
    if (isLimited(level)) { limited += 1; only = level }
  }
  return limited === 1 && containers <= 2 ? only : undefined
}

/** The limit that binds, else the workload's own; a workload without a limit dies with the node, which has a page. */
export const holderOf = ({ binding, levels }: { readonly binding: Binding | undefined; readonly levels: readonly Level[] }): Level | undefined =>
  binding ?? levels.find((level) => !isWithin(level) && level.maxBytes !== undefined)
