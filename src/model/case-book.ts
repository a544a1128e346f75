/** The working memory of merging: open cases, what is joined to which, and when a case is computed anew. */
import { EXIT_NS, near, runsAgain, victimIds, type CaseFacts, type EventRise, type Gathered } from './case-facts.ts'
import { claimCounted } from './case-counts.ts'
import { addCase, dropCase, placeCase } from './case-list.ts'
import { mergeCase } from './case-merge.ts'
import { nameVictims, noteWaits } from './case-programs.ts'
import { readLate } from './case-snapshot.ts'
import { rewritten } from './case-version.ts'
import type { KillCase } from './case.ts'
import { isOnlyMarks, type Decision } from './decision.ts'
import type { NodeModel } from './node.ts'
import { createKernelLog, type KernelLog, type OomReport } from './oom-report.ts'

/** Only the newest cases are still merged: each may hold the rows of thousands of candidates. */
const MAX_OPEN = 128

export type CaseBook = Gathered & {
  /** What `model.cases` shows once the dirty ones are merged. */
  readonly cases: KillCase[]
  /** Cases to be merged before anybody looks: a group of a thousand processes brings thousands of rows between two looks. */
  readonly dirty: Set<CaseFacts>
  /** When the dirty ones are merged at the latest: samples and counters of the moment are kept for a short time only. */
  settleAtNs: number
  /** Until then the probes may print what they counted before a decision. */
  countersUntilNs: number
  /** Newest last. */
  readonly open: CaseFacts[]
  readonly decisions: Decision[]
  readonly caseOf: Map<Decision | OomReport, CaseFacts>
  /** Rises of oom_kill that may turn out to be all that anybody saw; oldest first, bounded. */
  readonly unclaimed: EventRise[]
  /** Cases about a signal, oldest first. */
  readonly strokes: KillCase[]
  /** No-kill decisions that were folded into the case whose victim was still exiting. */
  readonly foldedInto: Map<Decision, CaseFacts>
  readonly log: KernelLog
}

export const createCaseBook = (): CaseBook => ({
  cases: [], dirty: new Set(), settleAtNs: Number.POSITIVE_INFINITY, countersUntilNs: 0, open: [], decisions: [], caseOf: new Map(), foldedInto: new Map(), strokes: [], unclaimed: [], log: createKernelLog(), sawSignals: false,
  signals: new Map(), exits: new Map(), sent: new Map(), reaps: new Map(), eventRises: [],
})

/** The open case with one of these victims, near in time, that the filter accepts. */
export function findByVictim(book: CaseBook, ids: readonly number[], accept: (facts: CaseFacts) => boolean): CaseFacts | undefined {
  const wanted = new Set(ids)
  for (let i = book.open.length - 1; i >= 0; i--) {
    const facts = book.open[i]
    if (facts !== undefined && accept(facts) && victimIds(facts).some((id) => wanted.has(id))) return facts
  }
  return undefined
}

export function openCase(model: NodeModel, part: { readonly decision?: Decision }): CaseFacts {
  const book = model.caseBook
  const facts: CaseFacts = { case: addCase(book.cases, model.nowNs), decisions: [], counted: new Set(), folded: 0, foldedReports: 0, needsMerge: true, merges: 0 }
  book.open.push(facts)
  book.countersUntilNs = model.nowNs + COUNTED_NS
  if (part.decision !== undefined) attach(model, facts, part.decision)
  if (book.open.length > MAX_OPEN) forget(model)
  dropOldStrokes(book)
  return facts
}

/** A node may see many signals and few OOM kills: the one must not push out the other. */
const MAX_STROKES = 1000

function dropOldStrokes(book: CaseBook): void {
  const strokes = book.strokes
  if (strokes.length <= MAX_STROKES) return
  const [oldest] = strokes.splice(0, 1)
  if (oldest !== undefined && oldest.sentSignal !== undefined) dropCase(book.cases, oldest)
}

/** The oldest open case is final now, one about a signal before any other; its rows are let go. */
function forget(model: NodeModel): void {
  const book = model.caseBook, old = book.open.find((facts) => facts.stroke !== undefined) ?? book.open[0]
  if (old === undefined) return
  settleCase(model, old)
  book.open.splice(book.open.indexOf(old), 1)
  for (const [key, facts] of book.caseOf) if (facts === old) book.caseOf.delete(key)
  for (const [key, facts] of book.foldedInto) if (facts === old) book.foldedInto.delete(key)
}

export function attach(model: NodeModel, facts: CaseFacts, d: Decision): void {
  if (!facts.decisions.includes(d)) facts.decisions.push(d)
  facts.decisions.sort((a, b) => a.fromNs - b.fromNs)
  model.caseBook.caseOf.set(d, facts)
}

export function attachReport(model: NodeModel, facts: CaseFacts, report: OomReport): void {
  facts.report = report
  model.caseBook.caseOf.set(report, facts)
}

/** The first rows of a case are merged at once: they say whose samples to keep. Later ones together. */
const PROMPT_MERGES = 6, SETTLE_NS = 50e6

/** Something was gathered. */
export function touch(model: NodeModel, facts: CaseFacts): void {
  facts.needsMerge = true
  markDirty(model, facts)
  if (facts.merges < PROMPT_MERGES) settleCase(model, facts)
}

export function markDirty(model: NodeModel, facts: CaseFacts): void {
  const book = model.caseBook
  if (book.dirty.size === 0) book.settleAtNs = model.nowNs + SETTLE_NS
  book.dirty.add(facts)
}

/** The probes print each second; a busy node is late. */
const COUNTED_NS = 2e9

