/** The kernel log's account of one OOM decision, gathered line by line; lines of one decision follow each other because oom_lock is held. */
import type { EventOf } from '../event/event.ts'
import { parseKernelLine, parseTaskRow, type KernelLine, type KilledLine, type TaskRow, type UsageOf } from './kernel-log.ts'

type LineOf<K extends KernelLine['is']> = Extract<KernelLine, { readonly is: K }>

export type OomReport = {
  /** When the first line was read (CLOCK_MONOTONIC); the log's own clock is another one. */
  readonly tsNs: number
  invoked?: LineOf<'invoked'>
  /** A thread id: "CPU: 1 PID: 395 Comm: …" prints current->pid. */
  invokerTid?: number
  decision?: LineOf<'decision'>
  readonly usage: Partial<Record<UsageOf, LineOf<'usage'>>>
  statsPath?: string
  readonly stats: Record<string, number>
  columns?: readonly string[]
  readonly tasks: TaskRow[]
  tasksOmitted: number
  /** With memory.oom.group the main victim is written twice: kept once. */
  readonly killed: KilledLine[]
  /** Threads that were "already exiting": chosen, not killed. */
  readonly exiting: number[]
  groupPath?: string
  noKillable: boolean
  sysrq: boolean
}

/** Where reading stands. */
export type KernelLog = { report?: OomReport | undefined; lastSeq: number; lastUs: number; sysrqUs: number; /** Of the open report's "oom-kill:" line. */ decisionSeq: number }

export const createKernelLog = (): KernelLog => ({ lastSeq: -1, lastUs: 0, sysrqUs: Number.NEGATIVE_INFINITY, decisionSeq: Number.NaN })

const MAX_TASKS = 4096
/** Silence in the log after which a line without its header is about another decision. */
const SILENCE_US = 5e6

function begin(log: KernelLog, event: EventOf<'kmsg'>): OomReport {
  const report: OomReport = { tsNs: event.tsNs, usage: {}, stats: {}, tasks: [], tasksOmitted: 0, killed: [], exiting: [], noKillable: false, sysrq: event.kmsgUs - log.sysrqUs < SILENCE_US }
  log.report = report
  log.sysrqUs = Number.NEGATIVE_INFINITY
  return report
}

/** dump_header() is rate-limited, "Killed process" is not: a kill that does not fit the open report is a report of its own. */
function reportOfVictim(log: KernelLog, event: EventOf<'kmsg'>, tid: number): OomReport {
  const report = log.report
  if (report === undefined || event.kmsgUs - log.lastUs > SILENCE_US || report.noKillable) return begin(log, event)
  const expected = report.killed.length === 0 && report.exiting.length === 0 && isChosen(log, report, { tid, seq: event.seq })
  return expected || report.groupPath !== undefined || report.killed.some((k) => k.tid === tid) ? report : begin(log, event)
}

/**
 * Is this thread the task of the "oom-kill:" line? That one is a process; __oom_kill_process() then takes the thread that still has
 * the memory (find_lock_task_mm), which the task table joins, or, without a table, that nothing is logged in between.
 */
function isChosen(log: KernelLog, { decision, tasks }: OomReport, of: { readonly tid: number; readonly seq: number }): boolean {
  if (decision === undefined || decision.tid === of.tid || of.seq === log.decisionSeq + 1) return true
  return tasks.some((row) => row.tid === of.tid && row.pid === decision.tid)
}

function addTask(report: OomReport, text: string): void {
  const row = report.columns === undefined ? undefined : parseTaskRow(text, report.columns)
  if (row === undefined) return
  if (report.tasks.length < MAX_TASKS) report.tasks.push(row)
  else report.tasksOmitted += 1
}

/** Lines that only describe: they are kept until a line says what became of it. */
function describe(report: OomReport, line: KernelLine): void {
  switch (line.is) {
    case 'invoker': report.invokerTid ??= line.tid; break
    case 'usage': report.usage[line.of] ??= line; break
    case 'stats-of': report.statsPath ??= line.path; break
    case 'stat': if (report.statsPath !== undefined && report.columns === undefined && Object.keys(report.stats).length < 200) report.stats[line.name] ??= line.value; break
    case 'table': report.columns ??= line.columns; break
    case 'task': addTask(report, line.text); break
    default: break
  }
}

/** Folds one line in; returns the report when the line named a victim or said that there is none. */
export function readKernelLine(log: KernelLog, event: EventOf<'kmsg'>): OomReport | undefined {
  if (event.seq <= log.lastSeq) return undefined
  log.lastSeq = event.seq
  const line = parseKernelLine(event.text)
  if (line === undefined) return undefined
  const changed = fold(log, event, line)
  log.lastUs = event.kmsgUs
  return changed
}

function fold(log: KernelLog, event: EventOf<'kmsg'>, line: KernelLine): OomReport | undefined {
  switch (line.is) {
    case 'sysrq':
      log.sysrqUs = event.kmsgUs
      return undefined
    case 'invoked':
      begin(log, event).invoked = line
      return undefined
    case 'killed': {
      const report = reportOfVictim(log, event, line.tid)
      if (!report.killed.some((k) => k.tid === line.tid)) report.killed.push(line)
      return report
    }
    case 'exiting': {
      const report = reportOfVictim(log, event, line.tid)
      report.exiting.push(line.tid)
      return report
    }
    case 'reaped':
      return undefined
    default:
      return foldIntoOpen(log, event, line)
  }
}

function foldIntoOpen(log: KernelLog, event: EventOf<'kmsg'>, line: KernelLine): OomReport | undefined {
  let report = log.report
  if (report === undefined || event.kmsgUs - log.lastUs > SILENCE_US) {
    // Without its header nothing can be said about what follows, except that nobody could be killed.
    if (line.is !== 'no-killable') return undefined
    report = begin(log, event)
  }
  if (line.is === 'decision') {
    report.decision ??= line
    log.decisionSeq = event.seq
  } else if (line.is === 'group') report.groupPath ??= line.path
  else if (line.is === 'no-killable') report.noKillable = true
  else {
    describe(report, line)
    return undefined
  }
  return report
}
