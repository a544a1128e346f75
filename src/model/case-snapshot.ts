/** What the samples said just before a decision: composition, contributors and children of the limit holder. */
import type { HolderChild, KillCase } from './case.ts'
import { loggedComposition, loggedContributors, sampledComposition } from './case-composition.ts'
import type { CaseFacts, Snapshot } from './case-facts.ts'
import { pageBytesOf } from './log-node.ts'
import { sampleAt } from './earlier.ts'
import { lookBefore } from './kubectl-top.ts'
import type { Memcg, NodeModel } from './node.ts'
import { secondOf } from './rates.ts'
import { reclaimBefore } from './reclaim-history.ts'

/** An older memory.stat says nothing about this decision: it is read at most every few seconds. */
const NEAR_NS = 2e9
/** Usage is told when it changed: a row stands until the next one. But the change may have been lost, and a keyframe repeats it every 10 s. */
const USAGE_NEAR_NS = 12e9
const MAX_CHILDREN = 64, MAX_CONTRIBUTORS = 10
const RECLAIM_SECONDS = 10

function usageBefore(memcg: Memcg, tsNs: number): Memcg['usage'] {
  const usage = sampleAt(memcg.usage, memcg.earlierUsage, tsNs)
  return usage !== undefined && tsNs - usage.tsNs <= USAGE_NEAR_NS ? usage : undefined
}

function statBefore(memcg: Memcg, tsNs: number): Memcg['stat'] {
  const stat = sampleAt(memcg.stat, memcg.earlierStat, tsNs)
  return stat !== undefined && tsNs - stat.tsNs <= NEAR_NS ? stat : undefined
}

/** Whoever makes a cgroup sets its limit after that: "none", read so early, may only mean "not yet". A bridge that is short of time reads again after 32 s. */
const SETTLED_NS = 35e9

/** Is its limit known, as it was then? */
function areLimitsKnown({ limits, bornNs }: Memcg, tsNs: number): boolean {
  return limits !== undefined && (limits.maxBytes !== undefined || Math.max(tsNs, limits.tsNs) - bornNs > SETTLED_NS)
}

/** A limit that was not known at the decision and is read soon after it: nothing but its maker changes the one of a new cgroup. */
export function readLate(model: NodeModel, { children }: Snapshot): void {
  for (const child of children) {
    const memcg = child.limitsRead === true ? undefined : model.memcgs.get(child.memcgId)
    if (memcg === undefined || !areLimitsKnown(memcg, memcg.bornNs)) continue
    child.limitsRead = true
    if (memcg.limits?.maxBytes !== undefined) child.limitBytes = memcg.limits.maxBytes
  }
}

/** Does this case wait for the limit of this memcg? */
export const awaitsLimits = ({ snapshot }: CaseFacts, memcgId: number): boolean => snapshot?.children.some((child) => child.memcgId === memcgId && child.limitsRead !== true) ?? false

function childOf(memcg: Memcg, tsNs: number): HolderChild {
  const usage = usageBefore(memcg, tsNs)
  return {
    memcgId: memcg.id, path: memcg.path, ...(areLimitsKnown(memcg, tsNs) ? { limitsRead: true as const } : {}),
    ...(memcg.limits?.maxBytes === undefined ? {} : { limitBytes: memcg.limits.maxBytes }),
    ...(usage === undefined ? {} : { currentBytes: usage.currentBytes, sampledNs: usage.tsNs }),
  }
}

/** Rows reach the model late by milliseconds: a container that died this long before may be the one that was killed. */
const LATE_NS = 100e6

export function childrenOf(model: NodeModel, holder: Memcg, tsNs: number): HolderChild[] {
  const children: HolderChild[] = []
  for (const memcg of model.memcgs.values()) {
    if (memcg.parentId !== holder.id || memcg === holder || memcg.bornNs > tsNs + LATE_NS || (memcg.diedNs !== undefined && memcg.diedNs < tsNs - LATE_NS)) continue
    children.push(childOf(memcg, tsNs))
  }
  return children.sort((a, b) => (b.currentBytes ?? 0) - (a.currentBytes ?? 0) || a.memcgId - b.memcgId).slice(0, MAX_CHILDREN)
}

/** Largest samples of the seconds before: what a slower sampler may have shown. */
function growthOf(memcg: Memcg, tsNs: number): KillCase['growth'] {
  const { history } = memcg, top = lookBefore(memcg, tsNs)
  const second = Math.floor(tsNs / 1e9), at = (ago: number): number => secondOf(history.usageBytes, history.newestSecond, second - ago)
  const secondBeforeBytes = at(1), tenSecondsBeforeBytes = [10, 11, 12].map(at).find((bytes) => !Number.isNaN(bytes))
  return { ...(Number.isNaN(secondBeforeBytes) ? {} : { secondBeforeBytes }), ...(tenSecondsBeforeBytes === undefined ? {} : { tenSecondsBeforeBytes }), ...(top === undefined ? {} : { topBytes: top.bytes, topNs: top.tsNs }) }
}

