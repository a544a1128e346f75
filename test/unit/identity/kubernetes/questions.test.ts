/** Which questions are a reason to read the pods again; one that comes during a reading may be about a pod that its answer does not have yet. */
import { afterEach, expect, test, vi } from 'vitest'
import type { NameFact } from '../../../../src/identity/name-source.ts'
import type { Pods } from '../../../../src/identity/kubernetes/readers.ts'
import { PodSource } from '../../../../src/identity/kubernetes/source.ts'
import { until } from '../../../helpers/fake-http.ts'
import { pod } from './pod.ts'

const ID = 'a'.repeat(64), UID = '26ab26cd-6409-443f-a13c-fd6c231207c8'

afterEach(() => { vi.useRealTimers() })

test('a known container is no reason to read again, and none is one that is in no pod', async () => {
  vi.useFakeTimers()
  const source = new PodSource('kubelet', () => Promise.resolve({ pods: [pod()], who: 'x', parseMs: 0 })), waiting = (): number => vi.getTimerCount()
  source.start()
  await source.settled
  const atRest = waiting()
  source.ask({ containerId: ID, podUid: UID, why: 'birth' })
  source.ask({ containerId: 'f'.repeat(64), why: 'birth' })
  expect(waiting()).toBe(atRest)
  source.ask({ containerId: 'f'.repeat(64), podUid: UID, why: 'birth' })
  expect(waiting()).toBe(atRest + 1)
  source.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a container that is born while the pods are being read has its name soon after', async () => {
  const readings: ((pods: Pods) => void)[] = [], facts: NameFact[] = []
  const source = new PodSource('kubelet', () => new Promise((resolve) => readings.push(resolve)), { periodMs: 1e8, soonMs: 0 }), answer = (...pods: object[]): void => readings.at(-1)?.({ pods, who: 'x', parseMs: 0 })
  source.start()
  answer()
  await source.settled
  source.ask({ containerId: 'b'.repeat(64), podUid: UID, why: 'birth' })
  await until(() => readings.length === 2)
  source.ask({ containerId: ID, podUid: UID, why: 'birth' })
  // Timers of one length ring in their order: the question's comes, and goes, while this reading is on its way.
  await new Promise((resolve) => setTimeout(resolve, 1))
  answer()
  await until(() => readings.length === 3)
  answer(pod())
  await until(() => { facts.push(...source.take()); return facts.some(({ containerId }) => containerId === ID) })
  expect(readings).toHaveLength(3)
  source.close()
})
