/** Whose limit it was and how large: from the probe, checked against the kernel log, then from the last samples. */
import { roseAt, type CaseFacts } from './case-facts.ts'
import type { KillCase } from './case.ts'
import { chooseSplit, type OomKillSplit } from './kernel-log-names.ts'
import { completePath, depthBelow } from './memcgs.ts'
import { memTotalBytesOf, nodeList } from './log-node.ts'
import type { Memcg, NodeModel } from './node.ts'
import type { OomReport } from './oom-report.ts'

const NONE = 0, CPUSET = 1, MEMCG = 3
/** struct page_counter's "max" is PAGE_COUNTER_MAX = LONG_MAX / PAGE_SIZE: 2^63 bytes less a page, whatever the size of a page. */
const UNLIMITED_BYTES = 2 ** 62

const pages = (count: number | undefined, pageBytes: number | undefined): number | undefined =>
  count === undefined || pageBytes === undefined || count * pageBytes >= UNLIMITED_BYTES ? undefined : count * pageBytes
const kib = (kb: number | undefined): number | undefined => (kb === undefined ? undefined : kb * 1024)

export type Constraint = { readonly value?: number; /** The log does not say it: it follows from the nodes it names. */ readonly guessed?: 'nodes' | 'nothing' }

/** enum oom_constraint, as far as a witness says it. */
export function constraintOf(facts: CaseFacts): Constraint {
  const d = facts.decisions[0], report = facts.report
  const picked = d?.picks[0]?.constraint ?? report?.decision?.constraint
  if (picked !== undefined) return { value: picked }
  const memcgId = d?.begin?.memcgId ?? d?.limit?.memcgId ?? d?.enter?.memcgId
  const memcg = report?.killed[0]?.memcg ?? report?.choice?.memcg
  if ((memcgId !== undefined && memcgId > 0) || memcg === true || report?.statsPath !== undefined || report?.limitOf !== undefined) return { value: MEMCG }
  if (memcg === false && report !== undefined && facts.decisions.length === 0) return guessedConstraint(report)
  return {}
}

/**
 * Kernels before 5.0, and reports whose header is missing, say "Out of memory" for the node, a cpuset and a memory policy alike.
 * constrained_alloc(): a zone that the task's cpuset forbids makes it CONSTRAINT_CPUSET.
 */
function guessedConstraint({ allowedNodes, numaNodes }: OomReport): Constraint {
  const allowed = allowedNodes === undefined ? undefined : nodeList(allowedNodes)
  if (allowed === undefined) return { value: NONE, guessed: 'nothing' }
  return { value: [...numaNodes].some((node) => !allowed.has(node)) ? CPUSET : NONE, guessed: 'nodes' }
}

/** The process that the "oom-kill:" line (4.x: "Kill process … or sacrifice child") names. */
export const namedTid = (report: OomReport | undefined): number | undefined => report?.decision?.tid ?? report?.choice?.tid

/** The names of the "oom-kill:" line (4.x: "Task in …"), if only one reading of it agrees with everything else. */
export function loggedNames(model: NodeModel, facts: CaseFacts): OomKillSplit | 'ambiguous' | undefined {
  const report = facts.report, splits = report?.decision?.splits ?? report?.limitOf
  if (report === undefined || splits === undefined || splits.length === 0) return undefined
  const tid = namedTid(report)
  const comm = report.killed.find((k) => k.tid === tid)?.comm ?? report.choice?.comm ?? report.tasks.find((t) => t.tid === tid)?.comm
  const paths = splits.length > 1 ? new Set([...model.memcgs.values()].map((m) => m.path)) : undefined
  return chooseSplit(splits, { comm, limitPath: report.statsPath, paths }) ?? 'ambiguous'
}

function idOfPath(model: NodeModel, path: string, tsNs: number): number | undefined {
  let found: Memcg | undefined
  for (const memcg of model.memcgs.values()) {
    if (memcg.path !== path || (memcg.diedNs !== undefined && memcg.diedNs < tsNs - 1e9)) continue
    // A path is used again by the next container of the same name, often within the second: the newest that was there by then.
    const isThere = memcg.bornNs <= tsNs, wasThere = found !== undefined && found.bornNs <= tsNs
    if (found === undefined || (isThere === wasThere ? isThere === (memcg.bornNs > found.bornNs) : isThere)) found = memcg
  }
  return found?.id
}

export type LimitFound = { readonly limit: KillCase['limit']; readonly source: string; readonly disagreements: readonly string[] }

const drop = <T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }

/** The whole node: RAM is the limit. */
function nodeLimit(model: NodeModel, source: string, report?: OomReport): LimitFound {
  const total = memTotalBytesOf(model, report) ?? model.memory?.totalBytes
  return { limit: { memcgId: 0, path: '/', ...(total === undefined ? {} : { limitBytes: total }) }, source, disagreements: [] }
}

