/**
 * What each memcg needed over a whole stream: exact peaks, percentiles over time, time near the limit. Kept beside the model by whoever asks
 * for it (`recommend`, the summary of a run): a screen does not pay for it. Correct for looks of any rhythm, since every number weighs by time.
 */
import type { Event, EventOf } from '../event/event.ts'
import { workingSetOf } from './kubectl-top.ts'
import type { Memcg, NodeModel } from './node.ts'
import { addSeconds, createSketch } from './sketch.ts'
import type { Sketch } from './sketch.ts'
import type { Exactness } from './spike.ts'

const NS = 1e9
/** More memcgs than a node has in weeks. */
const MAX_ACCOUNTS = 50_000
/** Every keyframe repeats what stands: a longer silence is not "unchanged". */
const CARRY_NS = 12e9

export type Account = {
  readonly memcgId: number
  readonly path: string
  /** First and newest row; the time between them is what is known, less gaps. */
  readonly fromNs: number
  lastNs: number
  knownNs: number
  /** Time within it of which the stream tells nothing. */
  lostNs: number
  lastBytes: number
  /** Working set of `lastBytes`. */
  standingBytes: number
  /** Highest usage, and when. */
  peakBytes: number
  peakNs: number
  /** Newest high-water mark. */
  markBytes: number | undefined
  /** Its looks tell the exact peak before them, and every one of them did. */
  hasWindows: boolean
  isCovered: boolean
  /** Highest usage less the inactive file cache that memory.stat last told: the kubelet's working set at its true peak. */
  needPeakBytes: number
  /** Highest usage less all file cache that memory.stat last told: at most so much could not have been given back. */
  hardPeakBytes: number
  /** Highest anonymous, shared and kernel memory that memory.stat told: so much at least could not. */
  floorBytes: number | undefined
  /** Seconds by the highest working set in each. */
  readonly seconds: Sketch
  second: number
  secondBytes: number
  limitBytes: number | undefined
  over80Ns: number
  over90Ns: number
  /** The highest kubectl top showed. */
  topBytes: number | undefined
  swapBytes: number
  /** memory.events since the first reading. */
  firstEvents: EventOf<'memcg_events'> | undefined
  events: EventOf<'memcg_events'> | undefined
  waitedNs: number
  hasEnded: boolean
}

export type Ledger = {
  /** Open ones by memcgId. */
  readonly open: Map<number, Account>
  /** Ended ones, oldest first. */
  readonly closed: Account[]
  /** Memcgs for which there was no room. */
  omitted: number
}

export const createLedger = (): Ledger => ({ open: new Map(), closed: [], omitted: 0 })

/** Call after `applyEvent(model, event)`. */
export function keepAccount(ledger: Ledger, model: NodeModel, event: Event): void {
  switch (event.kind) {
    case 'memcg_usage': onUsage(ledger, model, event); break
    case 'memcg_stat': onStat(ledger, event); break
    case 'memcg_events': onEvents(ledger, event); break
    case 'memcg_death': close(ledger, model, event); break
  }
}

/** The stream is over. */
export function endLedger(ledger: Ledger, model: NodeModel): void {
  for (const memcgId of [...ledger.open.keys()]) close(ledger, model, { memcgId, tsNs: model.memcgs.get(memcgId)?.diedNs ?? model.nowNs })
}

/** Every account, in the order of their memcgs' first rows. */
export const accountsOf = ({ closed, open }: Ledger): Account[] => [...closed, ...open.values()].sort((a, b) => a.fromNs - b.fromNs || a.memcgId - b.memcgId)

