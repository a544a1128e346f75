/** All witnesses of one kill → one case. Computed anew from everything gathered, so the order of arrival does not matter. */
import { isKilledMark, near, runsAgain, type CaseFacts } from './case-facts.ts'
import type { KillCase, Victim, Witness } from './case.ts'
import { judge } from './case-candidates.ts'
import { mergeRise, riseAlone } from './case-counts.ts'
import { disagreementsOf, evidenceOf, riseOf } from './case-evidence.ts'
import { constraintOf, limitOf, loggedNames, namedTid } from './case-limit.ts'
import { compositionOf, contributorsOf, reclaimOf, takeSnapshot, takeVictimUsage } from './case-snapshot.ts'
import { takeVictimNuma } from './numa.ts'
import { mergeStroke, strokeOf } from './case-signals.ts'
import { chosenPids, victimsOf } from './case-victims.ts'
import { isOnlyMarks } from './decision.ts'
import type { NodeModel } from './node.ts'

const SYSRQ_ORDER = -1

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Sets a field, or removes it when it is not known (any more). */
function set<K extends keyof KillCase>(target: Writable<KillCase>, key: K, value: KillCase[K] | undefined): void {
  if (value === undefined) Reflect.deleteProperty(target, key)
  else target[key] = value
}

/** The decision's time: the probe's, or the first signal or mark, or when the log was read. */
function timeOf(facts: CaseFacts, victims: readonly Victim[]): number {
  const first = facts.decisions[0]
  if (first !== undefined) return first.begin?.tsNs ?? first.fromNs
  const kills = victims.flatMap((v) => (v.killNs === undefined ? [] : [v.killNs]))
  return Math.min(facts.report?.tsNs ?? Number.POSITIVE_INFINITY, ...kills)
}

function invokerOf(model: NodeModel, facts: CaseFacts, victims: readonly Victim[]): KillCase['invoker'] {
  const begin = facts.decisions[0]?.begin
  if (begin !== undefined) return withPath(model, { pid: begin.pid, comm: begin.comm, memcgId: begin.taskMemcgId })
  // In a signal that the OOM killer sends, the sender is whoever was allocating.
  const signal = victims.flatMap((v) => v.tids).map((tid) => model.caseBook.signals.get(tid)).find((s) => s !== undefined && near(s.tsNs, facts.case.tsNs))
  if (signal !== undefined && victims.length > 0) return withPath(model, { pid: signal.senderPid, comm: signal.senderComm, memcgId: signal.senderMemcgId })
  const { invoked, invokerTid, tasks } = facts.report ?? { tasks: [] }
  if (invoked === undefined || invokerTid === undefined) return undefined
  return { pid: tasks.find((t) => t.tid === invokerTid)?.pid ?? invokerTid, comm: invoked.comm }
}

function withPath(model: NodeModel, who: { pid: number; comm: string; memcgId: number }): KillCase['invoker'] {
  const path = model.memcgs.get(who.memcgId)?.path
  return { pid: who.pid, comm: who.comm, ...(who.memcgId > 0 ? { memcgId: who.memcgId } : {}), ...(path === undefined ? {} : { path }) }
}

/** A task that was picked or marked and not killed: it was on its way out already. */
function exitingPid(model: NodeModel, facts: CaseFacts, victims: readonly Victim[]): number | undefined {
  const dead = new Set(victims.flatMap((v) => [v.pid, ...v.tids]))
  for (const d of facts.decisions) {
    for (const mark of d.marks) if (!dead.has(mark.victimTid) && !isKilledMark(model.caseBook, d, mark)) return mark.pid ?? mark.victimTid
    for (const pick of d.picks) if (!dead.has(pick.pid)) return pick.pid
  }
  return facts.report?.exiting.find((tid) => !dead.has(tid))
}

function witnessesOf(facts: CaseFacts, isCounted: boolean): Witness[] {
  const witnesses: Witness[] = []
  if (facts.decisions.length > 0) witnesses.push('probe')
  if (facts.report !== undefined) witnesses.push('kmsg')
  if (isCounted) witnesses.push('memory.events')
  return witnesses
}

/** Who was chosen by a decision whose end nobody saw. */
function pickedOf(facts: CaseFacts): KillCase['picked'] {
  const { report, names } = facts, tid = namedTid(report)
  if (report === undefined || tid === undefined || report.noKillable || report.exiting.length > 0) return undefined
  const row = report.tasks.find((task) => task.tid === tid), told = names === undefined || names === 'ambiguous' ? undefined : names
  const comm = row?.comm ?? report.choice?.comm ?? (told?.comm === '' ? undefined : told?.comm)
  return { pid: row?.pid ?? tid, ...(comm === undefined ? {} : { comm }), ...(told === undefined ? {} : { path: told.taskPath }) }
}

/** First 8 digits of the boot id: times of two boots cannot be confused. */
const idOf = (model: NodeModel, target: KillCase): string =>
  `${model.hello?.bootId.replaceAll(/[^0-9a-z]/gi, '').slice(0, 8) || 'boot'}-${target.tsNs}-${target.victims[0]?.pid ?? target.exitingPid ?? target.invoker?.pid ?? 0}`

/** Marks, and neither the kill itself nor its signal, its line in the log or its count. */
const isMarkedOnly = (model: NodeModel, facts: CaseFacts, victims: readonly Victim[]): boolean =>
  victims.length > 0 && facts.report === undefined && facts.decisions.length > 0 && facts.decisions.every(isOnlyMarks) && riseOf(model, facts) === undefined &&
  !victims.some((victim) => [victim.pid, ...victim.tids].some((id) => model.caseBook.signals.has(id)))

