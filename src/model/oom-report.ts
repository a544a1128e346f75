/** The kernel log's account of one OOM decision, gathered line by line; lines of one decision follow each other because oom_lock is held. */
import type { EventOf } from '../event/event.ts'
import type { OomKillSplit } from './kernel-log-names.ts'
import { parseTaskRow, type TaskRow } from './kernel-log-tasks.ts'
import { parseKernelLine, type KernelLine, type KilledLine, type UsageOf } from './kernel-log.ts'

export type LineOf<K extends KernelLine['is']> = Extract<KernelLine, { readonly is: K }>

export type OomReport = {
  /** When the first line was read (CLOCK_MONOTONIC); the log's own clock is another one. */
  readonly tsNs: number
  /** Number of its first line in the log. */
  readonly seq: number
  invoked?: LineOf<'invoked'>
  /** A thread id: "CPU: 1 PID: 395 Comm: …" prints current->pid. */
  invokerTid?: number
  /** Of the kernel that wrote it. */
  release?: string
  decision?: LineOf<'decision'>
  choice?: LineOf<'choice'>
  /** 4.x: every reading of "Task in … killed as a result of limit of …". */
  limitOf?: readonly OomKillSplit[]
  readonly usage: Partial<Record<UsageOf, LineOf<'usage'>>>
  /** The limit holder. */
  statsPath?: string
  /** Of the limit holder and all below it. */
  readonly stats: Record<string, number>
  /** Until 5.1: what each memcg below the limit (and the holder itself) uses without its children. */
  readonly memcgs: Map<string, Readonly<Record<string, number>>>
  /** The whole node in pages, when the node ran out. */
  readonly nodePages: Record<string, number>
  readonly numaNodes: Set<number>
  /** NUMA node → zone → present memory. */
  readonly presentKb: Map<number, Map<string, number>>
  readonly swapKb: { Total?: number; Free?: number }
  allowedNodes?: string
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
  /** Lines of two reports stand between each other: only what names its process can be told apart. */
  mixed: boolean
}

/** Where reading stands. `before` is the report before `report`, if that had no end yet. */
export type KernelLog = {
  report?: OomReport | undefined; before?: OomReport | undefined
  lastSeq: number; lastUs: number; sysrqUs: number
  /** Of the open report's "oom-kill:" line. */
  decisionSeq: number
  /** Headers that the kernel's rate limit kept out of the log. */
  suppressed: number
  /** Swap of the node, where a report of the node told it. */
  totalSwapKb?: number
  pageBytes?: number
}

export const createKernelLog = (): KernelLog => ({ lastSeq: -1, lastUs: 0, sysrqUs: Number.NEGATIVE_INFINITY, decisionSeq: Number.NaN, suppressed: 0 })

const MAX_TASKS = 4096, MAX_STATS = 200, MAX_MEMCGS = 256
/** Silence in the log after which a line without its header is about another decision. */
const SILENCE_US = 5e6

const isFinished = (report: OomReport): boolean => report.killed.length + report.exiting.length > 0 || report.noKillable

function begin(log: KernelLog, event: EventOf<'kmsg'>): OomReport {
  const report: OomReport = {
    tsNs: event.tsNs, seq: event.seq, usage: {}, stats: {}, memcgs: new Map(), nodePages: {}, numaNodes: new Set(), presentKb: new Map(), swapKb: {}, tasks: [], tasksOmitted: 0, killed: [], exiting: [],
    noKillable: false, sysrq: event.kmsgUs - log.sysrqUs < SILENCE_US, mixed: false,
  }
  log.before = log.report !== undefined && !isFinished(log.report) && event.kmsgUs - log.lastUs < SILENCE_US ? log.report : undefined
  log.report = report
  log.sysrqUs = Number.NEGATIVE_INFINITY
  return report
}

