/** Who was judged: the kernel's own points where a probe saw them, otherwise computed from the task table of its log as oom_badness() does. */
import type { Candidate } from './case.ts'
import type { CaseFacts } from './case-facts.ts'
import type { TaskRow } from './kernel-log.ts'
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
  const d = facts.decisions[0], pageBytes = model.hello?.pageSizeBytes
  const probed = d?.picks[0]?.totalPages ?? d?.candidates.values().next().value?.totalPages
  if (probed !== undefined) return pageBytes === undefined ? undefined : probed * pageBytes
  const nodeSwap = model.hello?.swapTotalBytes, limit = facts.case.limit
  if (nodeSwap === undefined) return undefined
  if (constraint === 0) return model.hello === undefined ? undefined : model.hello.memTotalBytes + nodeSwap
  if (constraint !== 3 || limit?.limitBytes === undefined) return undefined
  // An absent swap limit is "unlimited": the node's swap then is the bound. With no swap on the node it is 0 either way.
  return limit.limitBytes + Math.min(limit.swapLimitBytes ?? Number.POSITIVE_INFINITY, nodeSwap)
}

function pointsOf(row: TaskRow, totalPages: number | undefined, pageBytes: number | undefined): number | undefined {
  if (totalPages === undefined || pageBytes === undefined || row.pgtablesBytes === undefined) return undefined
  // "adj *= totalpages / 1000" is integer division in oom_badness().
  return row.rssPages + row.swapPages + Math.floor(row.pgtablesBytes / pageBytes) + row.oomScoreAdj * Math.floor(totalPages / 1000)
}

function fromTable(row: TaskRow, known: { readonly totalPages: number | undefined; readonly pageBytes: number | undefined; readonly chosen: boolean }): Candidate {
  const { pageBytes } = known, eligible = row.oomScoreAdj !== OOM_SCORE_ADJ_MIN && row.pid !== 1
  const points = eligible ? pointsOf(row, known.totalPages, pageBytes) : undefined
  return {
    pid: row.pid, comm: row.comm, oomScoreAdj: row.oomScoreAdj, eligible, chosen: known.chosen,
    ...(points === undefined ? {} : { points }), ...sizesOf(row, pageBytes),
  }
}

function sizesOf(row: TaskRow, pageBytes: number | undefined): { rssBytes?: number; swapBytes?: number; pgtablesBytes?: number } {
  return {
    ...(pageBytes === undefined ? {} : { rssBytes: row.rssPages * pageBytes, swapBytes: row.swapPages * pageBytes }),
    ...(row.pgtablesBytes === undefined ? {} : { pgtablesBytes: row.pgtablesBytes }),
  }
}

/** Highest points first; who could not be chosen last. */
const byPoints = (a: Candidate, b: Candidate): number =>
  Number(b.eligible) - Number(a.eligible) || (b.points ?? Number.NEGATIVE_INFINITY) - (a.points ?? Number.NEGATIVE_INFINITY) || (b.rssBytes ?? 0) - (a.rssBytes ?? 0) || a.pid - b.pid

/** All candidates of the case; `chosen` are the processes picked (not those swept away with them). */
export function judge(model: NodeModel, facts: CaseFacts, of: { readonly chosen: readonly number[]; readonly constraint: number | undefined }): Judged {
  const d = facts.decisions[0], tasks = facts.report?.tasks ?? [], pageBytes = model.hello?.pageSizeBytes
  const totalBytes = totalBytesOf(model, facts, of.constraint), total = totalBytes === undefined ? {} : { totalBytes }
  if (d !== undefined && d.candidates.size > 0) {
    const rows = new Map(tasks.map((row) => [row.pid, row]))
    const candidates = [...d.candidates.values()].map((event): Candidate => {
      const row = rows.get(event.pid), path = model.memcgs.get(event.memcgId)?.path, eligible = event.pointsPages > NOT_KILLABLE
      return {
        pid: event.pid, comm: event.comm, oomScoreAdj: event.oomScoreAdj, eligible, chosen: of.chosen.includes(event.pid), memcgId: event.memcgId,
        ...(eligible ? { points: event.pointsPages } : {}), ...(path === undefined ? {} : { path }),
        ...(row === undefined ? {} : sizesOf(row, pageBytes)), pgtablesBytes: event.pgtablesBytes,
      }
    })
    return { candidates: candidates.sort(byPoints), from: 'oom_badness', omitted: d.candidatesOmitted, ...total }
  }
  if (tasks.length === 0) return { candidates: [], omitted: 0, ...total }
  const totalPages = totalBytes === undefined || pageBytes === undefined ? undefined : totalBytes / pageBytes
  const candidates = tasks.map((row) => fromTable(row, { totalPages, pageBytes, chosen: of.chosen.includes(row.pid) }))
  return { candidates: candidates.sort(byPoints), from: 'kmsg', omitted: facts.report?.tasksOmitted ?? 0, ...total }
}
