/** What CRI's messages become as rows; hostile names and labels name nobody. */
import { describe, expect, test } from 'vitest'
import { containerFact, ownerOf, sandboxFacts, statusFact } from '../../../../src/identity/cri/facts.ts'
import type { Status } from '../../../../src/identity/cri/messages.ts'

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', ID = 'a'.repeat(64)
const labels = (over: Record<string, string> = {}): Map<string, string> => new Map(Object.entries({ 'io.kubernetes.pod.uid': UID, 'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.pod.name': 'web-0', ...over }))
const status = (over: Partial<Status> = {}): Status => ({
  id: ID, name: 'app', attempt: 0, image: 'shop/web:3', state: 'exited', labels: labels(), annotations: new Map([['io.kubernetes.container.restartCount', '4']]),
  startedNs: 1.7e18, finishedNs: 1.7e18 + 2e9, exitCode: 137, reason: 'OOMKilled', message: '', resources: { memoryLimitBytes: 64 << 20, oomScoreAdj: 999 }, ...over,
})

describe('a container', () => {
  test('has its names, limit, image and restarts', () => {
    expect(containerFact(status(), 'containerd 1.6.20')).toMatchObject({
      kind: 'workload', containerId: ID, podUid: UID, namespace: 'shop', pod: 'web-0', container: 'app', role: 'container', restarts: 4, image: 'shop/web:3', memoryLimitBytes: 64 << 20, oomScoreAdj: 999, runtime: 'containerd 1.6.20',
    })
  })

  test('without a limit has none, which is not a limit of 0', () => {
    expect(containerFact(status({ resources: { memoryLimitBytes: 0, oomScoreAdj: 0 } }), 'x')).toMatchObject({ memoryLimitBytes: undefined, oomScoreAdj: 0 })
  })

  test.each(['A'.repeat(64), 'a'.repeat(63), '../../etc', '\u001b[2J', ''])('whose id is %j is nobody', (id) => {
    expect(containerFact(status({ id }), 'x')).toBeUndefined()
    expect(statusFact(status({ id }))).toBeUndefined()
  })

  test('with names that Kubernetes would not take has none of them', () => {
    expect(containerFact(status({ name: 'x\u001b[2Jy' }), 'x')).toBeUndefined()
    expect(containerFact(status({ labels: labels({ 'io.kubernetes.pod.uid': 'x', 'io.kubernetes.pod.name': '{red}', 'io.kubernetes.pod.namespace': 'a\nb' }) }), 'x')).toMatchObject({ podUid: undefined, pod: undefined, namespace: undefined })
  })
})

describe('its status', () => {
  test('is what the runtime says', () => {
    expect(statusFact(status())).toEqual({ kind: 'container_status', containerId: ID, state: 'exited', exitCode: 137, reason: 'OOMKilled', message: undefined, startedMs: 1.7e12, finishedMs: 1.7e12 + 2000 })
  })

  test('while it runs has neither an exit code nor an end', () => {
    expect(statusFact(status({ state: 'running', exitCode: 0, finishedNs: -6.795e18 }))).toMatchObject({ state: 'running', exitCode: undefined, finishedMs: undefined, reason: 'OOMKilled' })
  })
})

describe('a pod', () => {
  test('has its owner and told labels, and its pause container a row of its own', () => {
    const facts = sandboxFacts({ id: ID, pod: { name: 'web-6d4cf56db6-x2x4z', uid: UID, namespace: 'shop' }, labels: new Map([['app', 'web'], ['pod-template-hash', '6d4cf56db6'], ['password', 'hunter2']]) }, 'x')
    expect(facts).toMatchObject([{ podUid: UID, pod: 'web-6d4cf56db6-x2x4z', owner: 'Deployment/web', labels: 'app=web\npod-template-hash=6d4cf56db6' }, { containerId: ID, role: 'sandbox' }])
    expect(JSON.stringify(facts)).not.toContain('hunter2')
  })

  test.each([[{ name: '', uid: UID, namespace: 'shop' }], [{ name: 'web', uid: 'x', namespace: 'shop' }], [{ name: 'web', uid: UID, namespace: '\u0000' }]])('that is none of Kubernetes\' has no row: %j', (pod) => {
    expect(sandboxFacts({ id: ID, pod, labels: new Map() }, 'x')).toEqual([])
  })

  test.each([
    ['etl-28391-abcde', { 'batch.kubernetes.io/job-name': 'etl-28391' }, 'Job/etl-28391'], ['old-x', { 'job-name': 'old' }, 'Job/old'],
    ['db-2', { 'statefulset.kubernetes.io/pod-name': 'db-2' }, 'StatefulSet/db'], ['agent-x9zkq', { 'pod-template-generation': '3', 'controller-revision-hash': 'abc' }, 'DaemonSet/agent'],
    ['bare', {}, undefined], ['web-1', { 'pod-template-hash': '' }, undefined], ['web-1', { 'pod-template-hash': 'zzz' }, undefined], ['x', { 'job-name': '\u001b[2J' }, undefined],
  ] as const)('called %s belongs to its controller', (pod, given, owner) => {
    expect(ownerOf(pod, new Map(Object.entries(given)))).toBe(owner)
  })
})
