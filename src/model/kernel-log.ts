/**
 * One line of the kernel log → what it says about an OOM decision. Pure; knows nothing about other lines.
 *
 * A comm and a cgroup name are chosen by whoever is being killed: `x) total-vm:0kB` and `/a,task_memcg=/b` are legal. So a line
 * is anchored at both ends with what only the kernel writes (mm/oom_kill.c, mm/memcontrol.c), and a name is what remains between.
 */
import { splitOomKill, type OomKillSplit } from './kernel-log-names.ts'
import { isComm, unescapeKmsg } from './kmsg-text.ts'

export type TaskRow = {
  readonly tid: number; readonly pid: number; readonly uid: number; readonly totalVmPages: number; readonly rssPages: number
  readonly anonPages?: number; readonly filePages?: number; readonly shmemPages?: number
  readonly pgtablesBytes?: number; readonly swapPages: number; readonly oomScoreAdj: number; readonly comm: string
}

export type KilledLine = {
  readonly tid: number; readonly comm: string; readonly memcg: boolean | undefined
  readonly totalVmKb: number; readonly anonKb: number; readonly fileKb: number
  readonly shmemKb?: number; readonly uid?: number; readonly pgtablesKb?: number; readonly oomScoreAdj?: number
}

/** What a memory line names: v2 has memory and swap, v1 memory, memory+swap and kmem. */
export type UsageOf = 'memory' | 'swap' | 'memory+swap' | 'kmem'

export type KernelLine =
  | { readonly is: 'invoked'; readonly comm: string; readonly gfp: number; readonly gfpText: string; readonly order: number; readonly oomScoreAdj: number }
  | { readonly is: 'invoker'; readonly tid: number }
  | { readonly is: 'usage'; readonly of: UsageOf; readonly usageKb: number; readonly limitKb: number | undefined }
  | { readonly is: 'stats-of'; readonly path: string }
  | { readonly is: 'stat'; readonly name: string; readonly value: number }
  | { readonly is: 'table'; readonly columns: readonly string[] }
  | { readonly is: 'task'; readonly text: string }
  | { readonly is: 'decision'; readonly constraint: number; readonly tid: number; readonly uid: number; readonly splits: readonly OomKillSplit[] }
  | ({ readonly is: 'killed' } & KilledLine)
  | { readonly is: 'exiting'; readonly tid: number }
  | { readonly is: 'group'; readonly path: string }
  | { readonly is: 'no-killable' }
  | { readonly is: 'sysrq' }
  | { readonly is: 'reaped'; readonly tid: number }

const CONSTRAINTS = ['CONSTRAINT_NONE', 'CONSTRAINT_CPUSET', 'CONSTRAINT_MEMORY_POLICY', 'CONSTRAINT_MEMCG']
/** page_counter's "max" printed in kB is 2^63 or 2^64 less a page, by version: anything in that region is no limit. */
const UNLIMITED_KB = 2 ** 50

const INVOKED = /^(.*) invoked oom-killer: gfp_mask=(0x[0-9a-f]+)\(([A-Z0-9_|x]*)\), (?:nodemask=\S+, )?order=(-?\d+), oom_score_adj=(-?\d+)$/
const INVOKER = /^CPU: \d+ (?:UID: \d+ )?PID: (\d+) Comm: /
const USAGE = /^(memory|swap|memory\+swap|kmem): usage (\d+)kB, limit (\d+)kB(?:, failcnt \d+)?$/
const STATS_OF = /^Memory cgroup stats for (\/.*):$/
const STAT = /^([a-z][a-z0-9_]*) (\d+)$/
const TABLE = /^\[ *pid *\] +(uid +tgid +.*\bname)$/
const TASK = /^\[ *\d+\] /
const DECISION = /^oom-kill:constraint=(CONSTRAINT_[A-Z_]+),nodemask=.*,pid=(\d+),uid=(\d+)$/
const KILLED = /^(Memory cgroup out of memory: |Out of memory(?: \(oom_kill_allocating_task\))?: |)Killed process (\d+) \((.*)\),? (?:UID \d+, )?total-vm:(\d+)kB, anon-rss:(\d+)kB, file-rss:(\d+)kB(?:, shmem-rss:(\d+)kB)?(?:, UID:(\d+) pgtables:(\d+)(kB|bytes)? oom_score_adj:(-?\d+))?$/
const EXITING = /^(?:Memory cgroup out of memory|Out of memory|Out of memory \(oom_kill_allocating_task\)): OOM victim (\d+) \(.*\) is already exiting\. Skip killing the task$/
const GROUP = /^Tasks in (\/.*) are going to be killed due to memory\.oom\.group set$/
const NO_KILLABLE = /^(?:Memory cgroup out of memory|Out of memory)(?::| and).*\bno killable processes\b/
const REAPED = /^oom_reaper: reaped process (\d+) \(.*\), now anon-rss:\d+kB, file-rss:\d+kB, shmem-rss:\d+kB$/

