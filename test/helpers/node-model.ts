/** Builds NodeModel values by hand: a node with pods, pressure and kills as a test wants them, without any event. */
import type { KillCase, Workload } from '../../src/model/case.ts'
import { HISTORY_SECONDS } from '../../src/model/history.ts'
import type { History, SeriesName } from '../../src/model/history.ts'
import type { Memcg, NodeModel } from '../../src/model/node.ts'
import type { Lens } from '../../src/view/lens.ts'

export const M = 2 ** 20, G = 2 ** 30
/** Monotonic second at which the built node stands; its wall clock is 2026-11-20 14:03:27 UTC. */
export const NOW_S = 7200
export const WALL_MS = Date.UTC(2026, 10, 20, 14, 3, 27)

const ring = (): Float64Array => new Float64Array(HISTORY_SECONDS).fill(Number.NaN)
export const emptyHistory = (): History =>
  ({ newestSecond: -1, usageBytes: ring(), someUs: ring(), fullUs: ring(), stallNs: ring(), highEvents: ring(), maxEvents: ring() })

/** Writes `of(secondsAgo)` into the last two minutes before `second`. */
export function fillHistory(history: History, name: SeriesName, of: (secondsAgo: number) => number, second = NOW_S): void {
  history.newestSecond = Math.max(history.newestSecond, second)
  for (let ago = 0; ago < HISTORY_SECONDS; ago++) history[name][(second - ago) % HISTORY_SECONDS] = of(ago)
}

export function emptyNode(hostname = 'worker-3'): NodeModel {
  return {
    hello: { kind: 'hello', tsNs: 0, formatVersion: 1, bridgeVersion: '0.1.0', wallMs: WALL_MS, bootNs: 0, bootId: 'b', kernelRelease: '6.12.0', machine: 'x86_64', hostname,
      pageSizeBytes: 4096, cpus: 8, memTotalBytes: 24 * G, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8 },
    nowNs: NOW_S * 1e9, anchor: { tsNs: NOW_S * 1e9, wallMs: WALL_MS, bootNs: 0 }, history: emptyHistory(), memcgs: new Map(), cases: [], clocksNs: [], tombstones: [], caseBook: {} as NodeModel['caseBook'], rungs: new Map(), names: new Map(), recent: [],
    health: { losses: new Map(), corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0, notices: [], selftests: new Map() },
  }
}

export type MemcgSpec = {
  readonly used?: number; readonly max?: number; readonly high?: number; readonly peak?: number
  readonly inactiveFile?: number; readonly anon?: number; readonly some?: number; readonly full?: number
  /** ms and times a second. */
  readonly stall?: number; readonly highPerS?: number; readonly maxPerS?: number
  readonly oomKill?: number; readonly usage?: (secondsAgo: number) => number
}

let nextId = 100
export function addMemcg(model: NodeModel, path: string, spec: MemcgSpec = {}): Memcg {
  const id = nextId++, used = spec.used ?? 0, tsNs = model.nowNs
  const parent = [...model.memcgs.values()].find((candidate) => candidate.path === path.slice(0, path.lastIndexOf('/')))
  const history = emptyHistory()
  const memcg: Memcg = {
    id, parentId: parent?.id ?? 1, path, bornNs: 0, lastSeenNs: tsNs, history, killCount: 0,
    limits: { kind: 'memcg_limits', tsNs, memcgId: id, minBytes: 0, lowBytes: 0, highBytes: spec.high, maxBytes: spec.max, swapMaxBytes: undefined, oomGroup: false },
    usage: { kind: 'memcg_usage', tsNs, memcgId: id, currentBytes: used, peakBytes: spec.peak, swapBytes: 0 },
    events: { kind: 'memcg_events', tsNs, memcgId: id, low: 0, high: 0, max: 0, oom: 0, oomKill: spec.oomKill ?? 0, oomGroupKill: 0, localHigh: 0, localMax: 0, localOom: 0, localOomKill: 0 },
  }
  if (spec.inactiveFile !== undefined) memcg.stat = { kind: 'memcg_stat', tsNs, memcgId: id, inactiveFileBytes: spec.inactiveFile, anonBytes: spec.anon ?? used - spec.inactiveFile, fileBytes: spec.inactiveFile, shmemBytes: 0 } as NonNullable<Memcg['stat']>
  if (spec.some !== undefined) memcg.psi = { kind: 'memcg_psi', tsNs, memcgId: id, someAvg10Centi: spec.some * 100, someTotalUs: 0, fullAvg10Centi: (spec.full ?? 0) * 100, fullTotalUs: 0 }
  fillHistory(history, 'usageBytes', spec.usage ?? (() => used))
  // The node stands at the first moment of its newest second: nothing has accrued in it yet.
  const accrued = (perS: number) => (ago: number): number => (ago === 0 ? 0 : perS)
  fillHistory(history, 'highEvents', accrued(spec.highPerS ?? 0))
  fillHistory(history, 'maxEvents', accrued(spec.maxPerS ?? 0))
  if (spec.stall !== undefined) { memcg.counters = new Float64Array(17); fillHistory(history, 'stallNs', accrued(spec.stall * 1e6)) }
  model.memcgs.set(id, memcg)
  return memcg
}

