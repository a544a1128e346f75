/** The grammar of cgroup paths against vectors from real runtimes, and against forgery. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { identityOf } from '../../../src/identity/path.ts'
import { applyNames, workloadOf } from '../../../src/identity/workload.ts'
import type { WorkloadName } from '../../../src/model/names.ts'

type Vector = { path: string; runtime: string | null; qos: string | null; podUid: string | null; containerId: string | null; kind: string; sub?: string; inner?: string; node?: string; static?: boolean; unit?: string; uid?: number }
const read = (name: string): Vector[] => JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')) as Vector[]
/** From real runtimes and other programs' tests; and our own, for nestings and near misses. */
const vectors = [...read('identity-vectors.json'), ...read('identity-vectors-own.json')]

test.each(vectors)('$kind $path', (vector) => {
  const found = identityOf(vector.path)
  expect({
    kind: found.kind, runtime: found.runtime ?? null, qos: found.qos ?? null, podUid: found.podUid ?? null, containerId: found.containerId ?? null,
    sub: found.sub, inner: found.inner, node: found.node, static: found.static, unit: found.unit, uid: found.uid,
  }).toEqual({
    kind: vector.kind, runtime: vector.runtime, qos: vector.qos, podUid: vector.podUid, containerId: vector.containerId,
    sub: vector.sub, inner: vector.inner, node: vector.node, static: vector.static, unit: vector.unit, uid: vector.uid,
  })
})

test('no prefix of a path names another pod or another container', () => {
  for (const { path, podUid, containerId } of vectors) {
    for (let end = 0; end < path.length; end++) {
      const found = identityOf(path.slice(0, end))
      if (found.podUid !== undefined) expect(found.podUid, path.slice(0, end)).toBe(podUid)
      if (found.containerId !== undefined && found.runtime !== 'lxc') expect([containerId, ...vectors.filter((v) => v.path === path).map((v) => v.node)], path.slice(0, end)).toContain(found.containerId)
    }
  }
})

/** Another reading of the same words: a whole segment must carry the id, and nothing else may stand in it. */
const carriesPod = (path: string, podUid: string): boolean => path.split('/').some((segment) =>
  segment === `pod${podUid}` || segment.endsWith(`-pod${podUid.replaceAll('-', '_')}.slice`) || segment.includes(`-pod${podUid.replaceAll('-', '_')}.slice:`))
const carriesContainer = (path: string, id: string): boolean => path.split('/').some((segment) => new RegExp(`(?:^|[-:])${id}(?:\\.scope)?$`).test(segment))

/** Deterministic: a failure can be had again. */
function* seeded(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield state
  }
}

test('40,000 seeded mutations of paths never name a pod or container that is not written whole in the path', () => {
  const numbers = seeded(20), below = (limit: number): number => (numbers.next().value as number >>> 8) % limit
  const pick = (list: readonly string[]): string => list[below(list.length)] ?? ''
  const pieces = ['/', '-', '_', '.', '\n', '..', 'pod', 'kubepods', '.slice', '.scope', ':cri-containerd:', '\u001b', '0', 'f', 'é']
  let named = 0
  for (let i = 0; i < 40_000; i++) {
    const { path } = vectors[below(vectors.length)] as Vector, segments = path.split('/'), from = below(path.length), to = Math.min(path.length, from + below(12))
    const mutated = pick([
      path.slice(0, from) + path.slice(to), path.slice(0, from) + pick(pieces) + path.slice(from), path.slice(0, from) + pick(pieces) + path.slice(to),
      segments.toSpliced(below(segments.length), 1).join('/'), segments.toSpliced(below(segments.length), 0, pick(segments)).join('/'),
      segments.toSpliced(below(segments.length), 0, pick(pick(vectors.map((v) => v.path)).split('/'))).join('/'), path + path,
    ])
    const { podUid, containerId, runtime } = identityOf(mutated)
    if (podUid !== undefined) expect(carriesPod(mutated, podUid), mutated).toBe(true)
    if (containerId !== undefined && runtime !== 'lxc') expect(carriesContainer(mutated, containerId), mutated).toBe(true)
    if (podUid !== undefined) named += 1
  }
  // Otherwise the mutations would be too wild to prove anything.
  expect(named).toBeGreaterThan(4_000)
})

test('every kind of path has its level', () => {
  const levels = new Map(vectors.map(({ path, kind }) => [kind, workloadOf(path).level]))
  expect(Object.fromEntries(levels)).toEqual({
    root: 'root', kubepods: 'kubepods', qos: 'qos', pod: 'pod', container: 'container', subgroup: 'container', lxc: 'container', conmon: 'cgroup', slice: 'slice',
    service: 'service', session: 'service', 'user-service': 'service', infra: 'service', mount: 'cgroup', cgroup: 'cgroup',
  })
})

test('no change of one character yields a pod uid that is not in the path', () => {
  for (const { path } of vectors.filter((v) => v.podUid !== null)) {
    for (let at = 1; at < path.length; at++) {
      for (const c of ['x', '/', '-', '_', '.', '0']) {
        const mutated = path.slice(0, at) + c + path.slice(at + 1), { podUid } = identityOf(mutated)
        if (podUid !== undefined) expect(mutated.replaceAll('_', '-').split('/').some((s) => s.includes(`pod${podUid}`)), mutated).toBe(true)
      }
    }
  }
})

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', OTHER = '1399d9c7-c86f-4371-8568-07b3d32258a4'
const ID = 'a'.repeat(64), OTHER_ID = 'b'.repeat(64)

test('a container cannot become another pod by making cgroups below its own', () => {
  const own = `/kubepods/burstable/pod${UID}/${ID}`
  for (const forged of [`${own}/kubepods/besteffort/pod${OTHER}/${OTHER_ID}`, `${own}/kubepods-pod${OTHER.replaceAll('-', '_')}.slice:cri-containerd:${OTHER_ID}`, `${own}/kubepods.slice/kubepods-pod${OTHER.replaceAll('-', '_')}.slice`]) {
    expect(identityOf(forged)).toMatchObject({ kind: 'subgroup', podUid: UID, containerId: ID, qos: 'burstable' })
  }
})

test('a uid that is not one, and a slice that systemd would not have made, is a plain cgroup', () => {
  for (const path of ['/kubepods/burstable/podevil', `/kubepods/burstable/pod${UID}x`, `/evil/a-kubepods.slice/a-kubepods-pod${UID.replaceAll('-', '_')}.slice`, `/kubepods/burstable/pod${UID.toUpperCase()}`]) {
    expect(identityOf(path).podUid, path).toBeUndefined()
  }
})

test('names are added from the container first and from its pod otherwise', () => {
  const workload = workloadOf(`/kubepods/burstable/pod${UID}/${ID}`)
  const pod = { namespace: 'batch', pod: 'etl-0', from: 'pod-logs' }
  expect(applyNames(workload, new Map([[`pod:${UID}`, pod]]))).toMatchObject({ level: 'container', namespace: 'batch', pod: 'etl-0' })
  expect(applyNames(workload, new Map<string, WorkloadName>([[`pod:${UID}`, pod], [`container:${ID}`, { ...pod, container: 'etl' }]]))).toMatchObject({ pod: 'etl-0', container: 'etl' })
  expect(applyNames(workload, new Map([[`pod:${OTHER}`, pod]])).pod).toBeUndefined()
})