const optional = <K extends string>(key: K, text: string | undefined): { [P in K]?: number } => (text === undefined ? {} : { [key]: Number(text) } as { [P in K]?: number })

function parseKilled(match: RegExpExecArray): KernelLine | undefined {
  const comm = unescapeKmsg(match[3] ?? '')
  if (!isComm(comm)) return undefined
  // "pgtables:108kB" since 5.x; 4.19 to 5.2 wrote bytes without a unit.
  const pgtablesKb = match[9] === undefined ? undefined : match[10] === 'kB' ? match[9] : String(Number(match[9]) / 1024)
  return {
    is: 'killed', tid: Number(match[2]), comm, memcg: match[1] === '' ? undefined : match[1]?.startsWith('Memory cgroup') === true,
    totalVmKb: Number(match[4]), anonKb: Number(match[5]), fileKb: Number(match[6]),
    ...optional('shmemKb', match[7]), ...optional('uid', match[8]), ...optional('pgtablesKb', pgtablesKb), ...optional('oomScoreAdj', match[11]),
  }
}

/** Tried in this order. "COMM invoked …" is first: a comm of `[ 1] 2` would else hide it; no other line has so little in front of its words. */
const PARSERS: readonly (readonly [RegExp, (match: RegExpExecArray) => KernelLine | undefined])[] = [
  [INVOKED, (m) => {
    const comm = unescapeKmsg(m[1] ?? '')
    return isComm(comm) ? { is: 'invoked', comm, gfp: Number(m[2]), gfpText: m[3] ?? '', order: Number(m[4]), oomScoreAdj: Number(m[5]) } : undefined
  }],
  [DECISION, (m) => {
    const constraint = CONSTRAINTS.indexOf(m[1] ?? '')
    return constraint < 0 ? undefined : { is: 'decision', constraint, tid: Number(m[2]), uid: Number(m[3]), splits: splitOomKill(m[0], constraint === 3) }
  }],
  [USAGE, (m) => ({ is: 'usage', of: m[1] as UsageOf, usageKb: Number(m[2]), limitKb: Number(m[3]) >= UNLIMITED_KB ? undefined : Number(m[3]) })],
  [STATS_OF, (m) => ({ is: 'stats-of', path: unescapeKmsg(m[1] ?? '') })],
  [STAT, (m) => ({ is: 'stat', name: m[1] ?? '', value: Number(m[2]) })],
  [TABLE, (m) => ({ is: 'table', columns: ['pid', ...(m[1] ?? '').trim().split(/ +/)] })],
  [TASK, (m) => ({ is: 'task', text: m.input })],
  [GROUP, (m) => ({ is: 'group', path: unescapeKmsg(m[1] ?? '') })],
  [EXITING, (m) => ({ is: 'exiting', tid: Number(m[1]) })],
  [KILLED, parseKilled],
  [NO_KILLABLE, () => ({ is: 'no-killable' })],
  [REAPED, (m) => ({ is: 'reaped', tid: Number(m[1]) })],
  [INVOKER, (m) => ({ is: 'invoker', tid: Number(m[1]) })],
  [/^sysrq: Manual OOM execution$/, () => ({ is: 'sysrq' })],
]

/** What one line says, or nothing. */
export function parseKernelLine(text: string): KernelLine | undefined {
  for (const [pattern, read] of PARSERS) {
    const match = pattern.exec(text)
    const line = match === null ? undefined : read(match)
    if (line !== undefined) return line
  }
  return undefined
}

const NUMERIC: Readonly<Record<string, keyof TaskRow>> = {
  pid: 'tid', uid: 'uid', tgid: 'pid', total_vm: 'totalVmPages', rss: 'rssPages', rss_anon: 'anonPages', rss_file: 'filePages', rss_shmem: 'shmemPages',
  pgtables_bytes: 'pgtablesBytes', swapents: 'swapPages', oom_score_adj: 'oomScoreAdj',
}

/** One row of "Tasks state", read by the columns its own header named (6.1 has 9, 6.12 has 12, 4.x counts page tables instead of bytes). */
export function parseTaskRow(text: string, columns: readonly string[]): TaskRow | undefined {
  const numbers = columns.slice(0, -1)
  // "[%7d] %5d %5d … %5hd %s": exactly one space before the name, which may begin with more.
  const match = new RegExp(`^\\[ *(\\d+)\\] +${numbers.slice(1).map(() => '(-?\\d+)').join(' +')} (.*)$`).exec(text)
  if (match === null) return undefined
  const row: Partial<Record<keyof TaskRow, number>> = {}
  numbers.forEach((column, i) => {
    const field = NUMERIC[column]
    if (field !== undefined) row[field] = Number(match[i + 1])
  })
  const comm = unescapeKmsg(match[numbers.length + 1] ?? '')
  if (row.tid === undefined || row.pid === undefined || row.rssPages === undefined || row.oomScoreAdj === undefined || row.swapPages === undefined || !isComm(comm)) return undefined
  return { uid: 0, totalVmPages: 0, ...row, comm } as TaskRow
}
