/** The other witnesses → cases: the kernel log, the kernel's signals, exits, the reaper and the files' counters. */
import type { EventOf } from '../event/event.ts'
import { attach, attachReport, findByVictim, hasRoom, killedNobody, markDirty, mergeFacts, openCase, settleChanged, touch, type CaseBook } from './case-book.ts'
import { tryOpen } from './case-decisions.ts'
import { EXIT_NS, JOIN_NS, near, victimIds, type CaseFacts, type EventRise } from './case-facts.ts'
import { awaitsLimits } from './case-snapshot.ts'
import { applySentSignal, joinExit, strokeOf } from './case-signals.ts'
import { isOnlyMarks } from './decision.ts'
import type { NodeModel } from './node.ts'
import { readKernelLine, type OomReport } from './oom-report.ts'

const MAX_SEEN = 1024
const SI_KERNEL = 128, SIGKILL = 9

/** Insertion order of a Map is its age. */
function remember<V>(map: Map<number, V>, key: number, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MAX_SEEN) for (const oldest of map.keys()) { map.delete(oldest); break }
}

/** Lines written well before the stream began (a kernel log keeps days) are another time's kills. */
const OLD_LINE_NS = 60e9

export function applyKmsg(model: NodeModel, event: EventOf<'kmsg'>): void {
  const book = model.caseBook
  if (model.hello !== undefined && event.kmsgUs * 1e3 + OLD_LINE_NS < model.hello.tsNs) return
  const report = readKernelLine(book.log, event)
  if (report === undefined) return
  const facts = book.caseOf.get(report)
  if (facts !== undefined) {
    joinMarks(model, facts, report)
    touch(model, facts)
    return
  }
  const ids = [...report.killed.map((k) => k.tid), ...(report.decision === undefined ? [] : [report.decision.tid])]
  const known = findByVictim(book, ids, (f) => f.report === undefined && near(f.case.tsNs, report.tsNs))
  if (report.noKillable) settleChanged(model)
  const silent = known !== undefined || !report.noKillable ? undefined
    : book.open.findLast((f) => f.report === undefined && f.case.noKill === true && near(f.case.tsNs, report.tsNs) && f.decisions.some((d) => d.tid === report.invokerTid))
  if (book.log.before === undefined) for (const facts of book.open) endReport(model, facts)
  const before = known === undefined && silent === undefined ? sameImpasse(book, report) : undefined
  if (before !== undefined) {
    before.foldedReports += before.lastFolded === report ? 0 : 1
    before.lastFolded = report
    // Only counted: thousands a second may follow, for as long as somebody needs memory.
    markDirty(model, before)
    return
  }
  const target = known ?? silent ?? openCase(model, {})
  attachReport(model, target, report)
  joinPending(model, target, report)
  joinMarks(model, target, report)
  touch(model, target)
}

/**
 * The case of the same limit when still nobody might be killed: try_charge fails, the page fault asks again at once (pagefault_out_of_memory), and each
 * time the OOM killer runs and writes a report.
 */
function sameImpasse(book: CaseBook, report: OomReport): CaseFacts | undefined {
  if (!isImpasse(report) || report.statsPath === undefined) return undefined
  return book.open.findLast((f) => f.report !== undefined && isImpasse(f.report) && f.report.statsPath === report.statsPath && near(f.report.tsNs, report.tsNs))
}

const isImpasse = ({ noKillable, mixed, killed, exiting }: OomReport): boolean => noKillable && !mixed && killed.length + exiting.length === 0

/** A decision of the same thread that has named no victim yet. */
function joinPending(model: NodeModel, facts: CaseFacts, report: OomReport): void {
  const book = model.caseBook
  if (facts.decisions.length > 0) return
  const pending = book.decisions.findLast((d) => !book.caseOf.has(d) && !book.foldedInto.has(d) && d.end === undefined && d.begin !== undefined && near(d.fromNs, report.tsNs) &&
    (d.tid === report.invokerTid || d.picks.some((p) => p.pid === report.decision?.tid)))
  if (pending !== undefined) attach(model, facts, pending)
}

/** The log says who was killed together: marks that stood alone belong to it. */
function joinMarks(model: NodeModel, facts: CaseFacts, report: OomReport): void {
  const book = model.caseBook, tids = new Set(report.killed.map((k) => k.tid))
  for (const d of [...book.decisions]) {
    if (!isOnlyMarks(d) || !near(d.fromNs, report.tsNs) || !d.marks.some((m) => tids.has(m.victimTid))) continue
    const other = book.caseOf.get(d)
    if (other === facts || !hasRoom(facts, d)) continue
    if (other === undefined) attach(model, facts, d)
    else if (other.report === undefined && other.decisions.every(isOnlyMarks)) mergeFacts(model, facts, other)
  }
}

