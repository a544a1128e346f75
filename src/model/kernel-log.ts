/**
 * One line of the kernel log → what it says about an OOM decision. Pure; knows nothing about other lines.
 *
 * A comm and a cgroup name are chosen by whoever is being killed: `x) total-vm:0kB` and `/a,task_memcg=/b` are legal. So a line
 * is anchored at both ends with what only the kernel writes (mm/oom_kill.c, mm/memcontrol.c), and a name is what remains between.
 */
import { splitLimitOf, splitOomKill, type OomKillSplit } from './kernel-log-names.ts'
import { parseNodePages, parseStats, parseStatsLine } from './kernel-log-stats.ts'
import { isComm, unescapeKmsg } from './kmsg-text.ts'

export type KilledLine = {
  readonly tid: number; readonly comm: string; readonly memcg: boolean | undefined
  readonly totalVmKb: number; readonly anonKb: number; readonly fileKb: number
  readonly shmemKb?: number; readonly uid?: number; readonly pgtablesKb?: number; readonly oomScoreAdj?: number
}

/** What a memory line names: v2 has memory and swap, v1 memory, memory+swap and kmem. */
export type UsageOf = 'memory' | 'swap' | 'memory+swap' | 'kmem'

export type KernelLine =
  | { readonly is: 'invoked'; readonly comm: string; readonly gfp: number; readonly gfpText: string; readonly order: number; readonly oomScoreAdj: number }
  /** `rest` is everything after "Comm: ", the release of the kernel is in it. */
  | { readonly is: 'invoker'; readonly tid: number; readonly rest: string }
  /** Nodes the allocation was allowed to use ("mems_allowed=0-1"). */
  | { readonly is: 'allowed'; readonly nodes: string }
  | { readonly is: 'usage'; readonly of: UsageOf; readonly usageKb: number; readonly limitKb: number | undefined }
  /** Until 5.1 the numbers follow on the same line, and there is one such line for each memcg below the limit. */
  | { readonly is: 'stats-of'; readonly path: string; readonly stats?: Readonly<Record<string, number>> }
  | { readonly is: 'stats'; readonly stats: Readonly<Record<string, number>> }
  /** Pages of the whole node, as show_mem() counts them. */
  | { readonly is: 'node-pages'; readonly pages: Readonly<Record<string, number>> }
  /** With what a zone of it has (show_free_areas), where the line is about one. */
  | { readonly is: 'numa-node'; readonly node: number; readonly zone?: string; readonly presentKb?: number }
  | { readonly is: 'node-swap'; readonly of: 'Total' | 'Free'; readonly kb: number }
  | { readonly is: 'table'; readonly columns: readonly string[] }
  | { readonly is: 'task'; readonly text: string }
  | { readonly is: 'decision'; readonly constraint: number; readonly tid: number; readonly uid: number; readonly splits: readonly OomKillSplit[] }
  /** 4.x: whose limit, without a process; every reading of the two paths. */
  | { readonly is: 'limit-of'; readonly splits: readonly OomKillSplit[] }
  /** Until 5.0: who was chosen, whose child may be killed instead. score is points per mille of totalpages. */
  | { readonly is: 'choice'; readonly tid: number; readonly comm: string; readonly memcg: boolean; readonly score: number }
  | ({ readonly is: 'killed' } & KilledLine)
  | { readonly is: 'exiting'; readonly tid: number }
  | { readonly is: 'group'; readonly path: string }
  | { readonly is: 'no-killable' }
  | { readonly is: 'sysrq' }
  | { readonly is: 'suppressed'; readonly count: number }
  | { readonly is: 'reaped'; readonly tid: number }

const CONSTRAINTS = ['CONSTRAINT_NONE', 'CONSTRAINT_CPUSET', 'CONSTRAINT_MEMORY_POLICY', 'CONSTRAINT_MEMCG']
/** page_counter's "max" printed in kB is 2^63 or 2^64 less a page, by version: anything in that region is no limit. */
const UNLIMITED_KB = 2 ** 50

