/** The list of spikes: a row is made once, and anew when something it says has changed. */
import { expect, test } from 'vitest'
import { lens } from '../../../src/cli/lens.ts'
import { globMatcher } from '../../../src/base/glob.ts'
import { applyEvent } from '../../../src/model/apply.ts'
import { narrower } from '../../../src/model/narrow.ts'
import { spikeRows } from '../../../src/view/spikes-list.ts'
import { MIB } from '../../helpers/usage-signal.ts'
import { C1, NODE, T0, UID, event, fold, usage } from '../model/build.ts'

test('only those of the cgroups that are looked at; the whole model beside it keeps all', () => {
  const model = fold([...NODE, ...[20, 20, 90, 20, 20, 20].map((mib, i) => usage(104, mib * MIB, T0 + i * 2e8))]), path = model.memcgs.get(104)?.path ?? ''
  const rowsOf = (pattern: string): number => spikeRows(lens, narrower({ text: pattern, covers: globMatcher(pattern) })(model)).length
  expect([rowsOf('/system.slice'), rowsOf(path), rowsOf(path.slice(0, path.lastIndexOf('/')))]).toEqual([0, 1, 1])
  expect(spikeRows(lens, model)).toHaveLength(1)
})

test('a row stays the same object until its spike, a name, the clock or the losses of the stream change', () => {
  const model = fold([...NODE, ...[20, 20, 90, 20, 20, 20].map((mib, i) => usage(104, mib * MIB, T0 + i * 2e8))]), [first] = spikeRows(lens, model), [spike] = model.spikes.spikes
  expect(first).toMatchObject({ peakBytes: 90 * MIB, isTouched: false })
  expect(spikeRows(lens, model)[0]).toBe(first)
  spike!.stallNs = 5e6
  expect(spikeRows(lens, model)[0]).toMatchObject({ stallMs: 5 })
  spike!.peakBytes = 95 * MIB
  spike!.exactness = 'high-water'
  expect(spikeRows(lens, model)[0]).toMatchObject({ peakBytes: 95 * MIB, exactness: 'high-water' })
  applyEvent(model, event('workload', T0 + 2e9, { from: 'cri', podUid: UID, containerId: C1.slice(-64), namespace: 'shop', pod: 'api', container: 'app' }))
  expect(spikeRows(lens, model)[0]).toMatchObject({ place: 'shop/api:app' })
  const [named] = spikeRows(lens, model)
  applyEvent(model, event('clock', T0 - 1e9, { wallMs: 1_900_000_000_000, bootNs: T0 - 1e9 }))
  expect(spikeRows(lens, model)[0]?.time).not.toBe(named?.time)
  applyEvent(model, event('loss', T0 + 4e9, { where: 'ring', count: 1 }))
  expect(spikeRows(lens, model)[0]).toMatchObject({ isTouched: true })
})
