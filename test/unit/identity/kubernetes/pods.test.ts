/** Pods as the API writes them → rows: owners, roles, requests and limits, the container before, static pods, and whatever hostile text a user puts there. */
import { expect, test } from 'vitest'
import type { NameFact } from '../../../../src/identity/name-source.ts'
import { podFacts } from '../../../../src/identity/kubernetes/pods.ts'
import { parseQuantity } from '../../../../src/identity/kubernetes/quantity.ts'
import { pod } from './pod.ts'

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map((c) => c.repeat(64)) as [string, string, string, string, string]

const of = (facts: readonly NameFact[], id?: string) => facts.find((fact) => fact.kind === 'workload' && fact.containerId === id)

test('a pod and each of its containers, with role, image, restarts, requests and limits', () => {
  const facts = podFacts(pod())
  expect(of(facts)).toEqual({ kind: 'workload', podUid: UID, namespace: 'shop', pod: 'web-7d9f8c6b5-x2x4z', owner: 'Deployment/web', qos: 'burstable', priority: 1000, labels: 'app=web\npod-template-hash=7d9f8c6b5' })
  expect(of(facts, A)).toMatchObject({ podUid: UID, container: 'nginx', role: 'container', image: 'nginx:1.27', restarts: 3, memoryRequestBytes: 128 << 20, memoryLimitBytes: 256 << 20 })
  expect(of(facts, B), 'the one before, which was killed').toMatchObject({ container: 'nginx', restarts: 2, memoryLimitBytes: 256 << 20 })
  expect(of(facts, C)).toMatchObject({ container: 'setup', role: 'init', memoryLimitBytes: 1e9 })
  expect(of(facts, D)).toMatchObject({ container: 'mesh', role: 'sidecar', memoryRequestBytes: 20e6 })
  expect(of(facts, E)).toMatchObject({ container: 'debug', role: 'ephemeral' })
  expect(facts.filter((fact) => fact.kind === 'container_status')).toEqual([{ kind: 'container_status', containerId: B, state: 'exited', exitCode: 137, reason: 'OOMKilled', startedMs: Date.parse('2026-11-20T12:00:00Z'), finishedMs: Date.parse('2026-11-20T12:00:07Z') }])
})

test('what a container said when it died, and labels nobody asked for, are not taken: secrets are in there', () => {
  expect(JSON.stringify(podFacts(pod()))).not.toContain('hunter2')
})

test('after a resize in place the status counts, not the spec', () => {
  expect(of(podFacts(pod({ status: { containerStatuses: [{ name: 'nginx', containerID: `containerd://${A}`, resources: { limits: { memory: '512Mi' } } }] } })), A)).toMatchObject({ memoryLimitBytes: 512 << 20 })
})

test.each<[string, object, string | undefined]>([
  ['a Job', { ownerReferences: [{ kind: 'Job', name: 'backup-28', controller: true }], labels: {} }, 'Job/backup-28'], ['a StatefulSet', { ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true }] }, 'StatefulSet/db'],
  ['a ReplicaSet of nobody', { ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }], labels: {} }, 'ReplicaSet/web'], ['a ReplicaSet with somebody else\'s hash', { labels: { 'pod-template-hash': 'other' } }, 'ReplicaSet/web-7d9f8c6b5'],
  ['somebody who does not control it', { ownerReferences: [{ kind: 'Job', name: 'x' }] }, undefined], ['a kind that is none', { ownerReferences: [{ kind: '\u001b[2J', name: 'x', controller: true }] }, undefined], ['nobody', { ownerReferences: null }, undefined],
])('owned by %s', (_, metadata, owner) => {
  expect((of(podFacts(pod({ metadata }))) as { owner?: string }).owner).toBe(owner)
})

test('the API\'s copy of a static pod has the uid that is in the cgroup; what only says that it is one has not', () => {
  const mirror = { annotations: { 'kubernetes.io/config.mirror': '0123456789abcdef0123456789abcdef' } }, node = [{ kind: 'Node', name: 'worker-3', controller: true }]
  expect(of(podFacts(pod({ metadata: { ...mirror, ownerReferences: node } })))).toMatchObject({ podUid: '0123456789abcdef0123456789abcdef', owner: 'Node/worker-3' })
  expect(of(podFacts(pod({ metadata: mirror })))).toMatchObject({ podUid: UID })
  expect(of(podFacts(pod({ metadata: { annotations: { 'kubernetes.io/config.mirror': '../x' }, ownerReferences: node } })))).toMatchObject({ podUid: UID })
})

test.each<[unknown, number | undefined]>([
  ['128Mi', 128 << 20], ['1Gi', 2 ** 30], ['1.5G', 1.5e9], ['500k', 500_000], ['1e9', 1e9], ['12E2', 1200], ['100m', 1], ['0', 0], [64, 64], ['.5Ki', 512], ['1E', undefined], ['-5', undefined], ['5 Mi', undefined], ['Mi', undefined], ['', undefined], ['0x10', undefined],
  [null, undefined], [{}, undefined], ['9'.repeat(39), undefined], ['9'.repeat(400), undefined], [Number.NaN, undefined], ['1Ei', undefined],
])('quantity %s', (text, bytes) => { expect(parseQuantity(text)).toBe(bytes) })

test('what is no pod, or is damaged in any place, gives no wrong row and never throws', () => {
  for (const value of [null, 1, 'x', [], {}, { metadata: null }, { metadata: { uid: UID } }, pod({ metadata: { uid: '../..' } }), pod({ metadata: { name: 'A\u001b' } }), pod({ metadata: { namespace: {} } })]) expect(podFacts(value)).toEqual([])
  const text = JSON.stringify(pod())
  for (const junk of [null, 7, 'x\u001b', [], { length: 1e9 }, '9'.repeat(5000)]) {
    let at = -1
    for (let i = 0; i < 60; i++) {
      at += 1
      let seen = 0
      const damaged = JSON.parse(text, (_, value: unknown) => (seen++ === at ? junk : value)) as unknown
      for (const fact of podFacts(damaged)) expect(JSON.stringify(fact).length, JSON.stringify(fact)).toBeLessThan(4000)
    }
  }
})
