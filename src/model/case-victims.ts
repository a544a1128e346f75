/** Who died: one victim per process, named by whatever saw it. Threads stand for processes in half of the rows: see pidOf. */
import type { EventOf } from '../event/event.ts'
import { isKilledMark, near, type CaseFacts } from './case-facts.ts'
import { namedTid } from './case-limit.ts'
import type { Victim } from './case.ts'
import type { Decision } from './decision.ts'
import type { TaskRow } from './kernel-log-tasks.ts'
import { pageBytesOf } from './log-node.ts'
import { completePath } from './memcgs.ts'
import type { NodeModel } from './node.ts'

/** mark_victim, signals and "Killed process" carry a thread id when the leader is gone (kernel: find_lock_task_mm). */
function pidsByTid(facts: CaseFacts): Map<number, number> {
  const pids = new Map<number, number>()
  for (const row of facts.report?.tasks ?? []) pids.set(row.tid, row.pid)
  for (const d of facts.decisions) for (const mark of d.marks) {
    const pid = mark.pid ?? pidByOrder(d, mark)
    if (pid !== undefined) pids.set(mark.victimTid, pid)
  }
  return pids
}

/** __oom_kill_process() signals and marks before the next victim's turn: the last kill before a mark is its process. */
function pidByOrder(d: Decision, mark: EventOf<'mark_victim'>): number | undefined {
  if (d.kills.some((k) => k.pid === mark.victimTid)) return mark.victimTid
  return d.kills.findLast((k) => k.tsNs <= mark.tsNs)?.pid
}

type Victims = Map<number, Victim>

function victimOf(victims: Victims, pid: number): Victim {
  const known = victims.get(pid)
  if (known !== undefined) return known
  const victim: Victim = { pid, tids: [], killedBy: { pid: 0, comm: 'kernel' } }
  victims.set(pid, victim)
  return victim
}

const bytes = (kb: number): number => kb * 1024

function fromMark(victim: Victim, mark: EventOf<'mark_victim'>): void {
  if (!victim.tids.includes(mark.victimTid)) victim.tids.push(mark.victimTid)
  victim.killNs = Math.min(victim.killNs ?? mark.tsNs, mark.tsNs)
  if (mark.comm !== undefined) victim.comm ??= mark.comm
  if (mark.memcgId !== undefined && mark.memcgId > 0) victim.memcgId ??= mark.memcgId
  if (mark.oomScoreAdj !== undefined) victim.oomScoreAdj ??= mark.oomScoreAdj
  if (mark.totalVmKb !== undefined) victim.totalVmBytes = bytes(mark.totalVmKb)
  if (mark.anonKb !== undefined) victim.anonBytes = bytes(mark.anonKb)
  if (mark.fileKb !== undefined) victim.fileBytes = bytes(mark.fileKb)
  if (mark.shmemKb !== undefined) victim.shmemBytes = bytes(mark.shmemKb)
  if (mark.pgtablesKb !== undefined) victim.pgtablesBytes = bytes(mark.pgtablesKb)
}

function fromProbe(model: NodeModel, facts: CaseFacts, victims: Victims, pids: Map<number, number>): void {
  const exiting = new Set(facts.report?.exiting.map((tid) => pids.get(tid) ?? tid)), inLog = new Set(facts.report?.killed.map((k) => k.tid))
  for (const d of facts.decisions) {
    // A decision cut off after its choice: whoever was picked was killed next, as far as anybody can say.
    const cut = d.end === undefined && d.kills.length + d.marks.length === 0 && facts.report === undefined
    for (const kill of cut ? d.picks : d.kills) {
      if (exiting.has(kill.pid)) continue
      const victim = victimOf(victims, kill.pid)
      victim.comm ??= kill.comm
      victim.memcgId ??= kill.memcgId
      victim.oomScoreAdj ??= kill.oomScoreAdj
      if ('pgtablesBytes' in kill) {
        victim.pgtablesBytes ??= kill.pgtablesBytes
        if (model.hello !== undefined) victim.totalVmBytes ??= kill.totalVmPages * model.hello.pageSizeBytes
        victim.killNs ??= kill.tsNs
      }
    }
    for (const mark of d.marks) {
      if (inLog.has(mark.victimTid) || isKilledMark(model.caseBook, d, mark)) fromMark(victimOf(victims, pids.get(mark.victimTid) ?? mark.victimTid), mark)
    }
  }
}

