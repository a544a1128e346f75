/** A node of many pods under changing load, told to the model as the stream tells it: what the screen is measured with. */
import { applyEvent, createModel } from '../../dist/model/apply.js'

const M = 2 ** 20, G = 2 ** 30
const START_NS = 7200e9
const uid = (i) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
const containerId = (i) => i.toString(16).padStart(64, '0')

/** `pods` pods with one container each; ids count from 10. */
export function nodeOfPods({ pods }) {
  const model = createModel(), tell = (kind, tsNs, fields) => applyEvent(model, { kind, tsNs, ...fields })
  tell('hello', START_NS, { formatVersion: 1, bridgeVersion: '0', wallMs: 1.8e12, bootNs: START_NS, bootId: 'b', kernelRelease: '6.12.0', machine: 'x86_64', hostname: 'worker-3', pageSizeBytes: 4096, cpus: 8, memTotalBytes: 256 * G, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8 })
  tell('clock', START_NS, { wallMs: 1.8e12, bootNs: START_NS })
  tell('memcg_birth', START_NS, { memcgId: 2, parentId: 1, path: '/kubepods', by: 'walk' })
  const sampled = []
  const add = (memcgId, parentId, path, maxBytes) => {
    tell('memcg_birth', START_NS, { memcgId, parentId, path, by: 'walk' })
    tell('memcg_limits', START_NS, { memcgId, minBytes: 0, lowBytes: 0, maxBytes, oomGroup: false })
    sampled.push(memcgId)
  }
  for (let i = 0; i < pods; i++) {
    add(10 + 2 * i, 2, `/kubepods/pod${uid(i)}`, undefined)
    add(11 + 2 * i, 10 + 2 * i, `/kubepods/pod${uid(i)}/${containerId(i)}`, 512 * M)
    tell('workload', START_NS, { from: 'bench', podUid: uid(i), containerId: containerId(i), namespace: `team-${i % 12}`, pod: `service-${i}-7d9f8b6c5-x2lqp`, container: 'main' })
  }
  return { model, sampled, tell }
}

/** One tenth of a second of that node: every cgroup's usage, and once a second what is read once a second. */
export function liveOn({ model, sampled, tell }, tick) {
  const tsNs = START_NS + tick * 1e8, second = Math.floor(tick / 10)
  for (const memcgId of sampled) {
    // Minutes long: no spikes, which would be kept (bounded, but some 20,000 of them).
    const wave = Math.sin((tick + memcgId * 7) / 300)
    tell('memcg_usage', tsNs, { memcgId, currentBytes: Math.round((300 + 150 * wave) * M), swapBytes: 0 })
    if (tick % 10 !== memcgId % 10) continue
    tell('memcg_stat', tsNs, { memcgId, anonBytes: 200 * M, fileBytes: 90 * M, shmemBytes: 0, inactiveFileBytes: 60 * M, workingsetRefaultAnon: 0, workingsetRefaultFile: second * (memcgId % 3) })
    tell('memcg_psi', tsNs, { memcgId, someAvg10Centi: (memcgId % 40) * 10, someTotalUs: second * 1000 * (memcgId % 40), fullAvg10Centi: 0, fullTotalUs: 0 })
    tell('memcg_events', tsNs, { memcgId, low: 0, high: second * (memcgId % 5), max: 0, oom: 0, oomKill: 0, oomGroupKill: 0, localHigh: 0, localMax: 0, localOom: 0, localOomKill: 0 })
    if (memcgId % 9 === 0) tell('counter', tsNs, { counter: 3, key: memcgId, value: second * 2e6 * (memcgId % 17) })
  }
  if (tick % 10 === 0) {
    tell('node_memory', tsNs, { totalBytes: 256 * G, freeBytes: G, availableBytes: 60 * G, cachedBytes: 40 * G, dirtyBytes: 0, writebackBytes: 0, anonBytes: 120 * G, shmemBytes: 0, slabBytes: G, slabReclaimableBytes: G, swapTotalBytes: 0, swapFreeBytes: 0 })
    tell('node_psi', tsNs, { someAvg10Centi: 300, someTotalUs: second * 30_000, fullAvg10Centi: 0, fullTotalUs: 0 })
  }
  model.nowNs = Math.max(model.nowNs, tsNs)
}
