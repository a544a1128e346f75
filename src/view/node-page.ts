/** The node as a page: zones against their watermarks, free blocks by order, slab caches, and what reclaim does a second. Plain data; the terminal paints it. */
import type { NodeModel } from '../model/node.ts'
import { vmstatPerSec } from '../model/node-facts.ts'
import type { Zone } from '../model/node-facts.ts'
import { sanitize } from '../base/text.ts'
import { bytesCell, countCell } from './compact.ts'
import type { DetailLine } from './detail.ts'

/**
 * How an allocation of one page fares: `ample` above high (kswapd sleeps), `resting` between low and high (kswapd ends its round there),
 * `kswapd` below low (it was woken), `direct` at or below min (who allocates has to reclaim by itself), `reserved` for requests that can
 * use nothing else. mm/page_alloc.c __zone_watermark_ok().
 */
export type ZoneState = 'ample' | 'resting' | 'kswapd' | 'direct' | 'reserved'

/** `…Bytes` for bars, the others are the cells. `marks` are what ordinary allocations meet: watermark + lowmem_reserve. */
export type ZoneLine = {
  readonly label: string; readonly state: ZoneState
  readonly freeBytes: number; readonly managedBytes: number
  readonly marks: { readonly minBytes: number; readonly lowBytes: number; readonly highBytes: number }
  readonly free: string; readonly min: string; readonly low: string; readonly high: string; readonly managed: string
}
/** `cells[order]` is the number of free blocks of 2^order pages; `largestOrder` absent: nothing is free. */
export type BuddyLine = { readonly label: string; readonly cells: readonly string[]; readonly counts: readonly number[]; readonly largestOrder?: number; /** Largest free block. */ readonly largest: string }
export type SlabLine = { readonly name: string; readonly bytes: number; readonly size: string; /** Of the largest, 0..1. */ readonly share: number; /** Objects in use. */ readonly used: string; readonly objects: string }
/** `perSecond` absent: not counted here, or read only once. */
export type RateLine = { readonly label: string; readonly perSecond: number | undefined; readonly text: string; readonly tone: 'quiet' | 'plain' | 'urgent' }

export type NodePage = {
  readonly zones: readonly ZoneLine[]
  /** Heads of the columns of free blocks: `4K`, `8K`, …. */
  readonly orders: readonly string[]
  readonly buddy: readonly BuddyLine[]
  readonly slabs: readonly SlabLine[]
  /** Why there are none. */
  readonly slabsAbsent?: string
  readonly rates: readonly RateLine[]
  readonly lines: readonly DetailLine[]
}

const labelOf = (model: NodeModel, { numaNode, name }: Zone): string => {
  const several = [...model.zones.values()].some((zone) => zone.numaNode !== numaNode)
  return several ? `node ${numaNode} ${sanitize(name)}` : sanitize(name)
}

function stateOf(free: number, marks: { readonly min: number; readonly low: number; readonly high: number }, isReserved: boolean): ZoneState {
  if (isReserved) return 'reserved'
  return free <= marks.min ? 'direct' : free <= marks.low ? 'kswapd' : free <= marks.high ? 'resting' : 'ample'
}

function zoneLine(model: NodeModel, zone: Zone, pageBytes: number): ZoneLine[] {
  const { marks } = zone
  if (marks === undefined) return []
  // The largest protection is that against requests which could use every zone: those of user space.
  const protection = Math.max(0, ...marks.protectionPages), at = { min: marks.minPages + protection, low: marks.lowPages + protection, high: marks.highPages + protection }
  const state = stateOf(marks.freePages, at, at.min >= marks.managedPages), cell = (pages: number): string => bytesCell(pages * pageBytes)
  return [{
    label: labelOf(model, zone), state, freeBytes: marks.freePages * pageBytes, managedBytes: marks.managedPages * pageBytes,
    marks: { minBytes: at.min * pageBytes, lowBytes: at.low * pageBytes, highBytes: at.high * pageBytes },
    free: cell(marks.freePages), min: cell(at.min), low: cell(at.low), high: cell(at.high), managed: cell(marks.managedPages),
  }]
}

function buddyLine(model: NodeModel, zone: Zone, pageBytes: number): BuddyLine[] {
  const counts = zone.buddy?.freeBlocks
  if (counts === undefined) return []
  const largestOrder = counts.findLastIndex((count) => count > 0)
  return [{ label: labelOf(model, zone), cells: counts.map((count) => (count === 0 ? '·' : countCell(count))), counts, ...(largestOrder < 0 ? { largest: 'none' } : { largestOrder, largest: bytesCell(pageBytes * 2 ** largestOrder) }) }]
}

function slabLines(model: NodeModel): SlabLine[] {
  const largest = model.slabs[0]?.totalBytes ?? 0
  return model.slabs.map(({ name, totalBytes, activeObjects, objects }) => ({
    name: sanitize(name), bytes: totalBytes, size: bytesCell(totalBytes), share: largest === 0 ? 0 : totalBytes / largest,
    used: objects === 0 ? '-' : `${Math.round((100 * Math.min(activeObjects, objects)) / objects)}%`, objects: countCell(objects),
  }))
}

