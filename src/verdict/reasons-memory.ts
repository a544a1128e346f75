/** Reasons that lie in what the memory was: which kinds of it reclaim cannot give back. */
import { formatBytes } from '../base/bytes.ts'
import type { KillCase } from '../model/case.ts'
import { swapTotalBytesOf } from '../model/log-node.ts'
import type { NodeModel } from '../model/node.ts'
import { compositionSource, percent, shareOf, type ReasonRule } from './reason.ts'

/** Parts from which on a kind of memory explains something. */
const HALF = 0.5, QUARTER = 0.25, TENTH = 0.1

/** Swap may have come after the recording began: then its use tells, or the total that the kernel judged by (mem_cgroup_get_max). */
function mayHaveSwap(model: NodeModel, { limit, totalBytes, nodeSwap }: KillCase): boolean {
  if ((limit?.swapUsageBytes ?? 0) > 0 || (limit?.limitBytes !== undefined && (limit.memcgId ?? 0) > 0 && (totalBytes ?? 0) > limit.limitBytes)) return true
  return (nodeSwap?.totalBytes ?? swapTotalBytesOf(model)) !== 0
}

/** No page of it could have gone to swap: the memcg may not, or the node has none. */
export const anonymous: ReasonRule = ({ model, target }) => {
  const anon = shareOf(target, 'anonBytes')
  if (anon === undefined || anon.share < HALF) return undefined
  const evidence = [{ fact: `anon ${anon.bytes} bytes, ${percent(anon.share)}`, source: compositionSource(target) }]
  if (target.limit?.swapLimitBytes === 0) {
    return { name: 'anonymous-no-swap', text: `${percent(anon.share)} was anonymous memory and the cgroup may not use swap: there was nothing to drop`, evidence: [...evidence, { fact: 'swap limit 0', source: 'limit of the cgroup' }] }
  }
  if (!mayHaveSwap(model, target)) {
    return { name: 'anonymous-no-swap', text: `${percent(anon.share)} was anonymous memory and the node has no swap: there was nothing to drop`, evidence: [...evidence, { fact: 'swap of the node: 0', source: model.hello === undefined ? 'kernel log' : 'recording' }] }
  }
  return { name: 'anonymous', text: `${percent(anon.share)} was anonymous memory, which reclaim can only move to swap`, evidence }
}

export const swapExhausted: ReasonRule = ({ target }) => {
  const { swapLimitBytes: limit, swapUsageBytes: used } = target.limit ?? {}
  if (limit !== undefined && limit > 0 && used !== undefined && used >= limit * 0.98) return { name: 'swap-exhausted', text: `all ${formatBytes(limit)} of its swap were used`, evidence: [{ fact: `swap usage ${used} of ${limit} bytes`, source: 'limit of the cgroup' }] }
  const { nodeSwap } = target
  if (nodeSwap === undefined || nodeSwap.totalBytes === 0 || nodeSwap.freeBytes > nodeSwap.totalBytes * 0.02) return undefined
  return { name: 'swap-exhausted', text: `all ${formatBytes(nodeSwap.totalBytes)} of the node's swap were used`, evidence: [{ fact: `free swap ${nodeSwap.freeBytes} of ${nodeSwap.totalBytes} bytes`, source: 'kernel log' }] }
}

/** Writers to a slow disk at their limit were throttled by kernels before 6.12 and are killed since. */
export const dirtyPages: ReasonRule = ({ target }) => {
  const unwritten = shareOf(target, 'fileDirtyBytes', 'fileWritebackBytes'), anon = shareOf(target, 'anonBytes')
  if (unwritten === undefined || unwritten.share < QUARTER || (anon?.share ?? 1) > HALF) return undefined
  return {
    name: 'dirty-pages', text: `${formatBytes(unwritten.bytes)} of file cache was not yet written to disk: the writer outran the disk, and unwritten pages cannot be dropped`,
    evidence: [{ fact: `dirty and writeback ${unwritten.bytes} bytes, ${percent(unwritten.share)}; anon ${percent(anon?.share ?? 0)}`, source: compositionSource(target) }],
  }
}

export const tmpfs: ReasonRule = ({ target }) => {
  const shmem = shareOf(target, 'shmemBytes')
  if (shmem === undefined || shmem.share < QUARTER) return undefined
  return { name: 'tmpfs', text: `${formatBytes(shmem.bytes)} was shared memory (tmpfs, an emptyDir in memory, shared mappings), which counts like anonymous memory until it is deleted`, evidence: [{ fact: `shmem ${shmem.bytes} bytes, ${percent(shmem.share)}`, source: compositionSource(target) }] }
}

export const kernelMemory: ReasonRule = ({ target }) => {
  const kernel = shareOf(target, 'kernelBytes') ?? shareOf(target, 'slabBytes')
  if (kernel === undefined || kernel.share < QUARTER) return undefined
  const slab = target.composition?.['slabBytes']
  return { name: 'kernel-memory', text: `${formatBytes(kernel.bytes)} was kernel memory of its tasks${slab === undefined ? '' : `, ${formatBytes(slab)} of it slab`}: no process shows it`, evidence: [{ fact: `kernel ${kernel.bytes} bytes, ${percent(kernel.share)}`, source: compositionSource(target) }] }
}

export const sockets: ReasonRule = ({ target }) => {
  const sock = shareOf(target, 'sockBytes')
  if (sock === undefined || sock.share < TENTH) return undefined
  return { name: 'sockets', text: `${formatBytes(sock.bytes)} was in socket buffers: its peers or itself read too slowly`, evidence: [{ fact: `sock ${sock.bytes} bytes, ${percent(sock.share)}`, source: compositionSource(target) }] }
}

/** A fork copies page tables and needs a kernel stack, though it copies no page. */
export const pageTables: ReasonRule = ({ target }) => {
  const tables = shareOf(target, 'pagetablesBytes', 'kernelStackBytes')
  if (tables === undefined || tables.share < TENTH) return undefined
  const count = target.candidates.length + (target.candidatesOmitted ?? 0)
  return { name: 'page-tables', text: `${formatBytes(tables.bytes)} was page tables and kernel stacks${count < 50 ? '' : ` of ${count} processes`}: many processes or very large mappings`, evidence: [{ fact: `page tables and kernel stacks ${tables.bytes} bytes, ${percent(tables.share)}`, source: compositionSource(target) }] }
}
