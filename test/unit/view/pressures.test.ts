import { expect, test } from 'vitest'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { pressureStarts } from '../../../src/view/pressures.ts'

test('pressure begins where a trigger fires after a silence; as long as they go on it is one', () => {
  const model = createModel()
  for (const second of [10, 11, 13, 17, 30, 31, 60]) applyEvent(model, { kind: 'psi_trigger', tsNs: second * 1e9, memcgId: 0, line: 'some', thresholdUs: 150_000, windowUs: 1_000_000 })
  applyEvent(model, { kind: 'stall', tsNs: 45e9, memcgId: 1, tid: 1, pid: 1, comm: 'a', what: 0, ns: 2e7 } as never)
  expect(pressureStarts(model)).toEqual([10, 30, 60].map((second) => second * 1e9))
})
