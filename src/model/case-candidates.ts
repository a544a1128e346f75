/** Who was judged: the kernel's own points where a probe saw them, otherwise computed from the task table of its log as oom_badness() does. */
import type { Candidate } from './case.ts'
import type { CaseFacts } from './case-facts.ts'
import type { TaskRow } from './kernel-log-tasks.ts'
import { allowedBytesOf, isOlder, memTotalBytesOf, pageBytesOf, swapTotalBytesOf } from './log-node.ts'
import type { NodeModel } from './node.ts'

const OOM_SCORE_ADJ_MIN = -1000
/** LONG_MIN as a number: oom_badness()'s "not killable". Real points are far above. */
const NOT_KILLABLE = -(2 ** 62)

export type Judged = { readonly candidates: Candidate[]; readonly from?: 'oom_badness' | 'kmsg'; readonly omitted: number; readonly totalBytes?: number }

/**
 * oc->totalpages for a memcg OOM is mem_cgroup_get_max(): the limit plus as much swap as the limit and the node have
 * (mm/memcontrol.c); for a global one RAM plus swap. Never the victim's size. Swappiness 0 would leave swap out; it is not known.
 */
function totalBytesOf(model: NodeModel, facts: CaseFacts, constraint: number | undefined): number | undefined {
  const d = facts.decisions[0], pageBytes = pageBytesOf(model, facts.report)
  const probed = d?.picks[0]?.totalPages ?? d?.candidates.values().next().value?.totalPages
  if (probed !== undefined) return pageBytes === undefined ? undefined : probed * pageBytes
  const nodeSwap = swapTotalBytesOf(model), limit = facts.case.limit
  if (constraint === 0) {
    const ram = memTotalBytesOf(model, facts.report)
    return ram === undefined || nodeSwap === undefined ? undefined : ram + nodeSwap
  }
  if (constraint === 1 || constraint === 2) {
    const allowed = allowedBytesOf(facts.report), swapKb = facts.report?.swapKb.Total, swap = swapKb === undefined ? nodeSwap : swapKb * 1024
    return allowed === undefined || swap === undefined ? undefined : allowed + swap
  }
  if (constraint !== 3 || limit?.limitBytes === undefined) return undefined
  const swap = usableSwapBytes(limit, nodeSwap)
  return swap === undefined ? undefined : limit.limitBytes + swap
}

/** An absent swap limit is "unlimited": the node's swap then is the bound, and where that is not known, only a swap limit that is 0 or used up. */
function usableSwapBytes({ swapLimitBytes, swapUsageBytes = 0 }: NonNullable<CaseFacts['case']['limit']>, nodeSwap: number | undefined): number | undefined {
  if (nodeSwap !== undefined) return Math.max(Math.min(swapLimitBytes ?? Number.POSITIVE_INFINITY, nodeSwap), swapUsageBytes)
  return swapLimitBytes === undefined || swapUsageBytes < swapLimitBytes ? undefined : swapLimitBytes
}

type Known = {
  readonly totalPages: number | undefined; readonly pageBytes: number | undefined
  /** Before 4.17 a task with CAP_SYS_ADMIN got 3 % off; before 5.9 an eligible task had at least 1 point. */
  readonly rootBonus: boolean | undefined; readonly atLeastOne: boolean | undefined
}

const ROOT = 0

/** Page tables in pages: measured since 4.15, counted before. */
function pgtablePages(row: TaskRow, pageBytes: number | undefined): number | undefined {
  if (row.ptes !== undefined) return row.ptes + (row.pmds ?? 0)
  return pageBytes === undefined || row.pgtablesBytes === undefined ? undefined : Math.floor(row.pgtablesBytes / pageBytes)
}

