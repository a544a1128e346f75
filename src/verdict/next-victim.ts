/**
 * Who the kernel would pick now: oom_badness() over the processes that a limit's OOM would judge, from the last readings of /proc. An
 * estimate: /proc does not tell a child in vfork, a task whose memory the reaper took already (MMF_OOM_SKIP), or one that asked to be taken
 * first (swapoff), and what was read may be seconds old.
 */
import { isOlder } from '../model/log-node.ts'
import { depthBelow } from '../model/memcgs.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { processesOf } from '../model/processes.ts'
import type { Process } from '../model/processes.ts'

/** `global-init` and `-1000` are never picked (mm/oom_kill.c oom_unkillable_task(), oom_badness()). */
export type Exemption = 'global-init' | 'oom_score_adj -1000'

export type Judgement = {
  readonly task: Process
  /** As oom_badness() gives them; absent: exempt. */
  readonly points?: number
  /** Of the points, what oom_score_adj adds. */
  readonly adjPoints: number
  /** Memory that counts: resident, swapped, page tables. */
  readonly bytes: number
  readonly exempt?: Exemption
  /** Since it was read. */
  readonly ageNs: number
}

export type NextVictim = {
  /** Whose limit; absent: the node has no memory. */
  readonly holderId?: number
  readonly totalBytes: number
  /** Highest points first, exempt ones last. */
  readonly judged: readonly Judgement[]
  /** Absent: nobody can be killed, or nobody is seen. */
  readonly chosen?: Judgement
  /** Others with as many points: which of them the kernel meets last decides. */
  readonly ties: readonly Judgement[]
  readonly runnerUp?: Judgement
  /** memory.oom.group: who dies with the chosen one, and by whose setting. */
  readonly group?: { readonly memcgId: number; readonly path: string; readonly with: readonly Judgement[] }
  /** memory.oom.group is known to be set nowhere on the way up to the limit. */
  readonly diesAlone?: boolean
  /** Seen, and their memory not read yet. */
  readonly unread: number
}

const OOM_SCORE_ADJ_MIN = -1000

/**
 * oc->totalpages in bytes. Of a memcg mem_cgroup_get_max(): its limit plus as much swap as limit and node have; of the node RAM plus
 * swap. Nothing for a memcg without a limit: it cannot run out. vm.swappiness 0 would leave swap out; it is not known.
 */
export function totalBytesOf(model: NodeModel, holderId: number | undefined): number | undefined {
  const nodeSwap = model.memory?.swapTotalBytes ?? model.hello?.swapTotalBytes ?? 0
  if (holderId === undefined) return model.hello === undefined ? undefined : model.hello.memTotalBytes + nodeSwap
  const limits = model.memcgs.get(holderId)?.limits
  if (limits?.maxBytes === undefined) return undefined
  // v1 limits memory and swap together (memory.memsw).
  const ownSwap = limits.swapMaxBytes === undefined ? Number.POSITIVE_INFINITY : model.hello?.memcgVersion === 'v1' ? Math.max(0, limits.swapMaxBytes - limits.maxBytes) : limits.swapMaxBytes
  return limits.maxBytes + Math.min(ownSwap, nodeSwap)
}

const exemptionOf = ({ pid }: Process, oomScoreAdj: number): Exemption | undefined => (pid === 1 ? 'global-init' : oomScoreAdj === OOM_SCORE_ADJ_MIN ? 'oom_score_adj -1000' : undefined)

/** One process's points; nothing while its memory was not read. */
export function badnessOf(model: NodeModel, task: Process, totalBytes: number): Judgement | undefined {
  const { memory } = task, pageBytes = model.hello?.pageSizeBytes ?? 4096
  if (memory === undefined) return undefined
  const pages = Math.round((memory.anonBytes + memory.fileBytes + memory.shmemBytes) / pageBytes) + Math.round(memory.swapBytes / pageBytes) + Math.floor(memory.pgtablesBytes / pageBytes)
  // "adj *= totalpages / 1000" is integer division in oom_badness().
  const adjPoints = memory.oomScoreAdj * Math.floor(Math.floor(totalBytes / pageBytes) / 1000), exempt = exemptionOf(task, memory.oomScoreAdj)
  // Before 5.9 whoever could be killed had at least one point.
  const points = isOlder(model, undefined, [5, 9]) === true ? Math.max(1, pages + adjPoints) : pages + adjPoints
  return { task, adjPoints, bytes: pages * pageBytes, ageNs: Math.max(0, model.nowNs - memory.readNs), ...(exempt === undefined ? { points } : { exempt }) }
}

const byPoints = (a: Judgement, b: Judgement): number => (b.points ?? Number.NEGATIVE_INFINITY) - (a.points ?? Number.NEGATIVE_INFINITY) || b.bytes - a.bytes || a.task.pid - b.task.pid

/** From the victim's own memcg up to the limit's; the root is not asked. */
function wayUp(model: NodeModel, chosen: Judgement, holderId: number | undefined): Memcg[] {
  const way: Memcg[] = []
  for (let memcg = model.memcgs.get(chosen.task.memcgId); memcg !== undefined && memcg.path !== '/' && way.length < 64; memcg = model.memcgs.get(memcg.parentId)) {
    way.push(memcg)
    if (memcg.id === holderId) break
  }
  return way
}

/** mem_cgroup_get_oom_group(): the outermost memcg with memory.oom.group. */
function groupOf(model: NodeModel, chosen: Judgement, way: readonly Memcg[], judged: readonly Judgement[]): NextVictim['group'] {
  const found = way.findLast(({ limits }) => limits?.oomGroup === true)
  return found === undefined ? undefined : { memcgId: found.id, path: found.path, with: judged.filter((other) => other !== chosen && other.exempt === undefined && depthBelow(model, found.id, other.task.memcgId) !== undefined) }
}

/** `holderId` is the memcg whose limit would be hit, absent for the node. Nothing when it has no limit or is not known. */
export function nextVictimOf(model: NodeModel, holderId?: number): NextVictim | undefined {
  const totalBytes = totalBytesOf(model, holderId)
  if (totalBytes === undefined) return undefined
  const processes = processesOf(model, holderId), judged: Judgement[] = []
  for (const task of processes) {
    const judgement = badnessOf(model, task, totalBytes)
    if (judgement !== undefined) judged.push(judgement)
  }
  judged.sort(byPoints)
  const [first, second] = judged.filter(({ exempt }) => exempt === undefined), base = { totalBytes, judged, unread: processes.length - judged.length, ...(holderId === undefined ? {} : { holderId }) }
  if (first === undefined) return { ...base, ties: [] }
  const way = wayUp(model, first, holderId), group = groupOf(model, first, way, judged)
  return {
    ...base, chosen: first, ties: judged.filter((other) => other !== first && other.exempt === undefined && other.points === first.points),
    ...(second === undefined ? {} : { runnerUp: second }), ...(group === undefined ? {} : { group }), diesAlone: holderId !== undefined && way.at(-1)?.id === holderId && way.every(({ limits }) => limits?.oomGroup === false),
  }
}
