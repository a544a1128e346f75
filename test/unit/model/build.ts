/** Events for model tests: a node, its memcgs, and the rows of one decision, with only what a test cares about spelled out. */
import { readFileSync } from 'node:fs'
import type { Event, EventOf } from '../../../src/event/event.ts'
import type { KindName } from '../../../src/event/kinds.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import type { NodeModel } from '../../../src/model/node.ts'

/** 100 s after boot: all times of the tests are near it. */
export const T0 = 100e9
export const MS = 1e6

/** What may be absent in a row may be left out in a test. */
export type FieldsOf<K extends KindName, T = Omit<EventOf<K>, 'kind' | 'tsNs'>> =
  { readonly [F in keyof T as undefined extends T[F] ? never : F]: T[F] } & { readonly [F in keyof T as undefined extends T[F] ? F : never]?: T[F] }

export function event<K extends KindName>(kind: K, tsNs: number, fields: FieldsOf<K>): Event {
  return { kind, tsNs, ...fields } as unknown as Event
}

export const hello = (over: Partial<EventOf<'hello'>> = {}): Event => event('hello', T0 - 50e9, {
  formatVersion: 1, bridgeVersion: 'test', wallMs: 1_764_000_000_000, bootNs: T0 - 50e9, bootId: '4d1c9a6e-0000-4000-8000-000000000000', kernelRelease: '6.12.107', machine: 'x86_64',
  hostname: 'worker-3', pageSizeBytes: 4096, cpus: 2, memTotalBytes: 943_230_976, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8, ...over,
})

export const birth = (memcgId: number, path: string, parentId: number, tsNs = T0 - 40e9): Event => event('memcg_birth', tsNs, { memcgId, parentId, path, by: 'walk' })
export const usage = (memcgId: number, currentBytes: number, tsNs: number): Event => event('memcg_usage', tsNs, { memcgId, currentBytes, peakBytes: undefined, swapBytes: undefined, windowPeakBytes: undefined, windowNs: undefined })
export const limits = (memcgId: number, maxBytes: number | undefined, oomGroup = false): Event =>
  event('memcg_limits', T0 - 40e9, { memcgId, minBytes: undefined, lowBytes: undefined, highBytes: undefined, maxBytes, swapMaxBytes: undefined, oomGroup })
export const killsOf = (memcgId: number, oomKill: number, tsNs: number): Event => event('memcg_events', tsNs, {
  memcgId, low: undefined, high: undefined, max: undefined, oom: undefined, oomKill, oomGroupKill: undefined, localHigh: undefined, localMax: undefined, localOom: undefined, localOomKill: undefined,
})

export type DecisionSpec = {
  readonly tid: number; readonly tsNs: number; readonly memcgId: number
  readonly victims: readonly { readonly pid: number; readonly tid?: number; readonly comm?: string; readonly memcgId: number; readonly adj?: number }[]
  readonly limitBytes?: number; readonly order?: number; readonly constraint?: number
  readonly candidates?: readonly { readonly pid: number; readonly points: number; readonly memcgId: number; readonly adj?: number; readonly comm?: string }[]
  readonly group?: boolean
  /** Marked, not killed: it was dying already. */
  readonly exiting?: number
}

