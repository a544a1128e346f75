/** What the memory of a workload consists of, and what of it reclaim could take: parts of memory.stat with the kernel's own bounds, estimates marked. */
import type { Memcg, NodeModel } from '../model/node.ts'
import { sumOver } from '../model/rates.ts'
import { bytesCell, countCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { THRASH_PER_S } from './stall-detail.ts'

export type CompositionPart = { readonly label: string; readonly bytes: number; readonly share: number; readonly note: string }
/** `more` where there is room for it. */
export type CompositionFact = { readonly text: string; readonly more: string; readonly tone: DetailLine['tone'] }
export type Composition = { readonly title: string; readonly parts: readonly CompositionPart[]; /** What they come to, most important first. */ readonly facts: readonly CompositionFact[] }

type Stat = NonNullable<Memcg['stat']>

/** Where anonymous memory cannot go to swap: the node has none, it is full, or a limit on the way up leaves none. Nothing where it can, or where that is not known. */
function swapNote(model: NodeModel, self: Memcg): string {
  const total = model.memory?.swapTotalBytes ?? model.hello?.swapTotalBytes, isV1 = model.hello?.memcgVersion === 'v1'
  if (total === 0) return 'no swap'
  let memcg: Memcg | undefined = self
  for (let depth = 0; memcg !== undefined && depth < 64; depth++) {
    const { maxBytes, swapMaxBytes } = memcg.limits ?? {}
    // v1 limits memory and swap together (memory.memsw).
    if (swapMaxBytes !== undefined && (isV1 ? maxBytes !== undefined && swapMaxBytes <= maxBytes : swapMaxBytes === 0)) return 'no swap'
    memcg = memcg.parentId === memcg.id ? undefined : model.memcgs.get(memcg.parentId)
  }
  return total !== undefined && model.memory?.swapFreeBytes === 0 ? 'swap is full' : ''
}

const sumKnown = (...all: readonly (number | undefined)[]): number | undefined => (all.every((bytes) => bytes === undefined) ? undefined : all.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0))

/** Parts that do not overlap come first; of the file cache, what reclaim takes first and what it must write before. */
function partsOf(model: NodeModel, self: Memcg, stat: Stat): CompositionPart[] {
  const slab = (stat.slabReclaimableBytes ?? 0) + (stat.slabUnreclaimableBytes ?? 0)
  // memory.stat's `kernel` holds slab, stacks, page tables and per-cpu memory; older kernels name the parts only.
  const kernel = stat.kernelBytes === undefined ? sumKnown(stat.kernelStackBytes, stat.pagetablesBytes) : Math.max(0, stat.kernelBytes - slab)
  const parts: readonly (readonly [string, number | undefined, string])[] = [
    ['anon', stat.anonBytes, swapNote(model, self)], ['file active', stat.activeFileBytes, ''], ['file inactive', stat.inactiveFileBytes, 'goes first'], ['to be written', sumKnown(stat.fileDirtyBytes, stat.fileWritebackBytes), 'of the file cache'], ['shmem', stat.shmemBytes, 'tmpfs'],
    ['slab recl', stat.slabReclaimableBytes, ''], ['slab unrecl', stat.slabUnreclaimableBytes, ''], [slab === 0 ? 'kernel' : 'kernel, other', kernel, ''], ['sockets', stat.sockBytes, ''], ['swapped out', self.usage?.swapBytes, ''],
  ]
  const whole = self.usage?.currentBytes ?? 0
  return parts.flatMap(([label, bytes, note]) => (bytes === undefined || bytes === 0 ? [] : [{ label, bytes, note, share: whole === 0 ? 0 : Math.min(1, bytes / whole) }]))
}

/** A smaller share of the whole will not help. */
const MUCH = 0.05

/** An estimate: what is locked, or in use all the time, stays. What is inactive and clean goes without a write. */
function reclaimableFact({ usage }: Memcg, stat: Stat): CompositionFact[] {
  const file = sumKnown(stat.activeFileBytes, stat.inactiveFileBytes), bytes = (file ?? 0) + (stat.slabReclaimableBytes ?? 0)
  if (file === undefined) return []
  const easily = stat.inactiveFileBytes === undefined ? undefined : Math.max(0, stat.inactiveFileBytes - (stat.fileDirtyBytes ?? 0) - (stat.fileWritebackBytes ?? 0))
  return [{ text: `reclaimable ~${bytesCell(bytes)}`, more: easily === undefined ? '' : `, of it easily ~${bytesCell(easily)}`, tone: bytes >= MUCH * (usage?.currentBytes ?? 0) ? 'advice' : 'plain' }]
}

const REFAULT_SECONDS = 10

function refaultFact(model: NodeModel, { history }: Memcg, stat: Stat): CompositionFact[] {
  const perS = (sumOver(history, 'refaults', { nowNs: model.nowNs, seconds: REFAULT_SECONDS }) ?? 0) / REFAULT_SECONDS
  return perS < THRASH_PER_S ? [] : [{ text: `refaults ${countCell(perS)}/s`, more: (stat.workingsetRefaultAnon ?? 0) === 0 ? ': page cache thrashes' : ': it thrashes', tone: 'urgent' }]
}

export function compositionOf(model: NodeModel, self: Memcg): Composition {
  const { stat, usage } = self, title = `composition of ${usage === undefined ? '-' : bytesCell(usage.currentBytes)}`
  return stat === undefined ? { title, parts: [], facts: [] } : { title, parts: partsOf(model, self, stat), facts: [...refaultFact(model, self, stat), ...reclaimableFact(self, stat)] }
}
