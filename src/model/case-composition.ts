/** What the limit was filled with, in one set of names: memory.stat of v2 and v1, the log's older lines, and the node's own pages. */
import type { EventOf } from '../event/event.ts'
import type { KillCase } from './case.ts'
import type { NodeModel } from './node.ts'
import type { OomReport } from './oom-report.ts'

/** Names in the kernel log: v2 as in memory.stat, v1 with total_ for the subtree (since 5.2), and without it where each memcg has a line of its own. */
const LOG_STATS: Readonly<Record<string, readonly string[]>> = {
  anonBytes: ['anon', 'total_rss', 'rss'], fileBytes: ['file', 'total_cache', 'cache'], shmemBytes: ['shmem', 'total_shmem'], fileDirtyBytes: ['file_dirty', 'total_dirty', 'dirty'],
  fileWritebackBytes: ['file_writeback', 'total_writeback', 'writeback'], slabBytes: ['slab'], kernelBytes: ['kernel'], sockBytes: ['sock'], pagetablesBytes: ['pagetables'],
  kernelStackBytes: ['kernel_stack'], anonThpBytes: ['anon_thp', 'total_rss_huge', 'rss_huge'], swapBytes: ['total_swap', 'swap'],
  inactiveFileBytes: ['total_inactive_file', 'inactive_file'],
}

/** Names of show_mem(), in pages. */
const NODE_PAGES: Readonly<Record<string, readonly string[]>> = {
  anonBytes: ['active_anon', 'inactive_anon'], fileBytes: ['active_file', 'inactive_file'], shmemBytes: ['shmem'], fileDirtyBytes: ['dirty'], fileWritebackBytes: ['writeback'],
  slabBytes: ['slab_reclaimable', 'slab_unreclaimable'], pagetablesBytes: ['pagetables'], unevictableBytes: ['unevictable'], inactiveFileBytes: ['inactive_file'], freeBytes: ['free'],
}

/** The kernel's own account at the decision; nothing when the log has none. */
export function loggedComposition(report: OomReport, pageBytes: number | undefined): Record<string, number> | undefined {
  const parts: Record<string, number> = {}
  for (const [name, keys] of Object.entries(LOG_STATS)) {
    const key = keys.find((wanted) => report.stats[wanted] !== undefined)
    if (key !== undefined) parts[name] = report.stats[key] ?? 0
  }
  // One account or the other: the node's pages are printed only when the node ran out.
  if (Object.keys(parts).length === 0 && pageBytes !== undefined) {
    for (const [name, keys] of Object.entries(NODE_PAGES)) {
      const counts = keys.flatMap((key) => report.nodePages[key] ?? [])
      if (counts.length === keys.length) parts[name] = counts.reduce((sum, count) => sum + count, 0) * pageBytes
    }
  }
  return Object.keys(parts).length === 0 ? undefined : parts
}

export function sampledComposition(stat: EventOf<'memcg_stat'>): Record<string, number> {
  const slab = stat.slabReclaimableBytes === undefined && stat.slabUnreclaimableBytes === undefined ? undefined : (stat.slabReclaimableBytes ?? 0) + (stat.slabUnreclaimableBytes ?? 0)
  const parts: Record<string, number> = {}, sampled = {
    anonBytes: stat.anonBytes, fileBytes: stat.fileBytes, shmemBytes: stat.shmemBytes, fileDirtyBytes: stat.fileDirtyBytes, fileWritebackBytes: stat.fileWritebackBytes,
    slabBytes: slab, kernelBytes: stat.kernelBytes, sockBytes: stat.sockBytes, pagetablesBytes: stat.pagetablesBytes, kernelStackBytes: stat.kernelStackBytes, anonThpBytes: stat.anonThpBytes,
    inactiveFileBytes: stat.inactiveFileBytes,
  }
  for (const [name, value] of Object.entries(sampled)) if (value !== undefined) parts[name] = value
  return parts
}

/** Until 5.1 the log has one line for each memcg below the limit: who used how much, largest first. */
export function loggedContributors(model: NodeModel, report: OomReport): KillCase['contributors'] {
  const used = [...report.memcgs].map(([path, stats]) => ({ path, bytes: (stats['rss'] ?? 0) + (stats['cache'] ?? 0) })).filter(({ bytes }) => bytes > 0)
  const ids = new Map([...model.memcgs.values()].map((memcg) => [memcg.path, memcg.id]))
  return used.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).map(({ path, bytes }) => {
    const memcgId = ids.get(path)
    return memcgId === undefined ? { path, bytes } : { path, memcgId, bytes }
  })
}