/** The rows of one decision as the full probes emit them, each with its own time. */
export function decision(spec: DecisionSpec): Event[] {
  const { tid, memcgId } = spec, rows: Event[] = [], order = spec.order ?? 0, totalPages = (spec.limitBytes ?? 64 << 20) / 4096
  let tsNs = spec.tsNs
  const push = <K extends KindName>(kind: K, fields: FieldsOf<K>): void => { rows.push(event(kind, tsNs, fields)); tsNs += 1e4 }
  if (memcgId > 0) push('oom_memcg_enter', { tid, memcgId, order, gfp: 0xcc0 })
  const beginNs = tsNs
  push('oom_begin', { tid, pid: tid, comm: 'hog', taskMemcgId: memcgId, memcgId, order, gfp: 0xcc0, oomScoreAdj: 0 })
  if (memcgId > 0) push('oom_limit', { tid, memcgId, usagePages: totalPages, maxPages: totalPages, highPages: 2 ** 51 - 1, swapUsagePages: 0, swapMaxPages: 2 ** 51 - 1, watermarkPages: totalPages, oomGroup: spec.group ?? false })
  for (const c of spec.candidates ?? []) push('oom_candidate', { tid, pid: c.pid, comm: c.comm ?? 'hog', memcgId: c.memcgId, oomScoreAdj: c.adj ?? 0, pointsPages: c.points, totalPages, totalVmPages: 1000, pgtablesBytes: 4096 })
  if (spec.exiting !== undefined) push('mark_victim', { tid, victimTid: spec.exiting, pid: undefined, comm: 'hog', memcgId, oomScoreAdj: 0, totalVmKb: 4000, anonKb: 3000, fileKb: 100, shmemKb: 0, pgtablesKb: 8, uid: 0 })
  const [main] = spec.victims
  if (main !== undefined) push('oom_pick', { tid, pid: main.pid, comm: main.comm ?? 'hog', memcgId: main.memcgId, oomScoreAdj: main.adj ?? 0, pointsPages: 9866, totalPages, constraint: spec.constraint ?? (memcgId > 0 ? 3 : 0) })
  const sweep = spec.group === true && main !== undefined ? [main, ...spec.victims.slice(1), main] : spec.victims
  for (const [i, v] of sweep.entries()) {
    if (spec.group === true && i === 1) push('oom_group', { tid, memcgId })
    push('oom_kill', { tid, pid: v.pid, comm: v.comm ?? 'hog', memcgId: v.memcgId, oomScoreAdj: v.adj ?? 0, totalVmPages: 1000, pgtablesBytes: 8192 })
    push('signal', { signo: 9, code: 128, group: 1, result: i > 0 && v === main ? 1 : 0, senderPid: tid, senderTid: tid, senderComm: 'hog', senderMemcgId: memcgId, targetTid: v.tid ?? v.pid, targetComm: v.comm ?? 'hog' })
    if (i === 0 || v !== main) push('mark_victim', { tid, victimTid: v.tid ?? v.pid, pid: undefined, comm: v.comm ?? 'hog', memcgId: v.memcgId, oomScoreAdj: v.adj ?? 0, totalVmKb: 4000, anonKb: 3000, fileKb: 100, shmemKb: 0, pgtablesKb: 8, uid: 0 })
  }
  push('oom_end', { tid, result: main === undefined ? 0 : 1, durationNs: tsNs - beginNs })
  return rows
}

export const exit = (pid: number, memcgId: number, tsNs: number): Event => event('task_exit', tsNs, { pid, comm: 'hog', memcgId, exitCode: 9, maxRssPages: 2372 })

let seq = 0
/** Lines of the kernel log, read by the bridge at tsNs; the log's own clock is 20 ms off. */
export const kmsg = (text: string, tsNs: number): Event[] => text.split('\n').filter((line) => line !== '').map((line, i) =>
  event('kmsg', tsNs + i * 1e3, { seq: ++seq, level: 6, kmsgUs: (tsNs + i * 1e3) / 1e3 - 20_000, text: line }))

export const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/kernel-log/${name}.txt`, import.meta.url), 'utf8')

export function fold(events: readonly Event[]): NodeModel {
  const model = createModel()
  for (const e of events) applyEvent(model, e)
  return model
}

export const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8'
export const POD = `/kubepods/burstable/pod${UID}`
export const C1 = `${POD}/${'a'.repeat(64)}`, C2 = `${POD}/${'b'.repeat(64)}`
/** Ids: 1 root, 2 kubepods, 3 burstable, 66 pod, 104 and 142 its containers. */
export const NODE: readonly Event[] = [hello(), birth(1, '/', 0), birth(2, '/kubepods', 1), birth(3, '/kubepods/burstable', 2), birth(66, POD, 3), birth(104, C1, 66), birth(142, C2, 66)]

/** A shuffle that a seed repeats (mulberry32). */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const out = [...items]
  let state = seed
  for (let i = out.length - 1; i > 0; i--) {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    const j = ((t ^ (t >>> 14)) >>> 0) % (i + 1), swap = out[i]!
    out[i] = out[j]!
    out[j] = swap
  }
  return out
}

/** Puts the rows of several sources into one order that keeps each `fixed` source's own order. */
export function interleaved(free: readonly Event[], fixed: readonly Event[], seed: number): Event[] {
  const slots = shuffled([...free.map(() => 'free' as const), ...fixed.map(() => 'fixed' as const)], seed), rest = shuffled(free, seed + 1), lines = [...fixed]
  return slots.map((slot) => (slot === 'free' ? rest.shift() : lines.shift())!)
}