/** A counter was printed: what it says of the time before a decision belongs to the case. */
export function noteCounted(model: NodeModel): void {
  const { open } = model.caseBook
  for (let i = open.length - 1; i >= 0; i--) {
    const facts = open[i]
    if (facts === undefined || facts.case.tsNs < model.nowNs - COUNTED_NS) return
    facts.needsMerge = true
    markDirty(model, facts)
  }
}

/** By then every witness has spoken, and what they were joined with (counters, signals, files' rises) is being forgotten. */
const FINAL_NS = 15e9

/** What may still come after that: victims that took long to die, the limits of young cgroups, and the end of a decision. */
function complete(model: NodeModel, facts: CaseFacts): void {
  facts.needsMerge = false
  if (facts.superseded === true) facts.case.closed = true
  if (runsAgain(facts) > 0) facts.case.invokedWhileExiting = runsAgain(facts)
  if (facts.snapshot !== undefined) readLate(model, facts.snapshot)
  for (const victim of facts.case.victims) {
    const exit = model.caseBook.exits.get(victim.pid), { killNs } = victim
    if (victim.exitNs !== undefined || exit === undefined || killNs === undefined || exit.tsNs < killNs || exit.tsNs - killNs > EXIT_NS || (victim.memcgId !== undefined && exit.memcgId !== victim.memcgId)) continue
    victim.exitNs = exit.tsNs
    victim.msToExit = (exit.tsNs - killNs) / 1e6
  }
}

/** Computes a case anew from all that is gathered. */
function settleCase(model: NodeModel, facts: CaseFacts): void {
  if (!model.caseBook.dirty.delete(facts)) return
  const before = facts.case.victims
  if (facts.merges > 0 && model.nowNs - facts.case.tsNs > FINAL_NS) {
    complete(model, facts)
    nameVictims(model, facts.case, before)
    rewritten(facts.case)
    return
  }
  mergeCase(model, facts)
  for (let other = twinOf(model.caseBook, facts); other !== undefined; other = twinOf(model.caseBook, facts)) {
    mergeFacts(model, facts, other)
    mergeCase(model, facts)
  }
  nameVictims(model, facts.case, before)
  noteWaits(model, facts.case)
  facts.needsMerge = false
  facts.merges += 1
  rewritten(facts.case)
  if (facts.rise === undefined && facts.case.victims.length > 0) claimCounted(model, facts)
  placeCase(model.caseBook.cases, facts.case)
  for (const victim of facts.case.victims) {
    if (facts.case.sentSignal !== undefined || victim.memcgId === undefined || facts.counted.has(victim.pid)) continue
    const memcg = model.memcgs.get(victim.memcgId)
    if (memcg === undefined) continue
    memcg.killCount += 1
    facts.counted.add(victim.pid)
  }
}

/** Merges what is dirty: at every look at `model.cases`, and otherwise every 50 ms of the stream. */
export function settleCases(model: NodeModel): void {
  model.caseBook.settleAtNs = Number.POSITIVE_INFINITY
  for (const facts of model.caseBook.dirty) settleCase(model, facts)
}

/** For decisions that depend on other cases: those of which more is known than was merged. */
export function settleChanged(model: NodeModel): void {
  for (const facts of model.caseBook.dirty) if (facts.needsMerge) settleCase(model, facts)
}

/** A process killed it, and then the OOM killer found it dying and killed nobody: two stories about one process. */
const isFoundDying = (facts: CaseFacts, other: CaseFacts): boolean => facts.stroke !== undefined && facts.decisions.length === 0 && killedNobody(other)

/** All is told, and nobody died of it. */
export const killedNobody = ({ case: { noKill, picked, closed } }: CaseFacts): boolean => noKill === true && picked === undefined && closed

/** Another case with a victim of this one that lacks what this one has: two halves that met late. */
function twinOf(book: CaseBook, facts: CaseFacts): CaseFacts | undefined {
  if (facts.case.victims.length === 0) return undefined
  return findByVictim(book, facts.case.victims.flatMap((v) => [v.pid, ...v.tids]), (other) => other !== facts && near(other.case.tsNs, facts.case.tsNs) && !isFoundDying(facts, other) &&
    (other.report === undefined || facts.report === undefined) &&
    (other.decisions.length === 0 || facts.decisions.length === 0 || other.decisions.every((d) => facts.decisions.every((own) => isOnlyMarks(d) && isOnlyMarks(own) && d.tid === own.tid))))
}

/** It turned out to be a part of another case. */
export function dropFacts(book: CaseBook, facts: CaseFacts): void {
  book.dirty.delete(facts)
  const at = book.open.indexOf(facts)
  if (at >= 0) book.open.splice(at, 1)
  dropCase(book.cases, facts.case)
}

export function mergeFacts(model: NodeModel, into: CaseFacts, from: CaseFacts): void {
  const book = model.caseBook
  for (const d of from.decisions) attach(model, into, d)
  if (from.report !== undefined && into.report === undefined) attachReport(model, into, from.report)
  into.folded += from.folded
  into.foldedReports += from.foldedReports
  if (into.snapshot === undefined && from.snapshot !== undefined) into.snapshot = from.snapshot
  for (const pid of from.counted) into.counted.add(pid)
  dropFacts(book, from)
}

/** May this decision join a case that exists? One case, one decision; only marks of one group may come in several pieces. */
export const hasRoom = (facts: CaseFacts, d: Decision): boolean =>
  facts.decisions.length === 0 || (isOnlyMarks(d) && facts.decisions.every((other) => isOnlyMarks(other) && other.tid === d.tid))