/** 4.8 to 4.20 put the nodemask between gfp_mask and order; before 4.6 the mask has no names. */
const INVOKED = /^(.*) invoked oom-killer: gfp_mask=(0x[0-9a-f]+)(?:\(([A-Za-z0-9_|]*)\))?, +(?:nodemask=[^ =]+, +)?order=(-?\d+), oom_score_adj=(-?\d+)$/
const INVOKER = /^CPU: \d+ (?:UID: \d+ )?PID: (\d+) Comm: (.*)$/
const ALLOWED = /(?:^| )mems_allowed=([\d,-]+)$/
const USAGE = /^(memory|swap|memory\+swap|kmem): usage (\d+)kB, limit (\d+)kB(?:, failcnt \d+)?$/
const STATS_OF = /^Memory cgroup stats for (\/.*?):$/
const STATS_INLINE = /^Memory cgroup stats for (\/.*): ((?:[a-z_]+:\d+KB ?)+)$/
const NODE = /^Node (\d+) (?:active_anon:|DMA|Normal|HighMem|Movable|hugepages_)/
const PRESENT = /^Node \d+ (\w+) free:\d+kB .* present:(\d+)kB /
const TABLE = /^\[ *pid *\] +(uid +tgid +.*\bname)$/
const TASK = /^\[ *\d+\] /
const DECISION = /^oom-kill:constraint=(CONSTRAINT_[A-Z_]+),nodemask=.*,pid=(\d+),uid=(\d+)$/
const LIMIT_OF = /^Tasks? in \/.* killed as a result of limit of \/.*$/
const CHOICE = /^(Memory cgroup out of memory|Out of memory(?: \(oom_kill_allocating_task\))?): Kill process (\d+) \((.*)\) score (\d+) or sacrifice child$/
const KILLED = /^(Memory cgroup out of memory: |Out of memory(?: \(oom_kill_allocating_task\))?: |)Killed process (\d+) \((.*)\),? (?:UID \d+, )?total-vm:(\d+)kB, anon-rss:(\d+)kB, file-rss:(\d+)kB(?:, shmem-rss:(\d+)kB)?(?:, UID:(\d+)(?: pgtables:(\d+)(kB|bytes)?)?(?: oom_score_adj:(-?\d+))?)?$/
const EXITING = /^(?:Memory cgroup out of memory|Out of memory|Out of memory \(oom_kill_allocating_task\)): OOM victim (\d+) \(.*\) is already exiting\. Skip killing the task$/
const GROUP = /^Tasks in (\/.*) are going to be killed due to memory\.oom\.group set$/
const NO_KILLABLE = /^(?:Kernel panic - not syncing: )?(?:Memory cgroup out of memory|Out of memory)(?::| and).*\bno killable processes\b/
const REAPED = /^oom_reaper: reaped process (\d+) \(.*\), now anon-rss:\d+kB, file-rss:\d+kB, shmem-rss:\d+kB$/
/** __ratelimit(): headers of decisions that the log does not have. */
const SUPPRESSED = /^(?:oom_kill_process|dump_header): (\d+) callbacks suppressed$/

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

function parseInvoked(m: RegExpExecArray): KernelLine | undefined {
  const comm = unescapeKmsg(m[1] ?? '')
  return isComm(comm) ? { is: 'invoked', comm, gfp: Number(m[2]), gfpText: m[3] ?? '', order: Number(m[4]), oomScoreAdj: Number(m[5]) } : undefined
}

function parseDecision(m: RegExpExecArray): KernelLine | undefined {
  const constraint = CONSTRAINTS.indexOf(m[1] ?? '')
  return constraint < 0 ? undefined : { is: 'decision', constraint, tid: Number(m[2]), uid: Number(m[3]), splits: splitOomKill(m[0], constraint === 3) }
}

function parseChoice(m: RegExpExecArray): KernelLine | undefined {
  const comm = unescapeKmsg(m[3] ?? '')
  return isComm(comm) ? { is: 'choice', tid: Number(m[2]), comm, memcg: m[1]?.startsWith('Memory cgroup') === true, score: Number(m[4]) } : undefined
}

function parseNode(node: number, text: string): KernelLine {
  const [, zone, presentKb] = PRESENT.exec(text) ?? []
  return { is: 'numa-node', node, ...(zone === undefined ? {} : { zone, presentKb: Number(presentKb) }) }
}

/** Tried in this order. "COMM invoked …" is first: a comm of `[ 1] 2` would else hide it; no other line has so little in front of its words. */
const PARSERS: readonly (readonly [RegExp, (match: RegExpExecArray) => KernelLine | undefined])[] = [
  [INVOKED, parseInvoked],
  [DECISION, parseDecision],
  [USAGE, (m) => ({ is: 'usage', of: m[1] as UsageOf, usageKb: Number(m[2]), limitKb: Number(m[3]) >= UNLIMITED_KB ? undefined : Number(m[3]) })],
  [STATS_INLINE, (m) => ({ is: 'stats-of', path: unescapeKmsg(m[1] ?? ''), stats: parseStatsLine(m[2] ?? '') })],
  [STATS_OF, (m) => ({ is: 'stats-of', path: unescapeKmsg(m[1] ?? '') })],
  [/^[a-z][a-z0-9_]* \d+(?:\\x0a|$)/, (m) => parseStats(m.input)],
  [TABLE, (m) => ({ is: 'table', columns: ['pid', ...(m[1] ?? '').trim().split(/ +/)] })],
  [TASK, (m) => ({ is: 'task', text: m.input })],
  [GROUP, (m) => ({ is: 'group', path: unescapeKmsg(m[1] ?? '') })],
  [LIMIT_OF, (m) => ({ is: 'limit-of', splits: splitLimitOf(m.input) })],
  [CHOICE, parseChoice],
  [EXITING, (m) => ({ is: 'exiting', tid: Number(m[1]) })],
  [KILLED, parseKilled],
  [NO_KILLABLE, () => ({ is: 'no-killable' })],
  [REAPED, (m) => ({ is: 'reaped', tid: Number(m[1]) })],
  [INVOKER, (m) => ({ is: 'invoker', tid: Number(m[1]), rest: unescapeKmsg(m[2] ?? '') })],
  [/^ *(?:active_anon|active_file|unevictable|slab_reclaimable|mapped|free):\d+|^\d+ pages (?:RAM|reserved)$/, (m) => parseNodePages(m.input)],
  [NODE, (m) => parseNode(Number(m[1]), m.input)],
  [/^(Total|Free) swap +=? *(\d+)kB$/, (m) => ({ is: 'node-swap', of: m[1] as 'Total' | 'Free', kb: Number(m[2]) })],
  [SUPPRESSED, (m) => ({ is: 'suppressed', count: Number(m[1]) })],
  [/^(?:sysrq: )?(?:SysRq : )?Manual OOM execution$/, () => ({ is: 'sysrq' })],
  [ALLOWED, (m) => ({ is: 'allowed', nodes: m[1] ?? '' })],
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
