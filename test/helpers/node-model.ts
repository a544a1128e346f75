/** Builds a node by telling the model events, as a stream would: pods with pressure over two minutes, and kills by the rows of a decision. */
import { COUNTERS } from '../../src/event/kinds.ts'
import type { Event, EventOf } from '../../src/event/event.ts'
import type { KindName } from '../../src/event/kinds.ts'
import { applyEvent, createModel } from '../../src/model/apply.ts'
import type { KillCase } from '../../src/model/case.ts'
import { accrue, createHistory, HISTORY_SECONDS, recordAnon, recordUsage } from '../../src/model/history.ts'
import type { History, SeriesName } from '../../src/model/history.ts'
import type { Memcg, NodeModel } from '../../src/model/node.ts'

export { lens as TEST_LENS } from '../../src/cli/lens.ts'

export const M = 2 ** 20, G = 2 ** 30
/** Monotonic second at which the built node stands; its wall clock is 2026-11-20 14:03:27 UTC. */
export const NOW_S = 7200
export const WALL_MS = Date.UTC(2026, 10, 20, 14, 3, 27)

const OLDEST_S = NOW_S - HISTORY_SECONDS + 1
/** Before the two minutes that are kept. */
const BIRTH_NS = (OLDEST_S - 60) * 1e9

export const emptyHistory = (): History => createHistory()

/** Records `of(secondsAgo)` for the last two minutes before `second`. */
export function fillHistory(history: History, name: SeriesName, of: (secondsAgo: number) => number, second = NOW_S): void {
  for (let ago = HISTORY_SECONDS - 1; ago >= 0; ago--) {
    const tsNs = (second - ago) * 1e9, amount = of(ago)
    if (name === 'usageBytes') recordUsage(history, tsNs, amount)
    else if (name === 'anonBytes') recordAnon(history, tsNs, amount)
    else if (name !== 'lastBytes') accrue(history, name, amount, { fromNs: tsNs, toNs: tsNs })
  }
}

/** Tells the model one row. */
export function tell<K extends KindName>(model: NodeModel, kind: K, tsNs: number, fields: Partial<Omit<EventOf<K>, 'kind' | 'tsNs'>>): void {
  applyEvent(model, { kind, tsNs, ...fields } as unknown as Event)
}

export function emptyNode(hostname = 'worker-3'): NodeModel {
  const model = createModel()
  tell(model, 'hello', 0, { formatVersion: 1, bridgeVersion: '0.1.0', wallMs: WALL_MS - NOW_S * 1000, bootNs: 0, bootId: 'b', kernelRelease: '6.12.0', machine: 'x86_64', hostname,
    pageSizeBytes: 4096, cpus: 8, memTotalBytes: 24 * G, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8 })
  // The keyframe: counters read after it are rates.
  tell(model, 'clock', BIRTH_NS, { wallMs: WALL_MS + BIRTH_NS / 1e6 - NOW_S * 1000, bootNs: BIRTH_NS })
  model.nowNs = NOW_S * 1e9
  return model
}

export type MemcgSpec = {
  readonly used?: number; readonly max?: number; readonly high?: number; readonly peak?: number
  readonly inactiveFile?: number; readonly anon?: number; readonly some?: number; readonly full?: number
  /** ms and times a second. */
  readonly stall?: number; readonly highPerS?: number; readonly maxPerS?: number
  readonly oomKill?: number; readonly usage?: (secondsAgo: number) => number
}

const MEMCG_RECLAIM_NS = COUNTERS.indexOf('memcg_reclaim_ns')

/** Two minutes of cumulative files and counters, one reading at the beginning of each second; nothing has accrued in the newest one. */
function tellRates(model: NodeModel, memcgId: number, spec: MemcgSpec): void {
  const { highPerS = 0, maxPerS = 0, oomKill = 0, stall, some } = spec
  for (let second = OLDEST_S; second <= NOW_S; second++) {
    const tsNs = second * 1e9, passed = second - OLDEST_S
    tell(model, 'memcg_events', tsNs, { memcgId, low: 0, high: highPerS * passed, max: maxPerS * passed, oom: 0, oomKill, oomGroupKill: 0, localHigh: 0, localMax: 0, localOom: 0, localOomKill: 0 })
    if (some !== undefined) tell(model, 'memcg_psi', tsNs, { memcgId, someAvg10Centi: some * 100, someTotalUs: some * 1e4 * passed, fullAvg10Centi: (spec.full ?? 0) * 100, fullTotalUs: (spec.full ?? 0) * 1e4 * passed })
    // Its time belongs to the second that has just ended.
    if (stall !== undefined && passed > 0) tell(model, 'counter', tsNs - 1, { counter: MEMCG_RECLAIM_NS, key: memcgId, value: stall * 1e6 * passed })
  }
}