/** Is everything told? The decision returned, a mark is all there will be, the log named the victim, or it is dead already. */
const isClosed = (facts: CaseFacts, victims: readonly Victim[]): boolean =>
  facts.superseded === true || facts.decisions.some((d) => d.end !== undefined || isOnlyMarks(d)) || victims.some((v) => v.exitNs !== undefined) ||
  isToldWhole(facts.report)

function nodeSwapOf(report: CaseFacts['report']): KillCase['nodeSwap'] {
  const { Total, Free } = report?.swapKb ?? {}
  return Total === undefined || Free === undefined ? undefined : { totalBytes: Total * 1024, freeBytes: Free * 1024 }
}

/** With memory.oom.group nobody knows which line is the last. */
const isToldWhole = (report: CaseFacts['report']): boolean =>
  report !== undefined && (report.noKillable || report.exiting.length > 0 || (report.killed.length > 0 && report.groupPath === undefined))

/** Writes the case. */
export function mergeCase(model: NodeModel, facts: CaseFacts): void {
  const stroke = strokeOf(facts)
  if (stroke !== undefined) {
    mergeStroke(model, facts.case, stroke)
    facts.case.id = idOf(model, facts.case)
    return
  }
  const rise = riseAlone(facts)
  if (rise !== undefined) {
    mergeRise(model, facts.case, rise)
    facts.case.id = idOf(model, facts.case)
    return
  }
  for (const key of ['sentSignal', 'unseenVictims', 'countedMemcgId', 'countedPath'] as const) Reflect.deleteProperty(facts.case, key)
  const target = facts.case, d = facts.decisions[0], report = facts.report
  facts.names = loggedNames(model, facts)
  const victims = victimsOf(model, facts), { value: constraint, guessed } = constraintOf(facts)
  target.victims = victims
  target.tsNs = timeOf(facts, victims)
  set(target, 'constraint', constraint)
  set(target, 'constraintGuessed', guessed)
  set(target, 'logSeq', report?.seq)
  set(target, 'release', report?.release)
  set(target, 'logMixed', report?.mixed === true || undefined)
  set(target, 'picked', victims.length === 0 ? pickedOf(facts) : undefined)
  set(target, 'order', d?.begin?.order ?? d?.enter?.order ?? report?.invoked?.order)
  set(target, 'gfp', d?.begin?.gfp ?? d?.enter?.gfp ?? report?.invoked?.gfp)
  set(target, 'gfpText', report?.invoked?.gfpText)
  set(target, 'sysrq', target.order === SYSRQ_ORDER || report?.sysrq === true || undefined)
  set(target, 'limit', limitOf(model, facts, constraint)?.limit)
  // The snapshot needs to know whose limit it was, and may then supply its size.
  takeSnapshot(model, facts)
  const limit = limitOf(model, facts, constraint)
  set(target, 'limit', limit?.limit)
  set(target, 'victimUsage', takeVictimUsage(model, facts))
  set(target, 'victimNuma', takeVictimNuma(model, facts))
  set(target, 'growth', facts.snapshot?.growth)
  set(target, 'nodeSwap', nodeSwapOf(report))
  set(target, 'invoker', invokerOf(model, facts, victims))
  mergeCandidates(model, facts)
  target.group = facts.decisions.some((part) => part.group !== undefined) || report?.groupPath !== undefined || (facts.decisions.length > 1)
  set(target, 'exitingPid', exitingPid(model, facts, victims))
  set(target, 'noKill', victims.length === 0 || undefined)
  set(target, 'invokedWhileExiting', runsAgain(facts) === 0 ? undefined : runsAgain(facts))
  const composition = compositionOf(model, facts), reclaim = reclaimOf(model, facts)
  set(target, 'composition', composition?.parts)
  set(target, 'reclaim', reclaim === undefined ? undefined : { attempts: reclaim.attempts, stalledNs: reclaim.stalledNs, reclaimedPages: reclaim.reclaimedPages })
  set(target, 'holderChildren', facts.snapshot === undefined ? undefined : [...facts.snapshot.children])
  target.contributors = contributorsOf(model, facts)
  set(target, 'contributorsFrom', target.contributors.length === 0 ? undefined : facts.snapshot === undefined ? 'kmsg' : 'samples')
  const counted = riseOf(model, facts)
  set(target, 'oomKillRise', counted?.kills)
  target.witnesses = witnessesOf(facts, counted !== undefined)
  set(target, 'markedOnly', isMarkedOnly(model, facts, victims) || undefined)
  if (target.markedOnly === true) for (const victim of victims) delete victim.killedBy
  target.disagreements = [...(limit?.disagreements ?? []), ...disagreementsOf(facts)]
  target.closed = isClosed(facts, victims)
  target.id = idOf(model, target)
  target.evidence = evidenceOf(model, facts, { limitSource: limit?.source, compositionSource: composition?.source, reclaimSource: reclaim?.source })
}

function mergeCandidates(model: NodeModel, facts: CaseFacts): void {
  const target = facts.case, chosen = chosenPids(facts), judged = judge(model, facts, { chosen, constraint: target.constraint })
  target.candidates = judged.candidates
  set(target, 'candidatesFrom', judged.from)
  set(target, 'candidatesOmitted', judged.omitted === 0 ? undefined : judged.omitted)
  set(target, 'totalBytes', judged.totalBytes)
  const picks = facts.decisions.flatMap((d) => d.picks), byPid = new Map(judged.candidates.map((c) => [c.pid, c]))
  for (const victim of target.victims) {
    const candidate = byPid.get(victim.pid)
    const points = picks.find((p) => p.pid === victim.pid)?.pointsPages ?? candidate?.points
    if (points !== undefined) victim.points = points
    if (candidate !== undefined && candidate.path === undefined && victim.path !== undefined) candidate.path = victim.path
  }
}
