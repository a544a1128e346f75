/** Rows of the probes inside a decision → cases: a kill opens one, a run without a kill belongs to the victim that is still exiting. */
import type { EventOf } from '../event/event.ts'
import { attach, findByVictim, hasRoom, markDirty, mergeFacts, openCase, settleChanged, touch } from './case-book.ts'
import { isKilledMark, JOIN_NS, near, type CaseFacts } from './case-facts.ts'
import { absorb, isOnlyMarks, joinDecision, type Decision, type DecisionEvent } from './decision.ts'
import type { NodeModel } from './node.ts'

const MAX_DECISIONS = 128

/** Begin and end alone make no case: something must say that it is over, or who dies. */
const isSilent = (d: Decision): boolean => d.kills.length + d.marks.length === 0

/** Threads and processes that this decision certainly killed. */
function killedIds(model: NodeModel, d: Decision): number[] {
  const book = model.caseBook, ids = d.kills.map((k) => k.pid)
  for (const mark of d.marks) {
    const logged = book.open.some((f) => f.report !== undefined && near(f.report.tsNs, mark.tsNs) && f.report.killed.some((k) => k.tid === mark.victimTid))
    if (logged || isKilledMark(book, d, mark)) ids.push(mark.victimTid, mark.pid ?? mark.victimTid)
  }
  return ids
}

/** A row of a probe inside a decision, or mark_victim. */
export function applyDecisionRow(model: NodeModel, event: DecisionEvent): void {
  const book = model.caseBook, d = joinDecision(book.decisions, event)
  // Only these two move its bounds: a row between them joins it at once.
  if (event.kind === 'oom_begin' || event.kind === 'oom_end') for (const piece of absorb(book.decisions, d)) adopt(model, piece, d)
  if (book.decisions.length > MAX_DECISIONS) {
    const oldest = book.decisions.shift()
    if (oldest !== undefined) book.foldedInto.delete(oldest)
  }
  const facts = book.caseOf.get(d)
  if (facts !== undefined) {
    // Thousands of candidates come before a row that ends them; only late ones are worth a merge each.
    if (event.kind !== 'oom_candidate' || d.end !== undefined) touch(model, facts)
  } else tryOpen(model, d)
  if (event.kind === 'oom_begin') closeOlder(model, event)
}

/** A loose piece had a case of its own: it becomes the whole decision's, unless that has one already. */
function adopt(model: NodeModel, piece: Decision, whole: Decision): void {
  const book = model.caseBook, theirs = book.caseOf.get(piece), ours = book.caseOf.get(whole)
  book.caseOf.delete(piece)
  if (theirs === undefined) return
  theirs.decisions.splice(theirs.decisions.indexOf(piece), 1)
  if (ours === undefined) attach(model, theirs, whole)
  else if (ours !== theirs) mergeFacts(model, ours, theirs)
}

export function tryOpen(model: NodeModel, d: Decision): void {
  const book = model.caseBook, ids = killedIds(model, d)
  if (ids.length > 0) {
    unfold(model, d)
    const known = findByVictim(book, ids, (f) => hasRoom(f, d) && near(f.case.tsNs, d.fromNs)) ?? sameSweep(model, d)
    if (known === undefined) touch(model, openCase(model, { decision: d }))
    else {
      attach(model, known, d)
      touch(model, known)
    }
    return
  }
  if (d.begin !== undefined && d.end !== undefined) noKill(model, d)
}

/** mark_victim alone cannot tell memory.oom.group from two decisions; the limits do. */
function sameSweep(model: NodeModel, d: Decision): CaseFacts | undefined {
  const mark = d.marks[0]
  if (!isOnlyMarks(d) || mark?.memcgId === undefined) return undefined
  const group = groupOf(model, mark.memcgId)
  if (group === undefined) return undefined
  return model.caseBook.open.findLast((f) => f.report === undefined && hasRoom(f, d) && f.decisions.some((o) => o.tid === d.tid && Math.abs(o.toNs - d.fromNs) < JOIN_NS / 10 &&
    o.marks.some((m) => m.memcgId !== undefined && groupOf(model, m.memcgId) === group)))
}

