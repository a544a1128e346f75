/** Waiting for the invented node: latencies, kinds and single long waits of two minutes, told as the probes tell them. */
import type { EventOf } from '../../src/event/event.ts'
import { COUNTERS, HISTOGRAMS, STALLS } from '../../src/event/kinds.ts'
import type { Memcg, NodeModel } from '../../src/model/node.ts'
import { NOW_S, tell } from './node-model.ts'

const SECONDS = 118

export type Wait = {
  readonly what: (typeof STALLS)[number]
  /** Waits in a second, and their usual length as a power of two of nanoseconds. */
  readonly perS: (secondsAgo: number) => number; readonly log2Ns: (secondsAgo: number) => number
  readonly comm: string; readonly pid: number
  /** Whose limit: the memcg itself, or another one above it; 0 = not told. */
  readonly target?: number
}

/** The same everywhere: no chance in a test. */
const wobble = (i: number): number => ((i * 7919) % 101) / 101 - 0.5

/** Tells two minutes of waits of one kind: counters and histograms once a second, every wait of 10 ms and more on its own. */
export function addWaits(model: NodeModel, memcg: Memcg, wait: Wait): void {
  const what = STALLS.indexOf(wait.what), buckets = new Array<number>(34).fill(0), counter = (suffix: string): number => COUNTERS.indexOf(`${wait.what}_${suffix}` as (typeof COUNTERS)[number]), histogram = HISTOGRAMS.indexOf(`${wait.what}_hist` as (typeof HISTOGRAMS)[number])
  const raw = memcg.rawCounters, sum = { ns: raw?.[counter('ns')] || 0, count: raw?.[counter('count')] || 0, pages: raw?.[counter('pages')] || 0 }
  for (let ago = SECONDS; ago >= 0; ago--) {
    const tsNs = (NOW_S - ago) * 1e9 - 1e6
    for (let i = 0; i < Math.round(wait.perS(ago)); i++) {
      const ns = 2 ** (wait.log2Ns(ago) + 3 * wobble(ago * 31 + i)), bucket = Math.floor(Math.log2(ns))
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
      sum.ns += ns
      sum.count += 1
      sum.pages += 32
      if (ns >= 10e6) tell(model, 'stall', tsNs, { what, tid: wait.pid, pid: wait.pid, comm: wait.comm, taskMemcgId: memcg.id, targetMemcgId: wait.target ?? 0, durationNs: Math.round(ns), reclaimedPages: what < 2 ? 32 : 0, order: 0 })
    }
    tell(model, 'counter', tsNs, { counter: counter('ns'), key: memcg.id, value: Math.round(sum.ns) })
    tell(model, 'counter', tsNs, { counter: counter('count'), key: memcg.id, value: sum.count })
    if (counter('pages') >= 0) tell(model, 'counter', tsNs, { counter: counter('pages'), key: memcg.id, value: sum.pages })
    if (histogram >= 0) tell(model, 'histogram', tsNs, { histogram, key: memcg.id, buckets: [...buckets] })
  }
}

/** Pages a second that came back soon after they were taken. */
export function addRefaults(model: NodeModel, memcg: Memcg, perS: number): void {
  for (let ago = SECONDS; ago >= 0; ago--) {
    const tsNs = (NOW_S - ago) * 1e9
    tell(model, 'memcg_stat', tsNs, { ...memcg.stat, tsNs, memcgId: memcg.id, workingsetRefaultAnon: 0, workingsetRefaultFile: perS * (SECONDS - ago) } as Partial<EventOf<'memcg_stat'>>)
  }
}

/** What a node under pressure looks like on the page of stalls. */
export function addDemoStalls(model: NodeModel, pods: ReadonlyMap<string, Memcg>): void {
  const of = (name: string): Memcg => { const memcg = pods.get(name); if (memcg === undefined) throw new Error(name); return memcg }
  const api = of('payments/api-7d9f8b6c5-x2lqp'), etl = of('batch/etl-nightly-0'), indexer = of('search/indexer-5c7b9d-kk8wz')
  addWaits(model, api, { what: 'over_high', comm: 'java', pid: 18213, perS: (ago) => (ago < 40 ? 4 + (40 - ago) / 3 : 1), log2Ns: (ago) => (ago < 25 ? 27 : 24) })
  addWaits(model, etl, { what: 'memcg_reclaim', comm: 'python3', pid: 48213, target: etl.id, perS: (ago) => (ago > 60 && ago < 75 ? 40 : 12), log2Ns: (ago) => (ago > 60 && ago < 75 ? 25 : 21 + (118 - ago) / 40) })
  addWaits(model, indexer, { what: 'memcg_reclaim', comm: 'indexer-main', pid: 5120, target: indexer.parentId, perS: () => 9, log2Ns: () => 19 })
  addWaits(model, indexer, { what: 'compaction', comm: 'indexer-main', pid: 5120, perS: (ago) => (ago % 20 === 3 ? 3 : 0), log2Ns: () => 25 })
  // memory.stat counts the subtree: the pod's says it, too.
  for (const id of [indexer.id, indexer.parentId]) { const memcg = model.memcgs.get(id); if (memcg !== undefined) addRefaults(model, memcg, 3100) }
}