/** What a person looks for when a node is slow; urgent when it is never seen on a healthy one. */
const RATES: readonly (readonly [string, Parameters<typeof vmstatPerSec>[1], 'plain' | 'urgent'])[] = [
  ['kswapd rounds', 'pageoutrun', 'plain'], ['kswapd scanned', 'pgscanKswapd', 'plain'], ['kswapd reclaimed', 'pgstealKswapd', 'plain'],
  ['direct reclaims', 'allocstall', 'urgent'], ['direct scanned', 'pgscanDirect', 'urgent'], ['direct reclaimed', 'pgstealDirect', 'plain'], ['throttled reclaims', 'pgscanDirectThrottle', 'urgent'],
  ['refaults, file', 'workingsetRefaultFile', 'plain'], ['refaults, anon', 'workingsetRefaultAnon', 'plain'], ['major faults', 'pgmajfault', 'plain'],
  ['swapped in', 'pswpin', 'plain'], ['swapped out', 'pswpout', 'plain'], ['compactions, direct', 'compactStall', 'plain'], ['compactions failed', 'compactFail', 'urgent'],
  ['huge pages refused', 'thpFaultFallback', 'plain'], ['slab objects scanned', 'slabsScanned', 'plain'],
]

function rateLines(model: NodeModel): RateLine[] {
  return RATES.map(([label, field, tone]) => {
    const perSecond = vmstatPerSec(model, field)
    return { label, perSecond, text: perSecond === undefined ? '-' : perSecond < 0.05 ? '·' : countCell(perSecond), tone: perSecond === undefined || perSecond < 0.05 ? 'quiet' : tone }
  })
}

/** An allocation takes what any zone can give: the node is in trouble when its best zone is. */
function zoneSentence(zones: readonly ZoneLine[]): DetailLine[] {
  const usable = zones.filter(({ state }) => state !== 'reserved'), [first, ...others] = usable
  if (first === undefined) return []
  const { label, free, min, low } = others.reduce((a, b) => (b.managedBytes > a.managedBytes ? b : a), first)
  if (usable.every(({ state }) => state === 'direct')) return [{ text: `No zone is above its min watermark (${label}: ${free} free, min ${min}): whoever allocates has to reclaim by itself, and the OOM killer is next.`, tone: 'urgent' }]
  if (usable.every(({ state }) => state === 'direct' || state === 'kswapd')) return [{ text: `No zone is above its low watermark (${label}: ${free} free, low ${low}): kswapd reclaims in the background; direct reclaim begins at ${min}.`, tone: 'urgent' }]
  return [{ text: `${label}: ${free} free; kswapd wakes at ${low}, allocations wait for reclaim at ${min}.`, tone: 'quiet' }]
}

/** PAGE_ALLOC_COSTLY_ORDER: up to here the kernel tries hard and, as the last resort, kills for it. */
const COSTLY_ORDER = 3

function fragmentSentence(buddy: readonly BuddyLine[], pageBytes: number): DetailLine[] {
  const has = buddy.some(({ counts }) => counts.some((count) => count > 0)), contiguous = buddy.some(({ largestOrder }) => largestOrder !== undefined && largestOrder >= COSTLY_ORDER)
  return !has || contiguous ? [] : [{ text: `Memory is in pieces: no free block of ${bytesCell(pageBytes * 2 ** COSTLY_ORDER)} in any zone; kernel stacks and the like must wait for compaction.`, tone: 'urgent' }]
}

function reclaimSentence(model: NodeModel): DetailLine[] {
  const scanned = vmstatPerSec(model, 'pgscanDirect'), stolen = vmstatPerSec(model, 'pgstealDirect'), refaults = vmstatPerSec(model, 'workingsetRefaultFile'), background = vmstatPerSec(model, 'pgstealKswapd')
  const lines: DetailLine[] = []
  if (scanned !== undefined && stolen !== undefined && scanned >= 100 && stolen < scanned / 10) lines.push({ text: `Direct reclaim scans ${countCell(scanned)} pages a second and gets ${countCell(stolen)}: little is left that can be taken.`, tone: 'urgent' })
  const taken = (stolen ?? 0) + (background ?? 0)
  if (refaults !== undefined && refaults >= 100 && taken > 0 && refaults > taken / 2) lines.push({ text: `Of ${countCell(taken)} pages reclaimed a second ${countCell(refaults)} are read back: the file cache is smaller than what is in use (thrashing).`, tone: 'urgent' })
  return lines
}

/** Nothing is missing from it but what cannot be read here. */
export function nodePage(model: NodeModel): NodePage {
  const pageBytes = model.hello?.pageSizeBytes ?? 4096, all = [...model.zones.values()]
  const zones = all.flatMap((zone) => zoneLine(model, zone, pageBytes)), buddy = all.flatMap((zone) => buddyLine(model, zone, pageBytes)), orders = Math.max(0, ...buddy.map(({ counts }) => counts.length))
  return {
    zones, buddy, orders: Array.from({ length: orders }, (_, order) => bytesCell(pageBytes * 2 ** order)), slabs: slabLines(model),
    ...(model.slabs.length > 0 ? {} : { slabsAbsent: '/proc/slabinfo is not readable here (root only)' }),
    rates: rateLines(model), lines: [...zoneSentence(zones), ...fragmentSentence(buddy, pageBytes), ...reclaimSentence(model)],
  }
}