/** The victim's own memcg just before; taken once, like the snapshot. */
export function takeVictimUsage(model: NodeModel, facts: CaseFacts): KillCase['victimUsage'] {
  const memcg = model.memcgs.get(facts.case.victims[0]?.memcgId ?? 0)
  if (memcg === undefined || (facts.victimUsage !== undefined && (facts.victimUsage.limitsRead === true || facts.victimUsage.path !== memcg.path))) return facts.victimUsage
  const currentBytes = facts.victimUsage?.currentBytes ?? usageBefore(memcg, facts.case.tsNs)?.currentBytes
  if (currentBytes === undefined) return undefined
  const isKnown = areLimitsKnown(memcg, facts.victimUsage === undefined ? facts.case.tsNs : memcg.bornNs)
  return (facts.victimUsage = { path: memcg.path, currentBytes, ...(isKnown ? { limitsRead: true as const } : {}), ...(memcg.limits?.maxBytes === undefined ? {} : { limitBytes: memcg.limits.maxBytes }) })
}

/** Taken once, as soon as the limit holder is known. */
export function takeSnapshot(model: NodeModel, facts: CaseFacts): Snapshot | undefined {
  const id = facts.case.limit?.memcgId
  if (id === undefined || id === 0) return undefined
  if (facts.snapshot?.memcgId === id) {
    readLate(model, facts.snapshot)
    return facts.snapshot
  }
  const holder = model.memcgs.get(id), { tsNs } = facts.case
  if (holder === undefined) return undefined
  return (facts.snapshot = {
    memcgId: id, stat: statBefore(holder, tsNs), usage: usageBefore(holder, tsNs),
    limits: holder.limits, children: childrenOf(model, holder, tsNs), growth: growthOf(holder, tsNs),
  })
}

type Composed = { readonly parts: Record<string, number>; readonly source: string }

/** What filled the limit: the kernel's own account in its log, otherwise the last sample. */
export function compositionOf(model: NodeModel, facts: CaseFacts): Composed | undefined {
  const logged = facts.report === undefined ? undefined : loggedComposition(facts.report, pageBytesOf(model, facts.report))
  if (logged !== undefined) return { parts: logged, source: 'kernel log, at the decision' }
  const stat = facts.snapshot?.stat, parts = stat === undefined ? {} : sampledComposition(stat)
  return stat === undefined || Object.keys(parts).length === 0 ? undefined : { parts, source: `memory.stat, sampled ${agoText(facts.case.tsNs - stat.tsNs)}` }
}

/** `140 ms before`. */
export const agoText = (ns: number): string => `${Math.round(ns / 1e6)} ms before`

/** Who filled the limit, largest first: the children of the holder, or the holder itself when it has none. */
export function contributorsOf(model: NodeModel, facts: CaseFacts): KillCase['contributors'] {
  const snapshot = facts.snapshot, limit = facts.case.limit
  if (snapshot === undefined) return facts.report === undefined ? [] : loggedContributors(model, facts.report).slice(0, MAX_CONTRIBUTORS)
  const children = snapshot.children.flatMap((child) => (child.currentBytes === undefined ? [] : [{ path: child.path, memcgId: child.memcgId, bytes: child.currentBytes }]))
  if (children.length > 0) return children.slice(0, MAX_CONTRIBUTORS)
  return snapshot.children.length === 0 && snapshot.usage !== undefined && limit?.path !== undefined ? [{ path: limit.path, memcgId: snapshot.memcgId, bytes: snapshot.usage.currentBytes }] : []
}

const COUNTED_SPAN = `${RECLAIM_SECONDS} s before, to the second in which they print`

type Reclaim = { readonly attempts: number; readonly stalledNs: number; readonly reclaimedPages: number; readonly source: string }

/**
 * What reclaim tried in the ten seconds before; by the memcg reclaimed, or else by the waiting tasks inside it. Nothing counted is not known:
 * the kernel always tries before it kills at a limit (mem_cgroup_out_of_memory() comes after try_charge_memcg()'s retries).
 */
export function reclaimOf(model: NodeModel, facts: CaseFacts): Reclaim | undefined {
  const holder = model.memcgs.get(facts.case.limit?.memcgId ?? 0)
  if (holder === undefined) return undefined
  if (holder.reclaim?.byTarget === true) {
    const tried = reclaimBefore(holder.reclaim, facts.case.tsNs, RECLAIM_SECONDS)
    return tried.attempts === 0 ? undefined : { ...tried, source: `probe counters of the memcg reclaimed, ${COUNTED_SPAN}` }
  }
  const sum = { attempts: 0, stalledNs: 0, reclaimedPages: 0 }
  for (const memcg of model.memcgs.values()) {
    if (memcg.reclaim === undefined || memcg.reclaim.byTarget || !(memcg === holder || memcg.path.startsWith(`${holder.path}/`))) continue
    const part = reclaimBefore(memcg.reclaim, facts.case.tsNs, RECLAIM_SECONDS)
    sum.attempts += part.attempts; sum.stalledNs += part.stalledNs; sum.reclaimedPages += part.reclaimedPages
  }
  return sum.attempts > 0 ? { ...sum, source: `probe counters of the tasks that waited in it, ${COUNTED_SPAN}` } : undefined
}