/** Drops what names no process: it may be of either report. */
function unmix(report: OomReport): void {
  report.mixed = true
  for (const key of ['invoked', 'invokerTid', 'statsPath', 'limitOf', 'allowedNodes', 'release'] as const) Reflect.deleteProperty(report, key)
  for (const of of Object.keys(report.usage)) Reflect.deleteProperty(report.usage, of)
  for (const name of Object.keys(report.stats)) Reflect.deleteProperty(report.stats, name)
  for (const name of Object.keys(report.nodePages)) Reflect.deleteProperty(report.nodePages, name)
  report.memcgs.clear()
  report.numaNodes.clear()
  report.presentKb.clear()
  report.tasks.length = 0
  report.tasksOmitted = 0
}

/** A line that the newest report has already: the one before it is still being written, too. */
function mixUp(log: KernelLog): void {
  if (log.before === undefined || log.report === undefined) return
  unmix(log.before)
  unmix(log.report)
}

const claims = (report: OomReport | undefined, tid: number): boolean =>
  report !== undefined && (report.decision?.tid === tid || report.choice?.tid === tid || report.killed.some((k) => k.tid === tid))

/** dump_header() is rate-limited, "Killed process" is not: a kill that does not fit the open report is a report of its own. */
function reportOfVictim(log: KernelLog, event: EventOf<'kmsg'>, tid: number): OomReport {
  const { report, before } = log
  if (report === undefined || event.kmsgUs - log.lastUs > SILENCE_US || report.noKillable) return begin(log, event)
  if (before !== undefined && claims(before, tid) && !claims(report, tid)) return before
  // 4.x: a child of whoever was chosen may die instead.
  const expected = report.killed.length === 0 && report.exiting.length === 0 && (report.choice !== undefined || isChosen(log, report, { tid, seq: event.seq }))
  return expected || report.groupPath !== undefined || claims(report, tid) ? report : begin(log, event)
}

/**
 * Is this thread the task of the "oom-kill:" line? That one is a process; __oom_kill_process() then takes the thread that still has
 * the memory (find_lock_task_mm), which the task table joins, or, without a table, that nothing is logged in between.
 */
function isChosen(log: KernelLog, { decision, tasks }: OomReport, of: { readonly tid: number; readonly seq: number }): boolean {
  if (decision === undefined || decision.tid === of.tid || (of.seq === log.decisionSeq + 1 && log.before === undefined)) return true
  return tasks.some((row) => row.tid === of.tid && row.pid === decision.tid)
}

/** The report that a line naming the chosen process belongs to. */
function reportOfChoice(log: KernelLog, event: EventOf<'kmsg'>, has: 'decision' | 'choice'): OomReport {
  const { report, before } = log
  if (report === undefined || event.kmsgUs - log.lastUs > SILENCE_US) return begin(log, event)
  if (report[has] === undefined && !isFinished(report)) return report
  if (before !== undefined && before[has] === undefined && !isFinished(before)) {
    mixUp(log)
    return before
  }
  return begin(log, event)
}

function addTask(report: OomReport, text: string): void {
  const row = report.columns === undefined ? undefined : parseTaskRow(text, report.columns)
  // Two readers of one log (imklog and imjournal) write every line twice.
  if (row === undefined || report.tasks.at(-1)?.tid === row.tid) return
  if (report.tasks.length < MAX_TASKS) report.tasks.push(row)
  else report.tasksOmitted += 1
}

function addStats(report: OomReport, stats: Readonly<Record<string, number>>): void {
  let room = MAX_STATS - Object.keys(report.stats).length
  for (const [name, value] of Object.entries(stats)) if (report.stats[name] === undefined && room-- > 0) report.stats[name] = value
}

/** One line for each memcg of the subtree, each without its children: the whole is their sum. */
function addMemcg(report: OomReport, path: string, stats: Readonly<Record<string, number>>): void {
  if (report.memcgs.has(path) || report.memcgs.size >= MAX_MEMCGS) return
  report.memcgs.set(path, stats)
  for (const [name, value] of Object.entries(stats)) report.stats[name] = (report.stats[name] ?? 0) + value
}

const RELEASE = / (?:Not tainted|Tainted: [A-Z ()]+?) (\d+\.\d+\S*) /

function addInvoker(report: OomReport, line: LineOf<'invoker'>): void {
  if (report.invokerTid !== undefined || (report.invoked !== undefined && !line.rest.startsWith(`${report.invoked.comm} `))) return
  report.invokerTid = line.tid
  const release = RELEASE.exec(line.rest.slice(report.invoked?.comm.length ?? 0))?.[1]
  if (release !== undefined) report.release = release
}

