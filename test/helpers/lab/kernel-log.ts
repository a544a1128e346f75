/**
 * The kernel log as the lab's own witness. It shares no code with src/, and takes from a line only what no name can forge:
 * numbers at fixed places. Names and paths are what the test itself chose.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs'

/** A row of the task table, with the points that mm/oom_kill.c:oom_badness() gives it. */
export type TaskRow = { readonly tid: number; readonly pid: number; readonly oomScoreAdj: number; readonly sizePages: number }

export type OomReport = {
  readonly constraint: string
  /** Whole `oom-kill:` line, for looking up names that a test chose. */
  readonly line: string
  readonly invokerTid: number
  readonly tasks: readonly TaskRow[]
  /** Each once, first the one that was chosen. */
  readonly killedTids: readonly number[]
  readonly limitKb: number | undefined
  readonly hasSysrq: boolean
  /** Anonymous memory below the limit at the decision: `anon` of memory.stat (v2), `total_rss` (v1). */
  readonly anonBytes: number | undefined
}

type LogRecord = { readonly facility: number; readonly text: string }

/** Reads /dev/kmsg from where the previous reading ended. */
export class KernelLog {
  private readonly fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)
  private readonly buffer = Buffer.alloc(16384)
  private readonly waiting: LogRecord[] = []

  constructor() { this.skipOld() }

  /** New lines of the kernel itself, as /dev/kmsg prints them: \xNN for what is not printable ASCII. */
  lines(): string[] {
    const records = [...this.waiting.splice(0), ...this.read()]
    return records.filter((record) => record.facility === 0).map((record) => record.text)
  }

  /** New lines that were written by user space; those of the kernel stay for `lines()`. */
  userLines(): string[] {
    const records = this.read()
    this.waiting.push(...records)
    return records.filter((record) => record.facility !== 0).map((record) => record.text)
  }

  /** What is overwritten before it is read (EPIPE) was written before there was a lab. */
  private skipOld(): void {
    for (;;) {
      try {
        this.read()
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
      }
    }
  }

  private read(): LogRecord[] {
    const records: LogRecord[] = []
    for (;;) {
      try {
        const record = this.buffer.toString('utf8', 0, readSync(this.fd, this.buffer))
        const head = /^(\d+),\d+,\d+,[^;]*;([^\n]*)/.exec(record)
        if (head !== null) records.push({ facility: Number(head[1]) >> 3, text: head[2] ?? '' })
      } catch (error) {
        // EPIPE: the ring was overwritten under us. A truth with a hole is none, so only "nothing more" is taken.
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return records
        throw error
      }
    }
  }

  close(): void { closeSync(this.fd) }
}

/** The whole kernel log as /dev/kmsg has it, for `explain` outside. */
export function kernelLogText(): string {
  const fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK), buffer = Buffer.alloc(16384)
  let text = ''
  try {
    for (;;) text += buffer.toString('utf8', 0, readSync(fd, buffer))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    return text
  } finally {
    closeSync(fd)
  }
}

const ROW = /^\[ *(\d+)\] +(\d.*)$/

/** Numbers of a row by the words of the table's head, up to `name`. */
function taskRow(line: string, columns: readonly string[]): TaskRow | undefined {
  const match = ROW.exec(line)
  if (match === null) return undefined
  const values = (match[2] ?? '').split(/ +/)
  const of = (column: string): number => Number(values[columns.indexOf(column)])
  return { tid: Number(match[1]), pid: of('tgid'), oomScoreAdj: of('oom_score_adj'), sizePages: of('rss') + of('swapents') + of('pgtables_bytes') / 4096 }
}

/** What oom_badness() returns; undefined stands for LONG_MIN, "not killable". The kernel divides totalpages first. */
export function badnessOf({ sizePages, oomScoreAdj }: Pick<TaskRow, 'sizePages' | 'oomScoreAdj'>, totalPages: number): number | undefined {
  return oomScoreAdj === -1000 ? undefined : sizePages + oomScoreAdj * Math.floor(totalPages / 1000)
}

type Draft = { -readonly [K in keyof OomReport]: OomReport[K] } & { tasks: TaskRow[]; killedTids: number[] }

const emptyDraft = (hasSysrq: boolean): Draft => ({ constraint: '', line: '', invokerTid: 0, tasks: [], killedTids: [], limitKb: undefined, hasSysrq, anonBytes: undefined })

/** The OOM reports among the lines, in order. */
export function oomReports(lines: readonly string[]): OomReport[] {
  const reports: Draft[] = []
  let columns: string[] = [], hasSysrq = false
  for (const line of lines) {
    if (/^sysrq: Manual OOM execution$/.test(line)) hasSysrq = true
    if (/ invoked oom-killer: gfp_mask=0x[0-9a-f]+\(.*order=-?\d+, oom_score_adj=-?\d+$/.test(line)) {
      reports.push(emptyDraft(hasSysrq))
      columns = []
      hasSysrq = false
    }
    const report = reports.at(-1)
    if (report !== undefined) columns = readLine(report, line, columns)
  }
  return reports
}

function readLine(report: Draft, line: string, columns: string[]): string[] {
  const invoker = /^CPU: \d+ (?:UID: \d+ )?PID: (\d+) Comm: /.exec(line), limit = /^memory: usage \d+kB, limit (\d+)kB, failcnt \d+$/.exec(line)
  const killed = /^(?:Memory cgroup out of memory|Out of memory)[^:]*: Killed process (\d+) \(/.exec(line), constraint = /^oom-kill:constraint=(CONSTRAINT_[A-Z_]+),/.exec(line)
  // 6.1 prints all of memory.stat as one record with newlines, later kernels line by line.
  const anon = report.constraint === '' ? /(?:^|\\x0a)(?:anon|total_rss) (\d+)(?:$|\\x0a)/.exec(line) : null
  if (anon !== null) report.anonBytes ??= Number(anon[1])
  if (invoker !== null && report.invokerTid === 0) report.invokerTid = Number(invoker[1])
  else if (limit !== null) report.limitKb ??= Number(limit[1])
  else if (line.startsWith('[  pid  ]')) return line.slice('[  pid  ]'.length).trim().split(/ +/)
  else if (constraint !== null && report.constraint === '') {
    report.constraint = constraint[1] ?? ''
    report.line = line
  } else if (killed !== null) {
    if (!report.killedTids.includes(Number(killed[1]))) report.killedTids.push(Number(killed[1]))
  } else if (columns.length > 0 && report.constraint === '') {
    const row = taskRow(line, columns)
    if (row !== undefined) report.tasks.push(row)
  }
  return columns
}