let nextId = 100
export function addMemcg(model: NodeModel, path: string, spec: MemcgSpec = {}): Memcg {
  const memcgId = nextId++, used = spec.used ?? 0, nowNs = NOW_S * 1e9
  const parent = [...model.memcgs.values()].find((candidate) => candidate.path === path.slice(0, path.lastIndexOf('/')))
  tell(model, 'memcg_birth', BIRTH_NS, { memcgId, parentId: parent?.id ?? 1, path, by: 'walk' })
  tell(model, 'memcg_limits', BIRTH_NS, { memcgId, minBytes: 0, lowBytes: 0, highBytes: spec.high, maxBytes: spec.max, oomGroup: false })
  for (let second = OLDEST_S; second <= NOW_S; second++) tell(model, 'memcg_usage', second * 1e9, { memcgId, currentBytes: (spec.usage ?? (() => used))(NOW_S - second), peakBytes: spec.peak, swapBytes: 0 })
  if (spec.inactiveFile !== undefined) tell(model, 'memcg_stat', nowNs, { memcgId, inactiveFileBytes: spec.inactiveFile, anonBytes: spec.anon ?? used - spec.inactiveFile, fileBytes: spec.inactiveFile, shmemBytes: 0 })
  tellRates(model, memcgId, spec)
  return model.memcgs.get(memcgId) as Memcg
}

/** A uid as the API writes it, the same in every run. */
export const uidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const containerIdOf = (n: number): string => n.toString(16).padStart(64, '0')

/** Another container of the same pod. */
export const addContainer = (model: NodeModel, beside: Memcg, spec: MemcgSpec = {}): Memcg => addMemcg(model, `${beside.path.slice(0, beside.path.lastIndexOf('/'))}/${containerIdOf(nextId)}`, spec)

/** A pod with one container, its name known; returns the container's cgroup. */
export function addPod(model: NodeModel, name: string, spec: MemcgSpec & { readonly container?: string; readonly podMax?: number } = {}): Memcg {
  const [namespace, pod] = name.split('/') as [string, string], podUid = uidOf(nextId)
  // Tasks wait in the container's own cgroup: the pod's has no stall of its own.
  const { max, stall, ...rest } = spec
  void [max, stall]
  addMemcg(model, `/kubepods/pod${podUid}`, spec.podMax === undefined ? rest : { ...rest, max: spec.podMax })
  const containerId = containerIdOf(nextId), container = addMemcg(model, `/kubepods/pod${podUid}/${containerId}`, spec)
  tell(model, 'workload', NOW_S * 1e9, { from: 'test', podUid, containerId, namespace, pod, container: spec.container ?? pod.split('-')[0] })
  return container
}

let nextPid = 4711
/** The rows of a kill at the container's own limit; of the past, so the model is set back to that moment while it is told. */
export function addKill(model: NodeModel, where: Memcg, kill: { readonly secondsAgo: number; readonly comm?: string; readonly pid?: number }): KillCase {
  const tid = kill.pid ?? nextPid++, comm = kill.comm ?? 'python3', memcgId = where.id, { nowNs } = model, tsNs = nowNs - kill.secondsAgo * 1e9
  const pages = Math.round((where.limits?.maxBytes ?? G) / 4096), who = { tid, pid: tid, comm, memcgId, oomScoreAdj: 936 }
  model.nowNs = tsNs
  tell(model, 'oom_begin', tsNs, { tid, pid: tid, comm, taskMemcgId: memcgId, memcgId, order: 0, gfp: 0xcc0, oomScoreAdj: 936 })
  tell(model, 'oom_limit', tsNs + 1, { tid, memcgId, usagePages: pages, maxPages: pages, highPages: 2 ** 51 - 1, swapUsagePages: 0, swapMaxPages: 2 ** 51 - 1, watermarkPages: pages, oomGroup: false })
  tell(model, 'oom_candidate', tsNs + 2, { ...who, pointsPages: pages, totalPages: pages, totalVmPages: 2 * pages, pgtablesBytes: 4 * M })
  tell(model, 'oom_candidate', tsNs + 3, { ...who, pid: tid + 1, comm: 'tini', pointsPages: Math.round(pages / 4), totalPages: pages, totalVmPages: pages, pgtablesBytes: 64 * 1024 })
  tell(model, 'oom_pick', tsNs + 4, { ...who, pointsPages: pages, totalPages: pages, constraint: 3 })
  tell(model, 'oom_kill', tsNs + 5, { ...who, totalVmPages: 2 * pages, pgtablesBytes: 4 * M })
  tell(model, 'mark_victim', tsNs + 6, { tid, victimTid: tid, pid: tid, comm, memcgId, oomScoreAdj: 936, anonKb: pages * 3.8, fileKb: 400, shmemKb: 0, pgtablesKb: 4096 })
  tell(model, 'oom_end', tsNs + 7, { tid, result: 1, durationNs: 7 })
  tell(model, 'task_exit', tsNs + 19e6, { pid: tid, comm, memcgId, exitCode: 9, maxRssPages: pages })
  const killCase = model.cases.find((candidate) => candidate.victims.some((victim) => victim.pid === tid) && Math.abs(candidate.tsNs - tsNs) < 1e9)
  model.nowNs = nowNs
  if (killCase === undefined) throw new Error('the model made no case of a kill')
  return killCase
}
