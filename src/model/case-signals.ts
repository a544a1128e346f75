/**
 * Processes that died by a signal of another process: not the OOM killer's, but with exit code 137 they look the same from outside.
 * Two witnesses are needed for each: the probe saw the signal being sent, and the process really exited by it.
 */
import type { EventOf } from '../event/event.ts'
import { markDirty, openCase, touch } from './case-book.ts'
import { near, type CaseFacts } from './case-facts.ts'
import type { Evidence, KillCase, Victim } from './case.ts'
import type { NodeModel } from './node.ts'
import { hadBegun, processAt } from './processes.ts'

type Signal = EventOf<'signal'>
type Exit = EventOf<'task_exit'>

/** The newest deadly signal to a process, and the polite one before it. */
export type SentTo = { kill?: Signal; term?: Signal }
/** One stroke: the same sender, the same cgroup, at most this far apart. */
export type Stroke = { readonly by: Signal; readonly memcgId: number; readonly victims: Map<number, { readonly exit: Exit; readonly kill: Signal; readonly term: Signal | undefined }> }

const SIGKILL = 9, SIGTERM = 15, SI_KERNEL = 128
/** cgroup.kill sends so to every task (kernel/cgroup: send_sig()); tgkill() to one has SI_TKILL. */
const SI_USER = 0
const IGNORED = 1
/** A killed process may hang in the kernel for long; later it is another process with this pid. */
const EXIT_NS = 60e9
/** Rows of two CPUs swap places by milliseconds. */
const SLACK_NS = 20e6
const STROKE_NS = 2e9
/** The longest grace period that is still taken for one. */
const GRACE_NS = 3600e9
const MAX_SENT = 1024, MAX_VICTIMS = 1024

/** They ask with SIGTERM first; from anybody else SIGTERM is how things end every day. */
const OOM_DAEMONS = /^(?:systemd-oomd|oomd|earlyoom|nohang|low-memory-moni|lmkd|bustd|thrash-protect)$/
export const isOomDaemon = (comm: string): boolean => OOM_DAEMONS.test(comm)

/** Pids come again within minutes on a busy node, and who ends in peace upon SIGTERM is not told: is this one younger than its signals? */
function isAnother(model: NodeModel, { term, kill }: SentTo, { targetTid, targetComm, tsNs }: Signal): boolean {
  const earlier = term ?? kill, own = processAt(model, targetTid, tsNs)
  if (earlier === undefined || earlier.tsNs >= tsNs) return false
  return own === undefined ? earlier.targetComm !== targetComm : !hadBegun(model, own, earlier.tsNs)
}

/** A signal that a process sent. */
export function applySentSignal(model: NodeModel, event: Signal): void {
  const { sent } = model.caseBook
  if (event.code === SI_KERNEL || (event.signo !== SIGKILL && event.signo !== SIGTERM)) return
  const before = sent.get(event.targetTid), to = before === undefined || isAnother(model, before, event) ? {} : before
  // A process without a handler ignores SIGTERM when it is the first of its pid namespace: it was asked all the same.
  if (event.signo === SIGTERM) to.term ??= event
  else if (event.result !== IGNORED && (to.kill === undefined || Math.abs(event.tsNs - to.kill.tsNs) > EXIT_NS)) to.kill = event
  if (to.term !== undefined && to.term.tsNs < event.tsNs - GRACE_NS) delete to.term
  sent.delete(event.targetTid)
  sent.set(event.targetTid, to)
  if (sent.size > MAX_SENT) for (const oldest of sent.keys()) { sent.delete(oldest); break }
  const exit = model.caseBook.exits.get(event.targetTid)
  if (exit !== undefined) joinExit(model, exit)
}

const diedOf = (exit: Exit, kill: Signal | undefined): boolean =>
  kill !== undefined && (exit.exitCode & 127) === kill.signo && exit.tsNs >= kill.tsNs - SLACK_NS && exit.tsNs - kill.tsNs < EXIT_NS

