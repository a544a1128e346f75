/** The numbers of a report: memory.stat of the limit holder in its three printed forms, and the node's pages. */
import type { KernelLine } from './kernel-log.ts'

const STAT = /^([a-z][a-z0-9_]*) (\d+)$/
/** A file larger than this is not memory.stat. */
const MAX_STATS = 200

/**
 * One or more "name value" lines. Until 6.3 the whole file is one record of many lines (mem_cgroup_print_oom_meminfo, pr_info("%s", buf)),
 * which printk cuts at about 1 KiB: the last piece counts only if it is complete, and a cut number cannot be told from a whole one.
 */
export function parseStats(text: string): KernelLine | undefined {
  const pieces = text.split('\\x0a'), stats: Record<string, number> = {}
  const whole = pieces.length === 1 || pieces.at(-1) === '' ? pieces.filter((piece) => piece !== '') : pieces.slice(0, -1)
  for (const piece of whole.slice(0, MAX_STATS)) {
    const match = STAT.exec(piece.trim())
    if (match?.[1] === undefined) return undefined
    stats[match[1]] ??= Number(match[2])
  }
  return { is: 'stats', stats }
}

/** "cache:0KB rss:1234KB …" of kernels before 5.2, in bytes. */
export function parseStatsLine(text: string): Record<string, number> {
  const stats: Record<string, number> = {}
  for (const [, name = '', kb] of text.matchAll(/([a-z_]+):(\d+)KB/g)) stats[name] ??= Number(kb) * 1024
  return stats
}

/** "active_anon:32 inactive_anon:190233 …" (several lines in one record) and "262016 pages RAM". */
export function parseNodePages(text: string): KernelLine | undefined {
  const counted = /^(\d+) pages (RAM|reserved)$/.exec(text)
  if (counted?.[2] !== undefined) return { is: 'node-pages', pages: { [counted[2]]: Number(counted[1]) } }
  const pages: Record<string, number> = {}
  for (const piece of text.split('\\x0a')) {
    if (!/^ *(?:[a-z_]+:\d+ ?)+$/.test(piece)) continue
    for (const [, name = '', count] of piece.matchAll(/([a-z_]+):(\d+)/g)) pages[name] ??= Number(count)
  }
  return Object.keys(pages).length === 0 ? undefined : { is: 'node-pages', pages }
}