function fromLog(facts: CaseFacts, victims: Victims, pids: Map<number, number>): void {
  for (const line of facts.report?.killed ?? []) {
    const victim = victimOf(victims, pids.get(line.tid) ?? line.tid)
    if (!victim.tids.includes(line.tid)) victim.tids.push(line.tid)
    victim.comm ??= line.comm
    victim.totalVmBytes ??= bytes(line.totalVmKb)
    victim.anonBytes ??= bytes(line.anonKb)
    victim.fileBytes ??= bytes(line.fileKb)
    if (line.shmemKb !== undefined) victim.shmemBytes ??= bytes(line.shmemKb)
    if (line.pgtablesKb !== undefined) victim.pgtablesBytes ??= bytes(line.pgtablesKb)
    if (line.oomScoreAdj !== undefined) victim.oomScoreAdj ??= line.oomScoreAdj
  }
}

/** By pid: a group may be a thousand processes. */
type Known = { readonly before: ReadonlyMap<number, Victim>; readonly rows: ReadonlyMap<number, TaskRow> }

/** The rest of a victim's life: the signal, the exit, its place. */
function complete(model: NodeModel, facts: CaseFacts, victim: Victim, known: Known): void {
  const { signals, exits } = model.caseBook, ids = [victim.pid, ...victim.tids]
  const signal = ids.map((id) => signals.get(id)).find((s) => s !== undefined && near(s.tsNs, victim.killNs ?? facts.case.tsNs))
  if (signal !== undefined) victim.killNs = Math.min(victim.killNs ?? signal.tsNs, signal.tsNs)
  const before = known.before.get(victim.pid)
  const exit = exits.get(victim.pid), killNs = victim.killNs ?? facts.decisions[0]?.fromNs ?? facts.report?.tsNs ?? facts.case.tsNs
  // Rows run back by milliseconds; an exit well before the kill was another process with this pid.
  if (exit !== undefined && exit.tsNs >= killNs - 20e6 && (victim.memcgId === undefined || exit.memcgId === 0 || exit.memcgId === victim.memcgId)) {
    // The first exit after the kill: a later one is another process with the same pid.
    victim.exitNs = Math.min(exit.tsNs, before?.exitNs ?? exit.tsNs)
    if (exit.memcgId > 0) victim.memcgId ??= exit.memcgId
    if (victim.killNs !== undefined) victim.msToExit = Math.max(0, victim.exitNs - victim.killNs) / 1e6
  }
  const row = known.rows.get(victim.pid), pageBytes = pageBytesOf(model, facts.report)
  if (row !== undefined && pageBytes !== undefined) victim.swapBytes = row.swapPages * pageBytes
  const { names } = facts, named = namedTid(facts.report), memcg = victim.memcgId === undefined ? undefined : model.memcgs.get(victim.memcgId)
  const logged = names !== undefined && names !== 'ambiguous' && named !== undefined && ids.includes(named) ? names.taskPath : undefined
  if (memcg !== undefined && logged !== undefined) completePath(model, memcg, logged)
  const found = memcg?.path ?? logged ?? before?.path
  if (found !== undefined) victim.path = found
}

/** All victims, the chosen one first, then in order of death. */
export function victimsOf(model: NodeModel, facts: CaseFacts): Victim[] {
  const victims: Victims = new Map(), pids = pidsByTid(facts)
  fromProbe(model, facts, victims, pids)
  fromLog(facts, victims, pids)
  const known = { before: new Map(facts.case.victims.map((v) => [v.pid, v])), rows: new Map((facts.report?.tasks ?? []).map((row) => [row.pid, row])) }
  for (const victim of victims.values()) complete(model, facts, victim, known)
  const chosen = chosenPids(facts)
  return [...victims.values()].sort((a, b) => Number(chosen.includes(b.pid)) - Number(chosen.includes(a.pid)) || (a.killNs ?? 0) - (b.killNs ?? 0) || a.pid - b.pid)
}

/** Whom the kernel picked: the others of a memory.oom.group die with it. */
export function chosenPids(facts: CaseFacts): number[] {
  const picked = facts.decisions.flatMap((d) => d.picks.map((p) => p.pid))
  if (picked.length > 0) return picked
  const tid = namedTid(facts.report) ?? facts.report?.killed[0]?.tid ?? facts.decisions[0]?.marks[0]?.victimTid
  return tid === undefined ? [] : [pidsByTid(facts).get(tid) ?? tid]
}
