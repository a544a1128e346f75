/** Clocks that jump while a recording is made: each moment keeps the wall clock that stood above it. */
import { expect, test } from 'vitest'
import { wallMsAt, type ClockAnchor } from '../../../src/base/time.ts'
import type { Event } from '../../../src/event/event.ts'
import { processAt } from '../../../src/model/processes.ts'
import { wallOf } from '../../../src/view/clock.ts'
import { event, fold, hello, T0 } from './build.ts'

const S = 1e9, WALL = 1_764_000_000_000, HOUR_MS = 3_600_000
const clock = (tsNs: number, sleptMs = 0, setMs = 0): Event => event('clock', tsNs, { wallMs: WALL + (tsNs - T0) / 1e6 + 50_000 + sleptMs + setMs, bootNs: tsNs + sleptMs * 1e6 })
const chain = (anchor: ClockAnchor | undefined): number => (anchor === undefined ? 0 : 1 + chain(anchor.before))

test('after a suspend the times before it stay what they were', () => {
  const awake = [hello(), clock(T0), clock(T0 + 10 * S)], model = fold([...awake, clock(T0 + 15 * S, HOUR_MS), clock(T0 + 25 * S, HOUR_MS)])
  expect(wallOf(model, T0 + 5 * S)).toBe(wallOf(fold(awake), T0 + 5 * S))
  expect(wallOf(model, T0 + 16 * S)).toBe(WALL + 66_000 + HOUR_MS)
  expect(chain(model.anchor)).toBe(2)
})

test('a clock that is set twice, and a file of the same recording that begins anew, lose nothing', () => {
  const model = fold([hello(), clock(T0), clock(T0 + 10 * S, 0, HOUR_MS), hello(), clock(T0 + 20 * S, 0, HOUR_MS), clock(T0 + 30 * S)])
  expect([5, 15, 25, 35].map((second) => (wallOf(model, T0 + second * S) ?? 0) - WALL - 50_000 - second * 1000)).toEqual([0, HOUR_MS, HOUR_MS, 0])
  const rebooted = fold([hello(), clock(T0, HOUR_MS), hello({ bootId: 'another' })])
  expect(chain(rebooted.anchor)).toBe(1)
})

test('a row from before the newest jump changes nothing', () => {
  const rows = [hello(), clock(T0), clock(T0 + 10 * S, HOUR_MS)]
  expect(fold([...rows, clock(T0 + 5 * S)]).anchor).toEqual(fold(rows).anchor)
  expect(fold([...rows, event('clock', T0 + 5 * S, { wallMs: 0, bootNs: 0 })]).anchor).toEqual(fold(rows).anchor)
})

test('a clock that is set all the time is kept for the newest times only', () => {
  const model = fold([hello(), ...Array.from({ length: 1000 }, (_, i) => clock(T0 + i * S, 0, (i % 2) * HOUR_MS))])
  expect(chain(model.anchor)).toBe(256)
  expect(wallMsAt(model.anchor!, T0 + 998.5 * S)).toBe(WALL + 50_000 + 998_500)
})

test('who began after a suspend is not taken for who had its pid before', () => {
  const process = (startNs: number, tsNs: number): Event => event('process', tsNs, { pid: 7, startNs, memcgId: 1, ppid: 1, uid: 0, threads: 1, comm: startNs < T0 + 10 * S ? 'early' : 'late' })
  const rows = [hello(), clock(T0), process(T0 - 20 * S, T0 + 1 * S), clock(T0 + 10 * S, HOUR_MS), process(T0 + 11 * S + HOUR_MS * 1e6, T0 + 12 * S), clock(T0 + 13 * S, HOUR_MS)]
  expect(processAt(fold(rows), 7, T0 + 2 * S)?.comm).toBe('early')
  expect(processAt(fold(rows), 7, T0 + 12.5 * S)?.comm).toBe('late')
})