function addNode(report: OomReport, { node, zone, presentKb }: LineOf<'numa-node'>): void {
  if (report.numaNodes.size >= 1024) return
  report.numaNodes.add(node)
  if (zone === undefined || presentKb === undefined) return
  const zones = report.presentKb.get(node) ?? new Map<string, number>()
  // An architecture has four or five.
  if (zones.size < 16 && !zones.has(zone)) report.presentKb.set(node, zones.set(zone, presentKb))
}

/** Lines that only describe: they are kept until a line says what became of it. */
function describe(log: KernelLog, report: OomReport, line: KernelLine): void {
  if (line.is === 'table') {
    if (report.columns !== undefined && report.tasks.length > 0 && log.before !== undefined && log.before.columns === undefined) mixUp(log)
    report.columns ??= line.columns
  }
  if (report.mixed || isFinished(report)) return
  switch (line.is) {
    case 'invoker': addInvoker(report, line); break
    case 'usage':
      if (report.usage[line.of] !== undefined && report.usage[line.of]?.limitKb !== line.limitKb && log.before?.usage[line.of] === undefined) mixUp(log)
      else report.usage[line.of] ??= line
      break
    case 'stats-of':
      report.statsPath ??= line.path
      if (line.stats !== undefined) addMemcg(report, line.path, line.stats)
      break
    case 'stats': if (report.statsPath !== undefined && report.columns === undefined) addStats(report, line.stats); break
    case 'limit-of': report.limitOf ??= line.splits; break
    case 'allowed': report.allowedNodes ??= line.nodes; break
    case 'numa-node': addNode(report, line); break
    case 'node-pages': for (const [name, pages] of Object.entries(line.pages)) report.nodePages[name] ??= pages; break
    case 'node-swap': report.swapKb[line.of] ??= line.kb; break
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
    case 'suppressed':
      log.suppressed += line.count
      return undefined
    case 'node-swap':
      if (line.of === 'Total') log.totalSwapKb = line.kb
      return foldIntoOpen(log, event, line)
    case 'invoked': {
      // Written twice: the same header again before anything followed.
      if (log.report?.invoked !== undefined && log.report.invokerTid === undefined && log.report.invoked.comm === line.comm && event.kmsgUs - log.lastUs < SILENCE_US / 1000) return undefined
      const report = begin(log, event)
      report.invoked = line
      // out_of_memory() of sysrq-f has order -1; a line "sysrq" may be about an OOM that was not logged.
      report.sysrq = line.order === -1
      return undefined
    }
    case 'decision': case 'choice': return choose(log, event, line)
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

function choose(log: KernelLog, event: EventOf<'kmsg'>, line: LineOf<'decision'> | LineOf<'choice'>): OomReport {
  if (line.is === 'decision') {
    const known = [log.report, log.before].find((r) => r?.decision?.tid === line.tid && event.kmsgUs - log.lastUs <= SILENCE_US && !isFinished(r))
    const report = known ?? reportOfChoice(log, event, 'decision')
    report.decision ??= line
    log.decisionSeq = event.seq
    return report
  }
  const known = [log.report, log.before].find((r) => r?.choice?.tid === line.tid && event.kmsgUs - log.lastUs <= SILENCE_US && !isFinished(r))
  const report = known ?? reportOfChoice(log, event, 'choice')
  report.choice ??= line
  return report
}

function foldIntoOpen(log: KernelLog, event: EventOf<'kmsg'>, line: KernelLine): OomReport | undefined {
  let report = log.report
  if (report === undefined || event.kmsgUs - log.lastUs > SILENCE_US) {
    // Without its header nothing can be said about what follows, except that nobody could be killed.
    if (line.is !== 'no-killable') return undefined
    report = begin(log, event)
  }
  if (line.is === 'group') report.groupPath ??= line.path
  else if (line.is === 'no-killable') {
    if (isFinished(report) && !report.noKillable) report = begin(log, event)
    report.noKillable = true
  } else {
    describe(log, report, line)
    return undefined
  }
  return report
}
