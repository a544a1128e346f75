/** The kubelet's log beside a recording: it says why the runtime was asked to stop a container, and never makes a kill of its own. */
import { expect, test } from 'vitest'
import { readEvidence } from '../../../src/cli/evidence.ts'
import type { Event } from '../../../src/event/event.ts'
import { parseKubeletLine } from '../../../src/identity/kubelet-log.ts'
import { applyEvent } from '../../../src/model/apply.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { accountOf, verdictOf } from '../../../src/verdict/verdict.ts'
import { C1, MS, NODE, T0, UID, birth, event, exit, fold } from '../model/build.ts'

/** build.ts: T0 is 2025-11-24T16:00:50Z. */
const ID = 'a'.repeat(64), OTHER = 'b04f7a9e-3c52-4d18-9e6b-c1a7d2085f63'
const killing = (at: string, uid = UID): string => `I1124 ${at} 1234 kuberuntime_container.go:709] "Killing container with a grace period" pod="batch/etl-0" podUID="${uid}" containerName="etl" containerID="containerd://${ID}" gracePeriod=2`
const evicted = (at: string, pod = 'batch/etl-0'): string => `I1124 ${at} 1234 eviction_manager.go:616] "Eviction manager: pod is evicted successfully" pod="${pod}"`
const liveness = (at: string): string => `I1124 ${at} 1234 kuberuntime_manager.go:1010] "Message for Container of pod" containerName="etl" containerStatusID={"Type":"containerd","ID":"${ID}"} pod="batch/etl-0" containerMessage="Container etl failed liveness probe, will be restarted"`

const signal = (signo: number, tsNs: number): Event => event('signal', tsNs, { signo, code: 0, group: 1, result: 0, senderPid: 77, senderTid: 77, senderComm: 'containerd-shim', senderMemcgId: 200, targetTid: 381, targetComm: 'x' })
/** Stopped at T0 after a grace period of two seconds. */
const stopped = (): NodeModel => fold([...NODE, birth(200, '/system.slice/containerd.service', 1), signal(15, T0 - 2e9), signal(9, T0), exit(381, 104, T0 + MS)])

function judged(log: string, model = stopped()) {
  const evidence = readEvidence(log, { anchor: model.anchor!, names: new Map() })
  for (const one of evidence.events) applyEvent(model, one)
  expect(model.cases).toHaveLength(1)
  return { ...verdictOf(model, model.cases[0]!), ...accountOf(model, model.cases[0]!), unknown: evidence.unknown }
}

test('without the kubelet\'s log a stop is a stop, and the reason is not guessed', () => {
  expect(judged('')).toMatchObject({ cause: 'runtime-stop', confidence: 'likely', sentence: expect.stringMatching(/^Stopped: containerd-shim \(pid 77\) killed .* with SIGKILL, 2 s after SIGTERM\. No OOM kill\.$/), doubts: ['why it was stopped (probe, delete, drain, eviction) only the kubelet knows'] })
})

test('an eviction, by klog lines alone, in journald\'s clothes, and as JSON', () => {
  const lines = [killing('16:00:48.010000'), evicted('16:00:50.100000')]
  const forms = [
    lines.join('\n'), lines.map((line) => `Nov 24 16:00:50 worker-3 kubelet[1234]: ${line}`).join('\n'),
    lines.map((MESSAGE) => JSON.stringify({ MESSAGE, SYSLOG_IDENTIFIER: 'kubelet', _COMM: 'kubelet', _TRANSPORT: 'stdout', __REALTIME_TIMESTAMP: '1764000050000000' })).join('\n'),
  ]
  for (const form of forms) expect(judged(form), form).toMatchObject({ cause: 'eviction', confidence: 'certain', unknown: 0, sentence: expect.stringMatching(/^Evicted by the kubelet under node pressure: /) })
})

test('a failed liveness probe, a delete', () => {
  expect(judged(`${killing('16:00:48.000000')}\n${liveness('16:00:47.900000')}`)).toMatchObject({ cause: 'runtime-stop', confidence: 'certain', sentence: expect.stringMatching(/^Stopped because the liveness probe failed: /), advice: [expect.stringContaining('probe\'s timeout')] })
  expect(judged(`${killing('16:00:48.000000')}\nI1124 16:00:47.000000 1 kubelet.go:2542] "SyncLoop DELETE" source="api" pods=["batch/etl-0"]`)).toMatchObject({ cause: 'runtime-stop', sentence: expect.stringContaining('because the pod was deleted') })
})

test('another pod, another time, another writer: no evidence', () => {
  for (const log of [`${killing('16:00:48.000000', OTHER)}\n${evicted('16:00:50.000000')}`, `${killing('12:00:48.000000')}\n${evicted('12:00:50.000000')}`, evicted('16:00:50.000000'),
    [killing('16:00:48.010000'), evicted('16:00:50.100000')].map((line) => `Nov 24 16:00:50 worker-3 myapp[1234]: ${line}`).join('\n'), 'I1124 16:00:50.1 1 x.go:1] "Probe failed" probeType="Liveness" podUID="x"']) {
    expect(judged(log), log).toMatchObject({ cause: 'runtime-stop', confidence: 'likely' })
  }
  expect(judged(evicted('16:00:50.000000')).unknown).toBe(1)
})

test('the kubelet\'s word alone makes no case, and an OOM kill stays one', () => {
  const model = fold(NODE)
  for (const one of readEvidence(`${killing('16:00:48.000000')}\n${evicted('16:00:50.000000')}`, { anchor: model.anchor!, names: new Map([['batch/etl-0', UID]]) }).events) applyEvent(model, one)
  expect(model.testimonies).toHaveLength(2)
  expect(model.cases).toHaveLength(0)
  expect(C1).toContain(UID)
})

test('no line of any shape is taken for more than it says', () => {
  for (const line of ['', 'I1124', killing('16:00:48.000000').slice(0, 90), 'I1124 16:00:50.1 1 x.go:1] "Eviction manager: pod is evicted successfully" pod="../../etc"', 'I1124 16:00:50.1 1 x.go:1] Eviction manager: pod is evicted successfully pod="a/b"', `I1124 16:00:50.1 1 x.go:1] "${'\\"'.repeat(5000)}`]) {
    for (const said of parseKubeletLine(line).said) expect([said.pod, said.podUid, said.containerId].every((text) => text === undefined || /^[a-z0-9./-]+$/.test(text))).toBe(true)
  }
  const whole = killing('16:00:48.000000')
  for (let end = 0; end <= whole.length; end++) parseKubeletLine(whole.slice(0, end))
  expect(parseKubeletLine(whole)).toEqual({ stamp: '1124 16:00:48.000000', said: [{ says: 'killing', pod: 'batch/etl-0', podUid: UID, containerId: ID, detail: '2' }] })
})