/** What oom_badness() gave this row; nothing when a part of its formula is not known. */
function pointsOf(row: TaskRow, { totalPages, pageBytes, rootBonus, atLeastOne }: Known): number | undefined {
  const tables = pgtablePages(row, pageBytes)
  // Who has no oom_score_adj is judged by size alone.
  if ((totalPages === undefined && row.oomScoreAdj !== 0) || tables === undefined) return undefined
  // Who had the capability is not in the log: most processes of root, and they would have had less.
  if (row.uid === ROOT && (rootBonus === true || (rootBonus === undefined && row.ptes !== undefined))) return undefined
  // "adj *= totalpages / 1000" is integer division in oom_badness().
  const points = row.rssPages + row.swapPages + tables + row.oomScoreAdj * Math.floor((totalPages ?? 0) / 1000)
  if (points > 0 || atLeastOne === false) return points
  return atLeastOne === true ? 1 : undefined
}

function fromTable(row: TaskRow, known: Known, chosen: boolean): Candidate {
  const eligible = row.oomScoreAdj !== OOM_SCORE_ADJ_MIN && row.pid !== 1
  const points = eligible ? pointsOf(row, known) : undefined
  return { pid: row.pid, comm: row.comm, oomScoreAdj: row.oomScoreAdj, eligible, chosen, ...(points === undefined ? {} : { points }), ...sizesOf(row, known.pageBytes) }
}

function sizesOf(row: TaskRow, pageBytes: number | undefined): { rssBytes?: number; swapBytes?: number; pgtablesBytes?: number } {
  return {
    ...(pageBytes === undefined ? {} : { rssBytes: row.rssPages * pageBytes, swapBytes: row.swapPages * pageBytes }),
    ...(row.pgtablesBytes === undefined ? {} : { pgtablesBytes: row.pgtablesBytes }),
  }
}

/** Where points are not known, at least who was chosen is known to have had the most. */
const comparePoints = (a: Candidate, b: Candidate): number =>
  a.points === undefined || b.points === undefined ? Number(b.points !== undefined) - Number(a.points !== undefined) || Number(b.chosen) - Number(a.chosen) : b.points - a.points

/** Highest points first; who could not be chosen last. */
const byPoints = (a: Candidate, b: Candidate): number =>
  Number(b.eligible) - Number(a.eligible) || comparePoints(a, b) || (b.rssBytes ?? 0) - (a.rssBytes ?? 0) || a.pid - b.pid

/** All candidates of the case; `chosen` are the processes picked (not those swept away with them). */
export function judge(model: NodeModel, facts: CaseFacts, of: { readonly chosen: readonly number[]; readonly constraint: number | undefined }): Judged {
  const d = facts.decisions[0], tasks = facts.report?.tasks ?? [], pageBytes = pageBytesOf(model, facts.report)
  const totalBytes = totalBytesOf(model, facts, of.constraint), total = totalBytes === undefined ? {} : { totalBytes }
  if (d !== undefined && d.candidates.size > 0) {
    const rows = new Map(tasks.map((row) => [row.pid, row]))
    const candidates = [...d.candidates.values()].map((event): Candidate => {
      const row = rows.get(event.pid), path = model.memcgs.get(event.memcgId)?.path, eligible = event.pointsPages > NOT_KILLABLE
      const candidate: Candidate = { pid: event.pid, comm: event.comm, oomScoreAdj: event.oomScoreAdj, eligible, chosen: of.chosen.includes(event.pid), memcgId: event.memcgId }
      // One by one: spreading costs five times as much, and a node has thousands.
      if (eligible) candidate.points = event.pointsPages
      if (path !== undefined) candidate.path = path
      if (row !== undefined) Object.assign(candidate, sizesOf(row, pageBytes))
      candidate.pgtablesBytes = event.pgtablesBytes
      return candidate
    })
    return { candidates: candidates.sort(byPoints), from: 'oom_badness', omitted: d.candidatesOmitted, ...total }
  }
  if (tasks.length === 0) return { candidates: [], omitted: 0, ...total }
  const older = (than: readonly [number, number]): boolean | undefined => isOlder(model, facts.report, than)
  const known: Known = { totalPages: totalBytes === undefined || pageBytes === undefined ? undefined : totalBytes / pageBytes, pageBytes, rootBonus: older([4, 17]), atLeastOne: older([5, 9]) }
  const candidates = tasks.map((row) => fromTable(row, known, of.chosen.includes(row.pid)))
  return { candidates: candidates.sort(byPoints), from: 'kmsg', omitted: facts.report?.tasksOmitted ?? 0, ...total }
}
