/** The list of kills: a row is made once, and anew when its case, a name or the clock has changed. */
import { expect, test } from 'vitest'
import { lens } from '../../../src/cli/lens.ts'
import { applyEvent } from '../../../src/model/apply.ts'
import { killRows } from '../../../src/view/kills-list.ts'
import { C1, MS, NODE, T0, UID, decision, event, exit, fold } from '../model/build.ts'

const kill = decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] })

test('a row stays the same object until its case, a name or the clock changes', () => {
  const model = fold([...NODE, ...kill.slice(0, -1)]), row = () => killRows(lens, model)[0]
  const before = row()
  expect(before).toMatchObject({ victim: 'hog 381', died: 'hog (pid 381) killed' })
  expect(row()).toBe(before)
  applyEvent(model, event('workload', T0 + 2e9, { from: 'cri', podUid: UID, containerId: C1.slice(-64), namespace: 'shop', pod: 'api', container: 'app' }))
  const named = row()
  expect(named).toMatchObject({ place: 'shop/api', sentence: expect.stringContaining('Container app of pod shop/api') })
  applyEvent(model, event('clock', T0 - 1e9, { wallMs: 1_900_000_000_000, bootNs: T0 - 1e9 }))
  const { time } = row() ?? {}
  expect(time).not.toBe(named?.time)
  // What the clock did afterwards does not concern it.
  applyEvent(model, event('clock', T0 + 3e9, { wallMs: 1_950_000_000_000, bootNs: T0 + 3e9 }))
  expect(row()?.time).toBe(time)
  applyEvent(model, event('oom_kill', T0 + 5e5, { tid: 384, pid: 382, comm: 'late', memcgId: 104, oomScoreAdj: 0, totalVmPages: 1, pgtablesBytes: 1 }))
  expect(row()).toMatchObject({ victims: 2, died: 'hog (pid 381) and 1 more killed' })
})

test('the row of a signal follows what is learned about the kills before it', () => {
  const signal = event('signal', T0 + 100 * MS, { signo: 9, code: 0, group: 1, result: 0, senderPid: 1, senderTid: 1, senderComm: 'systemd', senderMemcgId: 1, targetTid: 400, targetComm: 'hog' })
  const model = fold([...NODE, signal, exit(400, 104, T0 + 101 * MS)]), told = () => killRows(lens, model).find(({ killCase }) => killCase.sentSignal !== undefined)?.sentence
  expect(told()).toMatch(/^Stopped: systemd/)
  for (const row of kill) applyEvent(model, row)
  expect(told()).toMatch(/^Ended after an OOM kill in the same cgroup/)
})