/** Touches the cases in which this thread or process is a victim, and gives pending decisions another chance. */
function touchVictim(model: NodeModel, id: number, within: { readonly tsNs: number; readonly forNs: number }): void {
  for (const facts of model.caseBook.open) if (Math.abs(within.tsNs - facts.case.tsNs) <= within.forNs && victimIds(facts).includes(id)) touch(model, facts)
}

export function applySignal(model: NodeModel, event: EventOf<'signal'>): void {
  const book = model.caseBook
  book.sawSignals = true
  applySentSignal(model, event)
  if (event.signo !== SIGKILL || event.code !== SI_KERNEL) return
  const before = book.signals.get(event.targetTid)
  // The sweep of oom.group signals the main victim again (result 1 or 2): the first one killed it.
  if (before === undefined || before.senderTid !== event.senderTid || !near(before.tsNs, event.tsNs) || event.tsNs < before.tsNs) remember(book.signals, event.targetTid, event)
  for (const d of book.decisions) if (d.tid === event.senderTid && !book.caseOf.has(d) && d.marks.some((m) => m.victimTid === event.targetTid)) tryOpen(model, d)
  touchVictim(model, event.targetTid, { tsNs: event.tsNs, forNs: JOIN_NS })
  // A dying process takes others with it.
  if (event.senderPid !== event.targetTid) touchVictim(model, event.senderPid, { tsNs: event.tsNs, forNs: JOIN_NS })
}

export function applyExit(model: NodeModel, event: EventOf<'task_exit'>): void {
  remember(model.caseBook.exits, event.pid, event)
  touchVictim(model, event.pid, { tsNs: event.tsNs, forNs: EXIT_NS })
  if (!isVictim(model, event)) joinExit(model, event)
}

/** Died in a decision of the OOM killer, whatever signals came besides. */
const isVictim = (model: NodeModel, exit: EventOf<'task_exit'>): boolean =>
  model.caseBook.open.some((facts) => strokeOf(facts) === undefined && !killedNobody(facts) && near(facts.case.tsNs, exit.tsNs) && victimIds(facts).includes(exit.pid))

/** The limits of a memcg were read: a decision may have come before its first reading. */
export function applyLateLimits(model: NodeModel, memcgId: number): void {
  for (const facts of model.caseBook.open) if (awaitsLimits(facts, memcgId)) touch(model, facts)
}

export function applyReap(model: NodeModel, event: EventOf<'oom_reap'>): void {
  const FINISHED = 3
  if (event.phase !== FINISHED) return
  remember(model.caseBook.reaps, event.victimTid, event)
  touchVictim(model, event.victimTid, { tsNs: event.tsNs, forNs: EXIT_NS })
}

/** memory.events oom_kill rose: it confirms the cases of victims inside that memcg. */
export function applyEventRise(model: NodeModel, rise: EventRise): void {
  const book = model.caseBook
  book.eventRises.push(rise)
  if (book.eventRises.length > MAX_SEEN) book.eventRises.shift()
  if (rise.kills > 0) book.unclaimed.push(rise)
  if (book.unclaimed.length > MAX_SEEN) book.unclaimed.shift()
  for (const facts of book.open) if (near(facts.case.tsNs, rise.toNs)) touch(model, facts)
}

/** Nothing more will come of a report that names its victim. */
function endReport(model: NodeModel, facts: CaseFacts): void {
  if (facts.report === undefined || facts.report.killed.length === 0 || facts.superseded === true) return
  facts.superseded = true
  markDirty(model, facts)
}

/** A log was read to its end. */
export function endOfLog(model: NodeModel): void {
  for (const facts of model.caseBook.open) endReport(model, facts)
}

/** A command line that was read of a victim after its case was merged. */
export function applyVictimCommand(model: NodeModel, { pid, tsNs }: EventOf<'process_command'>): void {
  const facts = findByVictim(model.caseBook, [pid], ({ case: target }) => near(target.tsNs, tsNs) && target.victims.some((victim) => victim.pid === pid && victim.program === undefined))
  if (facts !== undefined) markDirty(model, facts)
}
