/** A busy invented node, as the pictures of the design show it: what the painters are looked at with. */
import { applyEvent } from '../../src/model/apply.ts'
import type { AccruingSeries, History } from '../../src/model/history.ts'
import type { NodeModel } from '../../src/model/node.ts'
import { secondOf } from '../../src/model/rates.ts'
import { addKill, addMemcg, addPod, emptyNode, fillHistory, G, M, tell } from './node-model.ts'
import type { MemcgSpec } from './node-model.ts'
import { addDemoFacts } from './demo-facts.ts'
import { addDemoStalls } from './demo-stalls.ts'

const ramp = (from: number, to: number) => (ago: number): number => to - ((to - from) * Math.min(60, ago)) / 60

const PODS: readonly (readonly [name: string, spec: MemcgSpec & { readonly container?: string }])[] = [
  ['payments/api-7d9f8b6c5-x2lqp', { used: 998 * M, max: G, high: 922 * M, inactiveFile: 267 * M, some: 61.2, full: 38.4, stall: 812, highPerS: 41, oomKill: 2, container: 'api', usage: ramp(600 * M, 998 * M) }],
  ['batch/etl-nightly-0', { used: 1.92 * G, max: 2 * G, inactiveFile: 60 * M, some: 44, full: 31.9, stall: 544, oomKill: 3, maxPerS: 12, usage: ramp(1.2 * G, 1.92 * G) }],
  ['search/indexer-5c7b9d-kk8wz', { used: 3.62 * G, max: 4 * G, inactiveFile: 1.46 * G, some: 23.7, full: 9.1, stall: 211, highPerS: 12 }],
  ['ml/embedder-0', { used: 7.43 * G, max: 8 * G, inactiveFile: 10 * M, some: 18.2, full: 6, stall: 164, highPerS: 3 }],
  ['web/frontend-86c4-2hx7d', { used: 410 * M, max: 512 * M, inactiveFile: 22 * M, some: 9.8, full: 2.2, stall: 71, highPerS: 6, usage: (ago) => (380 + 30 * Math.sin(ago / 7)) * M }],
  ['web/frontend-86c4-9qqtz', { used: 402 * M, max: 512 * M, inactiveFile: 22 * M, some: 7.1, full: 1.6, stall: 52, highPerS: 4, usage: (ago) => (370 + 30 * Math.sin(ago / 9)) * M }],
  ['kafka/broker-1', { used: 5.5 * G, max: 6 * G, inactiveFile: 2.45 * G, some: 5.2, full: 1.1, stall: 38 }],
  ['kafka/broker-2', { used: 5.46 * G, max: 6 * G, inactiveFile: 2.43 * G, some: 4.4, full: 0.9, stall: 31 }],
  ['payments/ledger-6f5d-bb2c9', { used: 690 * M, max: G, inactiveFile: 35 * M, some: 2.2, full: 0.4, stall: 17 }],
  ['monitoring/prometheus-0', { used: 2.82 * G, max: 3 * G, inactiveFile: 0.56 * G, some: 1.9, full: 0.3, stall: 14, highPerS: 0, oomKill: 1 }],
  ['ingress/nginx-ctl-tw9lx', { used: 188 * M, max: 256 * M, inactiveFile: 18 * M, some: 1.1, full: 0.1, stall: 8 }],
  ['default/redis-0', { used: 901 * M, max: G, inactiveFile: 2 * M, some: 0.8, stall: 5 }],
  ['logging/fluent-bit-7x2pp', { used: 61 * M, max: 128 * M, inactiveFile: 13 * M, some: 0.3, stall: 2, usage: (ago) => (ago === 22 ? 96 : 61) * M }],
  ['kube-system/coredns-5d78c9869d-4rj2s', { used: 41 * M, max: 170 * M, inactiveFile: 8 * M, some: 0 }],
  ['kube-system/cilium-n6q8d', { used: 402 * M, inactiveFile: 80 * M, some: 0 }],
  ['kube-system/kube-proxy-vvs7m', { used: 33 * M, inactiveFile: 9 * M, some: 0 }],
  ['dev/notebook-jsmith-0', { used: 2.15 * G, max: 4 * G, inactiveFile: 0.39 * G, some: 0, usage: (ago) => (ago > 30 && ago < 36 ? 3.04 * G : 2.15 * G) }],
  ['dev/ci-runner-4h8sk', { used: 977 * M, max: 2 * G, inactiveFile: 337 * M, some: 0 }],
  ['web/images-59b-mm4zq', { used: 301 * M, max: 512 * M, inactiveFile: 13 * M, some: 0 }],
  ['cert/cert-mgr-77c-p9x8w', { used: 52 * M, max: 256 * M, inactiveFile: 8 * M, some: 0 }],
  ['argo/controller-0', { used: 233 * M, max: 512 * M, inactiveFile: 19 * M, some: 0 }],
  ['argo/repo-server-6b4-zz81x', { used: 188 * M, max: G, inactiveFile: 68 * M, some: 0, usage: (ago) => (ago > 40 && ago < 50 ? 702 : 188) * M }],
]

