/** Names of several sources: every field from the best one, whatever the order; kept after death, bounded; told where sources differ. */
import { expect, test } from 'vitest'
import { workloadIn } from '../../../src/identity/workload.ts'
import type { Event } from '../../../src/event/event.ts'
import { MAX_NAMES } from '../../../src/event/name-keep.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killText } from '../../../src/view/kill-report.ts'
import { C1, MS, NODE, POD, T0, UID, birth, decision, event, fold, hello, shuffled, type FieldsOf } from './build.ts'

const ID = 'a'.repeat(64)
const rows: Event[] = [
  event('workload', 1, { from: 'pod-logs', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl' }),
  event('workload', 2, { from: 'kubernetes', podUid: UID, owner: 'StatefulSet/etl', qos: 'burstable', priority: 1000, namespace: 'batch', pod: 'etl-0', memoryLimitBytes: 7 }),
  event('workload', 3, { from: 'kubernetes', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl', memoryRequestBytes: 32 << 20, memoryLimitBytes: 99 << 20, image: 'registry/etl:1' }),
  event('workload', 4, { from: 'docker', podUid: UID, containerId: ID, container: 'k8s_etl', image: 'registry/etl@sha256:1' }),
  event('workload', 5, { from: 'cri', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl', restarts: 3, memoryLimitBytes: 64 << 20 }),
]

test('every field is the word of the best source that gave one, in whatever order they speak', () => {
  for (let seed = 0; seed < 40; seed++) {
    const model = fold(shuffled(rows, seed))
    expect(workloadIn(model, C1), String(seed)).toEqual({
      level: 'container', runtime: 'cri', qos: 'burstable', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl', restarts: 3, memoryLimitBytes: 64 << 20, memoryRequestBytes: 32 << 20,
      image: 'registry/etl@sha256:1', owner: 'StatefulSet/etl', priority: 1000,
    })
    expect(workloadIn(model, POD)).toEqual({ level: 'pod', runtime: 'k8s', qos: 'burstable', podUid: UID, namespace: 'batch', pod: 'etl-0', owner: 'StatefulSet/etl', priority: 1000, memoryLimitBytes: 7 })
  }
})

test('a source that says it anew replaces its own word only', () => {
  const model = fold([...rows, event('workload', 9, { from: 'pod-logs', podUid: UID, containerId: ID, namespace: 'other', pod: 'x', container: 'y' }), event('workload', 10, { from: 'cri', podUid: UID, containerId: ID, container: 'etl-2' })])
  expect(workloadIn(model, C1)).toMatchObject({ namespace: 'batch', pod: 'etl-0', container: 'etl-2', memoryLimitBytes: 99 << 20 })
})

test('where two sources differ the case says so, with the better one used and both made printable', () => {
  const model = fold([...NODE, ...rows, event('workload', 9, { from: 'pod-logs', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl\u001b[2J-9', container: 'etl' }), ...decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] })])
  const [target] = model.cases, json = killJson(target!, model)
  expect(json.nameDisputes).toEqual(['the pod is etl-0 for cri, which is believed, and etl\\x1b[2J-9 for pod-logs', 'the container is etl for cri, which is believed, and k8s_etl for docker'])
  expect(killText(target!, model)).toContain('which is believed, and k8s_etl')
  expect(killText(target!, model)).not.toContain('\u001b')
  const agreed = fold([...NODE, ...rows.slice(0, 3), ...decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] })])
  expect(killJson(agreed.cases[0]!, agreed)).not.toHaveProperty('nameDisputes')
})

test('a name that comes after the kill, and after the cgroup is gone, is in the verdict; also one that changes', () => {
  const model = fold([...NODE, ...decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] }), event('memcg_death', T0 + 12 * MS, { memcgId: 104, path: C1, by: 'probe' })])
  const sentence = (): string => verdictOf(model, model.cases[0]!).sentence
  expect(sentence()).toContain(`Container ${ID.slice(0, 12)} of pod ${UID}`)
  applyEvent(model, event('workload', T0 + 3e9, { from: 'pod-logs', podUid: UID, namespace: 'batch', pod: 'etl-0' }))
  expect(sentence()).toContain(`Container ${ID.slice(0, 12)} of pod batch/etl-0`)
  applyEvent(model, event('workload', T0 + 4e9, { from: 'cri', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl' }))
  expect(sentence()).toContain('Container etl of pod batch/etl-0')
  applyEvent(model, event('workload', T0 + 5e9, { from: 'cri', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'renamed' }))
  expect(sentence()).toContain('Container renamed of pod batch/etl-0')
})

const idOf = (n: number): string => n.toString(16).padStart(64, '0'), pathOf = (n: number): string => `/kubepods/burstable/pod${UID}/${idOf(n)}`
const named = (n: number): Event => event('workload', n, { from: 'cri', podUid: UID, containerId: idOf(n), container: `c${n}` })
const dead = (n: number): Event => event('memcg_death', n, { memcgId: 1000 + n, path: pathOf(n), by: 'probe' })

test('names of the dead are bounded by --tombstones: the oldest go, the living and those of a kill stay', () => {
  const model = createModel({ tombstones: 100 })
  for (const row of [hello(), birth(1, '/', 0), birth(1001, pathOf(1), 1), named(1), birth(1002, pathOf(2), 1), named(2), ...decision({ tid: 384, tsNs: T0, memcgId: 1002, victims: [{ pid: 381, memcgId: 1002 }] }), dead(2)]) applyEvent(model, row)
  expect(model.cases).toHaveLength(1)
  for (let n = 3; n < 1000; n++) for (const row of [birth(1000 + n, pathOf(n), 1), named(n), dead(n)]) applyEvent(model, row)
  expect(model.names.size).toBeLessThan(120)
  expect(model.tombstones.length).toBe(100)
  for (const kept of [1, 2, 999, 901]) expect(model.names.get(`container:${idOf(kept)}`)?.container, String(kept)).toBe(`c${kept}`)
  expect(model.names.has(`container:${idOf(3)}`)).toBe(false)
  expect(verdictOf(model, model.cases[0]!).sentence).toContain('Container c2')
})

test('a name that comes after the death has its turn, too', () => {
  const model = createModel({ tombstones: 64 })
  for (let n = 1; n < 500; n++) for (const row of [dead(n), named(n)]) applyEvent(model, row)
  expect(model.names.size).toBeLessThan(80)
  expect(model.names.has(`container:${idOf(499)}`)).toBe(true)
})

test('a forgotten name is a change of the names, too: what was computed with it is old', () => {
  const model = createModel({ tombstones: 64 })
  let forgotten = 0
  for (let n = 1; n < 500; n++) {
    for (const row of [birth(1000 + n, pathOf(n), 1), named(n)]) applyEvent(model, row)
    const { size } = model.names, { version } = model.nameBook
    applyEvent(model, dead(n))
    forgotten += size - model.names.size
    expect(model.nameBook.version > version).toBe(model.names.size < size)
  }
  expect(forgotten).toBeGreaterThan(300)
})

test('names of workloads that never lived here do not push out those that live', () => {
  const model = createModel({ tombstones: 64 })
  for (const row of [birth(1001, pathOf(1), 1), named(1)]) applyEvent(model, row)
  for (let n = 2; n < MAX_NAMES * 1.3; n++) applyEvent(model, named(n))
  expect(model.names.size).toBeLessThanOrEqual(MAX_NAMES + 64)
  expect(model.names.has(`container:${idOf(1)}`)).toBe(true)
})

test('a hostile number of sources of one name is bounded', () => {
  const model = fold(Array.from({ length: 1000 }, (_, n) => event('workload', n, { from: `liar-${n}`, containerId: ID, container: `c${n}` })))
  expect(model.nameBook.told.get(`container:${ID}`)?.length).toBeLessThanOrEqual(8)
  applyEvent(model, event('workload', 2000, { from: 'cri', containerId: ID, container: 'true' }))
  expect(model.names.get(`container:${ID}`)?.container).toBe('true')
})

test('an id that the kernel uses again without a death in between is another cgroup, on v1 a rename is not', () => {
  const other = `${POD}/${'c'.repeat(64)}`
  const again = fold([...NODE, event('memcg_usage', T0, { memcgId: 104, currentBytes: 5 }), birth(104, other, 66, T0 + 1)])
  expect(again.memcgs.get(104)).toMatchObject({ path: other, bornNs: T0 + 1 })
  expect(again.memcgs.get(104)?.usage).toBeUndefined()
  const renamed = fold([hello({ memcgVersion: 'v1' }), ...NODE.slice(1), event('memcg_usage', T0, { memcgId: 104, currentBytes: 5 }), birth(104, other, 66, T0 + 1)])
  expect(renamed.memcgs.get(104)).toMatchObject({ path: other, usage: { currentBytes: 5 } })
})

test('what the runtime says of a container is not replaced by what others made of it', () => {
  const said = (from: string, reason: string): Event => event('container_status', 5, { from, containerId: ID, state: 'exited', exitCode: 137, reason })
  const model = fold([said('kubernetes', 'ContainerStatusUnknown'), said('cri', 'OOMKilled'), said('kubelet', 'Error'), said('kubernetes', 'ContainerStatusUnknown')])
  expect(model.statuses.get(ID)?.at(-1)).toMatchObject({ from: 'cri', reason: 'OOMKilled' })
  applyEvent(model, said('cri', 'Error'))
  expect(model.statuses.get(ID)?.at(-1)).toMatchObject({ from: 'cri', reason: 'Error' })
})

test('of a container that is started again and again the last runs are kept, and a start that another source tells less exactly is none', () => {
  const said = (startedMs: number, fields: Partial<FieldsOf<'container_status'>> = {}): Event => event('container_status', 5, { from: 'docker', containerId: ID, state: 'exited', startedMs, ...fields })
  const model = fold([...Array.from({ length: 40 }, (_, n) => said(1000 + n)), said(1039, { reason: 'OOMKilled' })])
  expect(model.statuses.get(ID)?.map(({ startedMs }) => startedMs)).toEqual(Array.from({ length: 16 }, (_, n) => 1024 + n))
  expect(model.statuses.get(ID)?.at(-1)).toMatchObject({ reason: 'OOMKilled' })
  expect(fold([said(1000, { from: 'kubelet' }), said(1500, { from: 'cri' })]).statuses.get(ID)).toHaveLength(1)
})