/** A pod with one container, its name known; returns the container's cgroup. */
export function addPod(model: NodeModel, name: string, spec: MemcgSpec & { readonly container?: string; readonly podMax?: number } = {}): Memcg {
  const [namespace, pod] = name.split('/') as [string, string], uid = `uid-${nextId}`
  // Tasks wait in the container's own cgroup: the pod's has no stall of its own.
  const { max, stall, ...rest } = spec
  void [max, stall]
  addMemcg(model, `/kubepods/pod${uid}`, spec.podMax === undefined ? rest : { ...rest, max: spec.podMax })
  model.names.set(`pod:${uid}`, { namespace, pod, from: 'test' })
  const container = addMemcg(model, `/kubepods/pod${uid}/${uid}-c`, spec)
  model.names.set(`container:${uid}-c`, { namespace, pod, container: spec.container ?? pod.split('-')[0], from: 'test' })
  return container
}

export function addKill(model: NodeModel, where: Memcg, kill: { readonly secondsAgo: number; readonly comm?: string; readonly pid?: number }): KillCase {
  const tsNs = model.nowNs - kill.secondsAgo * 1e9, pid = kill.pid ?? 4711
  const killCase: KillCase = {
    id: `case-${tsNs}-${pid}`, tsNs, constraint: 3, group: false, candidates: [], contributors: [], witnesses: ['probe', 'kmsg'], evidence: [], disagreements: [], closed: true,
    limit: { memcgId: where.id, path: where.path, limitBytes: where.limits?.maxBytes ?? 0, usageBytes: where.limits?.maxBytes ?? 0 },
    victims: [{ pid, comm: kill.comm ?? 'python3', memcgId: where.id, path: where.path, points: 1864, oomScoreAdj: 936, anonBytes: 1.8 * G, tids: [pid] }],
  }
  model.cases.push(killCase)
  model.cases.sort((a, b) => a.tsNs - b.tsNs)
  return killCase
}

function workloadOf(path: string): Workload {
  const pod = /\/pod(uid-\d+)(?:\/(.+))?$/.exec(path)
  if (pod?.[1] !== undefined) return pod[2] === undefined ? { level: 'pod', podUid: pod[1] } : { level: 'container', podUid: pod[1], containerId: pod[2] }
  if (path === '/') return { level: 'root' }
  if (path === '/kubepods') return { level: 'kubepods' }
  return path.endsWith('.service') ? { level: 'service', unit: path.split('/').at(-1) ?? '' } : path.endsWith('.slice') ? { level: 'slice' } : { level: 'cgroup' }
}

/** Stands in for identity and verdict: paths as addPod makes them, one cause for every case. */
export const TEST_LENS: Lens = {
  workloadOf,
  caseWords: (killCase) => ({ cause: 'container-limit', sentence: `${killCase.victims[0]?.comm ?? '?'} was killed because its container reached its memory limit.`, confidence: 'certain' }),
  caseLines: (killCase) => ['What happened', `  process ${killCase.victims[0]?.comm ?? '?'} (pid ${killCase.victims[0]?.pid ?? 0}) was killed`, '', ...Array.from({ length: 60 }, (_, i) => `  line ${i + 1} of the case`)],
}
