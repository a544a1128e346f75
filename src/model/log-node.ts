/** What the kernel log alone tells of the node it was written on: page size, RAM, swap, release. A recording's own `hello` knows better. */
import type { NodeModel } from './node.ts'
import type { OomReport } from './oom-report.ts'

const CPUSET = 1
const PAGE_SIZES = [4096, 16384, 65536]

/**
 * "Killed process" counts in kB what the task table counts in pages, so their ratio is the page size. Or: page tables are whole pages,
 * and three processes of which none has a multiple of 16 KiB leave only 4 KiB.
 */
function pageBytesIn(report: OomReport): number | undefined {
  for (const { tid, anonKb, fileKb, shmemKb } of report.killed) {
    const row = report.tasks.find((task) => task.tid === tid)
    if (row === undefined || row.rssPages < 256) continue
    const ratio = ((anonKb + fileKb + (shmemKb ?? 0)) * 1024) / row.rssPages
    const size = PAGE_SIZES.find((bytes) => ratio > bytes * 0.7 && ratio < bytes * 1.4)
    if (size !== undefined) return size
  }
  const tables = report.tasks.flatMap((task) => (task.pgtablesBytes === undefined ? [] : [task.pgtablesBytes]))
  return tables.some((bytes) => bytes % 16384 !== 0 && bytes % 4096 === 0) ? 4096 : undefined
}

export function pageBytesOf(model: NodeModel, report: OomReport | undefined): number | undefined {
  if (model.hello !== undefined) return model.hello.pageSizeBytes
  if (report === undefined) return undefined
  const found = pageBytesIn(report)
  if (found !== undefined) model.caseBook.log.pageBytes = found
  return found ?? model.caseBook.log.pageBytes
}

export const swapTotalBytesOf = (model: NodeModel): number | undefined =>
  model.hello?.swapTotalBytes ?? (model.caseBook.log.totalSwapKb === undefined ? undefined : model.caseBook.log.totalSwapKb * 1024)

/** totalram_pages() is what the zones manage: present pages less the reserved ones, as show_mem() prints them. */
export function memTotalBytesOf(model: NodeModel, report: OomReport | undefined): number | undefined {
  if (model.hello !== undefined) return model.hello.memTotalBytes
  const pageBytes = pageBytesOf(model, report), ram = report?.nodePages['RAM'], reserved = report?.nodePages['reserved']
  return pageBytes === undefined || ram === undefined || reserved === undefined ? undefined : (ram - reserved) * pageBytes
}

/**
 * What the NUMA nodes have together that a cpuset or a memory policy allowed (constrained_alloc()). The report lists no other nodes,
 * except that of a cpuset it may; nothing when one of them is missing.
 */
export function allowedBytesOf(report: OomReport | undefined): number | undefined {
  if (report === undefined || report.presentKb.size === 0) return undefined
  const allowed = report.decision?.constraint === CPUSET && report.allowedNodes !== undefined ? nodeList(report.allowedNodes) : report.numaNodes
  let kb = 0
  for (const node of allowed ?? []) for (const present of report.presentKb.get(node)?.values() ?? [Number.NaN]) kb += present
  return Number.isNaN(kb) || kb === 0 ? undefined : kb * 1024
}

/** Was this kernel older? Nothing when no witness names it. */
export function isOlder(model: NodeModel, report: OomReport | undefined, than: readonly [number, number]): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(report?.release ?? model.hello?.kernelRelease ?? '')
  if (match === null) return undefined
  const major = Number(match[1]), minor = Number(match[2])
  return major < than[0] || (major === than[0] && minor < than[1])
}

/** `0-1,3` → 0, 1, 3; nothing when it is no list. */
export function nodeList(text: string): Set<number> | undefined {
  const nodes = new Set<number>()
  for (const part of text.split(',')) {
    const [, from, to] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? []
    if (from === undefined) return undefined
    for (let node = Number(from); node <= Number(to ?? from); node += 1) nodes.add(node)
  }
  return nodes
}