/** `stalls`: with what the probes tell of waiting, too; `facts`: with zones, free blocks, slab caches and reclaim. */
export function demoNode(what: { readonly stalls?: boolean; readonly facts?: boolean } = {}): NodeModel {
  const model = emptyNode(), nowNs = model.nowNs
  tell(model, 'node_memory', nowNs, { totalBytes: 24 * G, freeBytes: G, availableBytes: 6.96 * G, cachedBytes: 4 * G, dirtyBytes: 0, writebackBytes: 0, anonBytes: 12 * G, shmemBytes: 0, slabBytes: 0, slabReclaimableBytes: 0, swapTotalBytes: 0, swapFreeBytes: 0 })
  tell(model, 'node_psi', nowNs, { someAvg10Centi: 1240, someTotalUs: 0, fullAvg10Centi: 410, fullTotalUs: 0 })
  fillHistory(model.history, 'someUs', (ago) => (ago < 25 ? 30e4 / (1 + ago / 5) : ago > 70 && ago < 84 ? 45e4 : 0.2e4 * (ago % 7)))
  fillHistory(model.history, 'usageBytes', (ago) => (17 - ago / 60) * G)
  addMemcg(model, '/kubepods', { used: 16.1 * G, max: 22.9 * G })
  const pods = new Map(PODS.map(([name, spec]) => [name, addPod(model, name, spec)]))
  const kill = (name: string, secondsAgo: number, comm: string, pid: number): void => { const memcg = pods.get(name); if (memcg !== undefined) addKill(model, memcg, { secondsAgo, comm, pid }) }
  kill('monitoring/prometheus-0', 3300, 'prometheus', 2211)
  kill('batch/etl-nightly-0', 1800, 'python3', 40117)
  kill('payments/api-7d9f8b6c5-x2lqp', 1500, 'java', 18100)
  kill('batch/etl-nightly-0', 135, 'python3', 48213)
  if (what.stalls === true) addDemoStalls(model, pods)
  if (what.facts === true) addDemoFacts(model)
  return model
}

/** Lets the node live on by one second: usage stays, what rose in the second before rises again. */
export function liveOn(model: NodeModel): void {
  const tsNs = model.nowNs + 1e9, second = Math.floor(tsNs / 1e9)
  const rose = (history: History, name: AccruingSeries): number => secondOf(history[name], history.newestSecond, second - 2) || 0
  for (const memcg of model.memcgs.values()) {
    const { usage, events, psi, history } = memcg, high = rose(history, 'highEvents'), max = rose(history, 'maxEvents'), some = rose(history, 'someUs'), full = rose(history, 'fullUs')
    if (memcg.diedNs !== undefined) continue
    if (usage !== undefined) applyEvent(model, { ...usage, tsNs })
    if (events !== undefined) applyEvent(model, { ...events, tsNs, high: (events.high ?? 0) + high, max: (events.max ?? 0) + max })
    if (psi !== undefined) applyEvent(model, { ...psi, tsNs, someTotalUs: psi.someTotalUs + some, fullTotalUs: psi.fullTotalUs + full })
  }
  if (model.psi !== undefined) applyEvent(model, { ...model.psi, tsNs, someTotalUs: model.psi.someTotalUs + rose(model.history, 'someUs') })
  model.nowNs = tsNs
}