/** An exit: by whose hand? */
export function joinExit(model: NodeModel, exit: Exit): void {
  const book = model.caseBook, to = book.sent.get(exit.pid)
  if (to === undefined || exit.memcgId === 0 || model.memcgs.get(exit.memcgId)?.path === '/') return
  const kill = diedOf(exit, to.kill) ? to.kill : diedOf(exit, to.term) && isOomDaemon(to.term?.senderComm ?? '') ? to.term : undefined
  const byKernel = book.signals.get(exit.pid)
  if (kill === undefined || kill.senderPid === exit.pid || (byKernel !== undefined && byKernel.tsNs <= exit.tsNs + SLACK_NS && near(byKernel.tsNs, exit.tsNs))) return
  book.sent.delete(exit.pid)
  const victim = { exit, kill, term: to.term === kill ? undefined : to.term }
  const known = book.open.findLast(({ stroke }) => stroke !== undefined && stroke.memcgId === exit.memcgId && stroke.by.senderComm === kill.senderComm && stroke.by.signo === kill.signo &&
    stroke.by.senderMemcgId === kill.senderMemcgId && Math.abs(stroke.by.tsNs - kill.tsNs) < STROKE_NS)
  if (known?.stroke !== undefined) {
    if (known.stroke.victims.size < MAX_VICTIMS) known.stroke.victims.set(exit.pid, victim)
    known.needsMerge = true
    markDirty(model, known)
    return
  }
  const facts = openCase(model, {})
  book.strokes.push(facts.case)
  facts.stroke = { by: kill, memcgId: exit.memcgId, victims: new Map([[exit.pid, victim]]) }
  touch(model, facts)
}

/** Is the case about a signal? A decision of the OOM killer that names the same victim is the better story. */
export const strokeOf = (facts: CaseFacts): Stroke | undefined => (facts.decisions.length > 0 || facts.report !== undefined ? undefined : facts.stroke)

function victimOf(model: NodeModel, { exit, kill }: { readonly exit: Exit; readonly kill: Signal }): Victim {
  const path = model.memcgs.get(exit.memcgId)?.path
  return {
    pid: exit.pid, comm: exit.comm, memcgId: exit.memcgId, tids: [exit.pid], killedBy: { pid: kill.senderPid, comm: kill.senderComm }, killNs: kill.tsNs, exitNs: exit.tsNs,
    msToExit: Math.max(0, exit.tsNs - kill.tsNs) / 1e6, ...(path === undefined ? {} : { path }),
  }
}

function evidenceOf(stroke: Stroke): Evidence[] {
  const out: Evidence[] = [], strokes = [...stroke.victims.values()], MAX_TOLD = 8
  for (const { exit, kill, term } of strokes.slice(0, MAX_TOLD)) {
    if (term !== undefined) out.push({ fact: `SIGTERM to ${exit.comm} (pid ${exit.pid}) from ${term.senderComm} (pid ${term.senderPid}), ${((kill.tsNs - term.tsNs) / 1e9).toFixed(1)} s before`, source: 'tracepoint signal:signal_generate' })
    out.push({ fact: `${kill.signo === SIGKILL ? 'SIGKILL' : 'SIGTERM'} to ${exit.comm} (pid ${exit.pid}) from ${kill.senderComm} (pid ${kill.senderPid}), code ${kill.code}`, source: 'tracepoint signal:signal_generate' })
    out.push({ fact: `${exit.comm} (pid ${exit.pid}) exited by signal ${exit.exitCode & 127}`, source: 'tracepoint sched:sched_process_exit' })
  }
  if (strokes.length > MAX_TOLD) out.push({ fact: `${strokes.length - MAX_TOLD} more processes`, source: 'as above' })
  return out
}

/** Writes what a stroke says into its case. */
export function mergeStroke(model: NodeModel, target: KillCase, stroke: Stroke): void {
  const { by } = stroke, victims = [...stroke.victims.values()].sort((a, b) => a.kill.tsNs - b.kill.tsNs || a.exit.pid - b.exit.pid), [first] = victims
  const senderPath = model.memcgs.get(by.senderMemcgId)?.path, term = victims.map((victim) => victim.term).find((signal) => signal !== undefined)
  target.victims = victims.map((victim) => victimOf(model, victim))
  target.tsNs = first?.kill.tsNs ?? by.tsNs
  target.sentSignal = {
    signo: by.signo, code: by.code, oneByOne: by.group === 0 && by.code === SI_USER, sender: { pid: by.senderPid, comm: by.senderComm, ...(by.senderMemcgId > 0 ? { memcgId: by.senderMemcgId } : {}), ...(senderPath === undefined ? {} : { path: senderPath }) },
    ...(term === undefined || first === undefined ? {} : { graceNs: first.kill.tsNs - term.tsNs, asker: { pid: term.senderPid, comm: term.senderComm }, ...(term.result === IGNORED ? { termIgnored: true as const } : {}) }),
  }
  target.witnesses = ['signal', 'exit']
  target.closed = true
  target.evidence = evidenceOf(stroke)
}