function newAccount(memcg: Memcg, event: EventOf<'memcg_usage'>): Account {
  const { tsNs, currentBytes, peakBytes } = event
  return {
    memcgId: memcg.id, path: memcg.path, fromNs: tsNs, lastNs: tsNs, knownNs: 0, lostNs: 0, lastBytes: currentBytes, standingBytes: needOf(currentBytes, memcg), peakBytes: currentBytes, peakNs: tsNs, markBytes: peakBytes, hasWindows: event.windowPeakBytes !== undefined, isCovered: true,
    needPeakBytes: 0, hardPeakBytes: 0, floorBytes: undefined, seconds: createSketch(), second: Math.floor(tsNs / NS), secondBytes: 0, limitBytes: memcg.limits?.maxBytes, over80Ns: 0, over90Ns: 0, topBytes: undefined,
    swapBytes: 0, firstEvents: memcg.events, events: memcg.events, waitedNs: 0, hasEnded: false,
  }
}

/** An id that the kernel uses again is somebody else. */
function accountFor(ledger: Ledger, memcg: Memcg, event: EventOf<'memcg_usage'>): Account | undefined {
  const known = ledger.open.get(memcg.id)
  if (known !== undefined && known.path === memcg.path) return known
  if (known !== undefined) closeAt(ledger, known, known.lastNs)
  if (ledger.open.size + ledger.closed.length >= MAX_ACCOUNTS) { ledger.omitted += 1; return undefined }
  const account = newAccount(memcg, event)
  ledger.open.set(memcg.id, account)
  return account
}

function onUsage(ledger: Ledger, model: NodeModel, event: EventOf<'memcg_usage'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined || memcg.path === '/' || memcg.diedNs !== undefined) return
  const account = accountFor(ledger, memcg, event)
  if (account === undefined) return
  pass(account, memcg, { toNs: event.tsNs, gapNs: gapBefore(model, account, event.tsNs) })
  const { currentBytes, windowPeakBytes, peakBytes, swapBytes = 0 } = event, highest = Math.max(currentBytes, windowPeakBytes ?? 0, riseOf(account, peakBytes))
  // A keyframe repeats without a window; a look that found something new without one was not covered, nor one with a torn window.
  if (event.windowNs === undefined && (windowPeakBytes !== undefined || currentBytes !== account.lastBytes || peakBytes !== account.markBytes)) account.isCovered = false
  account.hasWindows ||= windowPeakBytes !== undefined
  account.markBytes = peakBytes ?? account.markBytes
  account.limitBytes = memcg.limits?.maxBytes ?? account.limitBytes
  account.swapBytes = Math.max(account.swapBytes, swapBytes)
  if (memcg.watch !== undefined && !Number.isNaN(memcg.watch.topBytes)) account.topBytes = Math.max(account.topBytes ?? 0, memcg.watch.topBytes)
  account.waitedNs = memcg.waitedNs ?? 0
  note(account, memcg, { bytes: highest, tsNs: event.tsNs })
  account.lastBytes = currentBytes
  account.standingBytes = needOf(currentBytes, memcg)
}

/** A mark that rose since the row before: usage was that high since then, or up to a second earlier. */
const riseOf = ({ markBytes }: Account, peakBytes: number | undefined): number => (markBytes !== undefined && peakBytes !== undefined && peakBytes > markBytes ? peakBytes : 0)

function gapBefore({ gaps }: NodeModel, account: Account, toNs: number): number {
  if (gaps.newestNs <= account.lastNs) return 0
  let lostNs = 0
  for (let i = gaps.list.length - 1; i >= 0; i--) {
    const gap = gaps.list[i]
    if (gap === undefined || gap.toNs <= account.lastNs) break
    lostNs += Math.max(0, Math.min(gap.toNs, toNs) - Math.max(gap.fromNs, account.lastNs))
  }
  return lostNs
}

function stand(account: Account, ns: number): void {
  const { limitBytes, lastBytes } = account
  account.knownNs += ns
  if (limitBytes !== undefined && lastBytes >= 0.8 * limitBytes) account.over80Ns += ns
  if (limitBytes !== undefined && lastBytes >= 0.9 * limitBytes) account.over90Ns += ns
}