/** The topmost ancestor-or-self with memory.oom.group. */
function groupOf(model: NodeModel, memcgId: number): number | undefined {
  let group: number | undefined
  for (let memcg = model.memcgs.get(memcgId), depth = 0; memcg !== undefined && depth < 64; memcg = model.memcgs.get(memcg.parentId), depth += 1) if (memcg.limits?.oomGroup === true) group = memcg.id
  return group
}

/** Nobody was killed: usually because the victim of a moment ago has not gone yet. Then it is part of that case. */
function noKill(model: NodeModel, d: Decision): void {
  const book = model.caseBook, begin = d.begin
  if (begin === undefined || book.foldedInto.has(d)) return
  settleChanged(model)
  const logged = book.open.findLast((f) => f.report?.noKillable === true && f.report.invokerTid === d.tid && f.decisions.length === 0 && near(f.report.tsNs, begin.tsNs))
  if (logged !== undefined) {
    attach(model, logged, d)
    touch(model, logged)
    return
  }
  const dying = book.open.findLast((f) => f.case.tsNs < begin.tsNs && begin.tsNs - f.case.tsNs < JOIN_NS && (f.case.limit?.memcgId ?? -1) === begin.memcgId &&
    (f.case.victims.some((v) => v.exitNs === undefined || v.exitNs > begin.tsNs) || isSameWait(model, f, d)))
  if (dying === undefined) {
    touch(model, openCase(model, { decision: d }))
    return
  }
  dying.folded += 1
  book.foldedInto.set(d, dying)
  // Only counted: the next of a storm of such runs need not merge it again.
  markDirty(model, dying)
}

/** Nobody was killed before either, because the same one is still dying or nobody may be killed: every page that is asked for meanwhile invokes the OOM killer again. */
function isSameWait(model: NodeModel, { case: before, report }: CaseFacts, d: Decision): boolean {
  if (before.noKill !== true || before.picked !== undefined || before.unseenVictims !== undefined || report?.noKillable === false) return false
  const { exitingPid } = before, exit = exitingPid === undefined ? undefined : model.caseBook.exits.get(exitingPid), atNs = d.begin?.tsNs ?? d.fromNs
  const named = [...d.picks.map(({ pid }) => pid), ...d.marks.map((mark) => mark.pid ?? mark.victimTid)]
  return (exit === undefined || exit.tsNs > atNs || exit.tsNs < before.tsNs) && named.every((pid) => pid === exitingPid)
}

/** It did kill: a row came late. */
function unfold(model: NodeModel, d: Decision): void {
  const facts = model.caseBook.foldedInto.get(d)
  if (facts === undefined) return
  model.caseBook.foldedInto.delete(d)
  facts.folded -= 1
  touch(model, facts)
}

/** oom_lock: a new decision means that the ones before are over, also when their last rows never came. */
function closeOlder(model: NodeModel, begin: EventOf<'oom_begin'>): void {
  const book = model.caseBook
  for (const d of book.decisions) if (d.end === undefined && d.begin !== undefined && d.begin.tsNs < begin.tsNs) settleCut(model, d)
  for (const facts of book.open) {
    if (facts.superseded === true || facts.case.tsNs >= begin.tsNs) continue
    facts.superseded = true
    markDirty(model, facts)
  }
}

/** A decision whose rows end in the middle: the kernel log may have the rest, and whoever was picked was most likely killed. */
function settleCut(model: NodeModel, d: Decision): void {
  const book = model.caseBook, owner = book.caseOf.get(d)
  if (owner !== undefined) {
    touch(model, owner)
    return
  }
  if (!isSilent(d)) return
  const ids = d.picks.map((p) => p.pid)
  const known = findByVictim(book, ids, (f) => hasRoom(f, d) && near(f.case.tsNs, d.fromNs)) ?? book.open.findLast((f) => hasRoom(f, d) && f.report?.invokerTid === d.tid && near(f.report.tsNs, d.fromNs))
  if (known !== undefined) {
    attach(model, known, d)
    touch(model, known)
  } else if (ids.length > 0) touch(model, openCase(model, { decision: d }))
}

/** The tracer is gone: what it had begun to tell will not be finished. */
export function applyTracerEnd(model: NodeModel): void {
  for (const d of model.caseBook.decisions) if (d.end === undefined && d.begin !== undefined) settleCut(model, d)
}