/** On v1 the probe and the log give memory+swap: the part above the memory limit is what swap adds. */
function swapLimit(model: NodeModel, facts: CaseFacts, limitBytes: number | undefined): number | undefined {
  const raw = facts.decisions[0]?.limit, log = facts.report?.usage, pageBytes = model.hello?.pageSizeBytes
  if (log?.swap !== undefined) return kib(log.swap.limitKb)
  const both = kib(log?.['memory+swap']?.limitKb) ?? (model.hello?.memcgVersion === 'v1' ? pages(raw?.swapMaxPages, pageBytes) : undefined)
  if (both !== undefined && limitBytes !== undefined) return Math.max(0, both - limitBytes)
  return model.hello?.memcgVersion === 'v2' ? pages(raw?.swapMaxPages, pageBytes) : undefined
}

/** memory.swap.current; on v1 what memory+swap is above memory. */
function swapUsage(model: NodeModel, { decisions, report }: CaseFacts): number | undefined {
  const raw = decisions[0]?.limit, pageBytes = model.hello?.pageSizeBytes, { swap, memory, 'memory+swap': both } = report?.usage ?? {}
  if (swap !== undefined) return kib(swap.usageKb)
  if (both !== undefined && memory !== undefined) return kib(Math.max(0, both.usageKb - memory.usageKb))
  if (raw === undefined || model.hello === undefined) return undefined
  return pages(model.hello.memcgVersion === 'v2' ? raw.swapUsagePages : Math.max(0, raw.swapUsagePages - raw.usagePages), pageBytes)
}

/** Without probe and log: of all memcgs around the victims, only the one whose limit was hit counts `oom` in memory.events.local. */
function holderByCounter(model: NodeModel, facts: CaseFacts): number | undefined {
  const holders = new Set<number>(), { tsNs, victims } = facts.case
  for (const rise of model.caseBook.eventRises) {
    if (rise.ooms > 0 && roseAt(rise, tsNs) && victims.some((v) => v.memcgId !== undefined && depthBelow(model, rise.memcgId, v.memcgId) !== undefined)) holders.add(rise.memcgId)
  }
  // Two limits hit within one reading cannot be told apart.
  const [holder] = holders
  return holders.size === 1 ? holder : undefined
}

/** The limit of this case; absent when no witness knows whose it was. */
export function limitOf(model: NodeModel, facts: CaseFacts, constraint: number | undefined): LimitFound | undefined {
  const d = facts.decisions[0], { report, names } = facts
  const probed = d?.begin?.memcgId ?? d?.limit?.memcgId ?? d?.enter?.memcgId
  if (probed === 0) return nodeLimit(model, 'probe oom_begin')
  const loggedPath = report?.statsPath ?? (names === undefined || names === 'ambiguous' ? undefined : names.limitPath)
  const counted = probed === undefined && loggedPath === undefined && (constraint === undefined || constraint === MEMCG) ? holderByCounter(model, facts) : undefined
  if (probed === undefined && loggedPath === undefined && counted === undefined) return constraint !== undefined && constraint !== MEMCG ? nodeLimit(model, 'kernel log', report) : undefined
  const memcgId = probed ?? counted ?? (loggedPath === undefined ? undefined : idOfPath(model, loggedPath, facts.case.tsNs))
  const memcg = memcgId === undefined ? undefined : model.memcgs.get(memcgId)
  if (memcg !== undefined && loggedPath !== undefined) completePath(model, memcg, loggedPath)
  const path = memcg?.path ?? loggedPath ?? facts.case.limit?.path, disagreements: string[] = []
  // endsWith: inside a cgroup namespace the mount shows the end of the path that the kernel writes.
  if (memcg !== undefined && loggedPath !== undefined && !loggedPath.endsWith(memcg.path)) disagreements.push(`limit holder: the probe says ${memcg.path}, the kernel log ${loggedPath}`)
  const probeBytes = pages(d?.limit?.maxPages, model.hello?.pageSizeBytes), logBytes = kib(report?.usage.memory?.limitKb)
  if (probeBytes !== undefined && logBytes !== undefined && probeBytes !== logBytes) disagreements.push(`limit: the probe says ${probeBytes} bytes, the kernel log ${logBytes}`)
  const sampled = facts.snapshot?.memcgId === memcgId ? facts.snapshot : undefined
  const limitBytes = probeBytes ?? logBytes ?? sampled?.limits?.maxBytes
  const limit = drop({
    memcgId, path, limitBytes, usageBytes: pages(d?.limit?.usagePages, model.hello?.pageSizeBytes) ?? kib(report?.usage.memory?.usageKb) ?? sampled?.usage?.currentBytes,
    swapLimitBytes: swapLimit(model, facts, limitBytes), swapUsageBytes: swapUsage(model, facts),
  })
  const source = probeBytes !== undefined ? 'probe oom_limit' : logBytes !== undefined ? 'kernel log' : counted !== undefined ? 'memory.events.local oom, sampled memory.max' : limitBytes !== undefined ? 'sampled memory.max' : probed !== undefined ? 'probe oom_begin' : 'kernel log'
  return { limit, source, disagreements }
}