/** Usage stood since the row before. */
function pass(account: Account, memcg: Memcg, { toNs, gapNs }: { readonly toNs: number; readonly gapNs: number }): void {
  if (toNs <= account.lastNs) return
  const stoodNs = Math.min(toNs - account.lastNs - gapNs, CARRY_NS), second = Math.floor(toNs / NS)
  if (gapNs > 0) { account.lostNs += gapNs; account.isCovered = false }
  stand(account, stoodNs)
  if (second > account.second) {
    const standing = needOf(account.lastBytes, memcg)
    account.standingBytes = standing
    addSeconds(account.seconds, account.secondBytes, 1)
    addSeconds(account.seconds, standing, Math.min(second - account.second - 1, Math.floor(stoodNs / NS)))
    account.second = second
    account.secondBytes = standing
  }
  account.lastNs = toNs
}

const needOf = (bytes: number, { stat }: Memcg): number => { const set = workingSetOf(bytes, stat?.inactiveFileBytes); return Number.isNaN(set) ? bytes : set }

/** File cache that reclaim can take: not shared memory. */
const cacheOf = ({ stat }: Memcg): number => Math.max(0, (stat?.fileBytes ?? 0) - (stat?.shmemBytes ?? 0)) + (stat?.slabReclaimableBytes ?? 0)

function note(account: Account, memcg: Memcg, { bytes, tsNs }: { readonly bytes: number; readonly tsNs: number }): void {
  if (bytes > account.peakBytes) { account.peakBytes = bytes; account.peakNs = tsNs }
  const need = needOf(bytes, memcg)
  account.needPeakBytes = Math.max(account.needPeakBytes, need)
  account.hardPeakBytes = Math.max(account.hardPeakBytes, Math.max(0, bytes - cacheOf(memcg)))
  account.secondBytes = Math.max(account.secondBytes, need)
}

function onStat(ledger: Ledger, stat: EventOf<'memcg_stat'>): void {
  const account = ledger.open.get(stat.memcgId)
  if (account === undefined || stat.anonBytes === undefined) return
  const kernel = Math.max(0, (stat.kernelBytes ?? stat.slabUnreclaimableBytes ?? 0) - (stat.kernelBytes === undefined ? 0 : stat.slabReclaimableBytes ?? 0))
  account.floorBytes = Math.max(account.floorBytes ?? 0, stat.anonBytes + (stat.shmemBytes ?? 0) + kernel)
}

function onEvents(ledger: Ledger, event: EventOf<'memcg_events'>): void {
  const account = ledger.open.get(event.memcgId)
  if (account === undefined) return
  account.firstEvents ??= event
  account.events = event
}

function close(ledger: Ledger, model: NodeModel, { memcgId, tsNs }: { readonly memcgId: number; readonly tsNs: number }): void {
  const account = ledger.open.get(memcgId), memcg = model.memcgs.get(memcgId)
  if (account === undefined) return
  if (memcg?.path === account.path) account.waitedNs = memcg.waitedNs ?? 0
  closeAt(ledger, account, Math.min(Math.max(tsNs, account.lastNs), account.lastNs + CARRY_NS))
}

function closeAt(ledger: Ledger, account: Account, tsNs: number): void {
  ledger.open.delete(account.memcgId)
  stand(account, tsNs - account.lastNs)
  addSeconds(account.seconds, account.secondBytes, 1)
  addSeconds(account.seconds, account.standingBytes, Math.max(0, Math.floor(tsNs / NS) - account.second))
  account.hasEnded = true
  ledger.closed.push(account)
}

/** How the highest usage is known. The high-water mark since the memcg's birth bounds it: what reached it was the highest. */
export function exactnessOf({ hasWindows, isCovered, peakBytes, markBytes }: Account): Exactness {
  if (hasWindows && isCovered) return 'exact-height'
  return markBytes === peakBytes ? 'high-water' : 'sampled'
}
