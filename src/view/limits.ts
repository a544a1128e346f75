/** Which limit a workload meets first: every limit from its containers up to the root, and the one that binds. */
import type { Memcg, NodeModel } from '../model/node.ts'

/** One cgroup on the way up, with what it uses and may use; absent = unknown or unlimited. */
export type Level = {
  readonly memcgId: number
  readonly label: string
  /** Where it stands seen from the row: one of its containers, the row's own cgroup, or above it. */
  readonly where: 'container' | 'self' | 'above'
  readonly usedBytes: number | undefined
  readonly maxBytes: number | undefined
  readonly highBytes: number | undefined
}

export type Binding = Level & { readonly usedBytes: number; readonly maxBytes: number }

/** Below this share of a limit nothing binds yet and the row shows its own cgroup's limit. */
const BINDS_FROM = 0.8

/** The levels of one row: its containers first, then itself, then its ancestors up to (not including) the root. */
export function levelsOf(labelOf: (memcg: Memcg) => string, model: NodeModel, row: { readonly self: Memcg; readonly containers: readonly Memcg[] }): Level[] {
  const level = (memcg: Memcg, where: Level['where']): Level => ({
    memcgId: memcg.id, where, label: labelOf(memcg),
    usedBytes: memcg.usage?.currentBytes, maxBytes: memcg.limits?.maxBytes, highBytes: memcg.limits?.highBytes,
  })
  const levels = row.containers.filter((memcg) => memcg !== row.self).map((memcg) => level(memcg, 'container'))
  levels.push(level(row.self, 'self'))
  let above = model.memcgs.get(row.self.parentId)
  // 64: cgroup.max.depth is usually unlimited, but a damaged stream could name a memcg its own ancestor.
  for (let depth = 0; above !== undefined && above.path !== '/' && depth < 64; depth++) {
    levels.push(level(above, 'above'))
    above = above.parentId === above.id ? undefined : model.memcgs.get(above.parentId)
  }
  return levels
}

const isLimited = (level: Level): level is Binding => level.usedBytes !== undefined && level.maxBytes !== undefined && level.maxBytes > 0

/** Used share of a limit, 0..1 and more. */
export const shareOf = (binding: Binding): number => binding.usedBytes / binding.maxBytes

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
  const containers = levels.filter((level) => level.where === 'container'), limited = containers.filter(isLimited)
  return limited.length === 1 && containers.length <= 2 ? limited[0] : undefined
}
