/** Histories, rates and the life of memcgs: bounded, lazy, and honest about what is not known. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { HISTOGRAMS } from '../../../src/event/kinds.ts'
import { applyEvent, createModel, MAX_NOTICES, MAX_RECENT } from '../../../src/model/apply.ts'
import { accrue, createHistory, dropHistory, HISTORY_SECONDS, recordAnon, recordUsage } from '../../../src/model/history.ts'
import { MAX_TOMBSTONES } from '../../../src/model/memcgs.ts'
import { highPerSec, psiSomePct, stallMsPerSec, sumOver } from '../../../src/model/rates.ts'
import { T0, birth, event, fold, hello, usage } from './build.ts'

const S = 1e9
const clock = (tsNs: number): Event => event('clock', tsNs, { wallMs: tsNs / 1e6, bootNs: tsNs })
const counter = (index: number, key: number, value: number, tsNs: number): Event => event('counter', tsNs, { counter: index, key, value })
const psi = (memcgId: number, someTotalUs: number, tsNs: number): Event => event('memcg_psi', tsNs, { memcgId, someAvg10Centi: 0, someTotalUs, fullAvg10Centi: 0, fullTotalUs: 0 })

test('a second keeps its largest usage, a second without a sample is not known', () => {
  const history = createHistory()
  recordUsage(history, 10.1 * S, 5)
  recordUsage(history, 10.2 * S, 9)
  recordUsage(history, 10.3 * S, 7)
  recordUsage(history, 12 * S, 3)
  expect([10, 11, 12].map((s) => history.usageBytes[s])).toEqual([9, NaN, 3])
})

test('anonymous memory is as last read in the second, costs nothing before it is, and is given back', () => {
  const history = createHistory()
  recordUsage(history, 10 * S, 5)
  expect(history.anonBytes.length).toBe(0)
  recordAnon(history, 10.1 * S, 5)
  recordAnon(history, 10.2 * S, 3)
  recordUsage(history, 12 * S, 3)
  expect([10, 11, 12].map((s) => history.anonBytes[s])).toEqual([3, NaN, NaN])
  recordUsage(history, (10 + HISTORY_SECONDS) * S, 6)
  expect(history.anonBytes[10]).toBeNaN()
  dropHistory(history)
  expect(history.anonBytes.length).toBe(0)
})

test('what is older than two minutes is gone, and a late row does not bring it back', () => {
  const history = createHistory()
  recordUsage(history, 10 * S, 5)
  recordUsage(history, (10 + HISTORY_SECONDS) * S, 6)
  recordUsage(history, 10 * S, 99)
  expect(history.usageBytes[10]).toBe(6)
})

test('arrays are made when the first fact arrives, not before', () => {
  const history = createHistory()
  recordUsage(history, 10 * S, 5)
  expect([history.usageBytes.length, history.someUs.length, history.stallNs.length]).toEqual([HISTORY_SECONDS, 0, 0])
  expect(stallMsPerSec(history, { nowNs: 10 * S, seconds: 5 })).toBeUndefined()
})

test('an amount is spread over the time in which it accrued', () => {
  const history = createHistory()
  accrue(history, 'someUs', 4e6, { fromNs: 10.5 * S, toNs: 14.5 * S })
  expect([10, 11, 12, 13, 14].map((s) => history.someUs[s])).toEqual([0.5e6, 1e6, 1e6, 1e6, 0.5e6])
  expect(sumOver(history, 'someUs', { nowNs: 15 * S, seconds: 5 })).toBe(4e6)
})

test('rates count exactly the window', () => {
  const model = fold([hello(), birth(5, '/a', 1), psi(5, 0, T0), psi(5, 250_000, T0 + S), psi(5, 500_000, T0 + 2 * S)])
  expect(psiSomePct(model.memcgs.get(5)!.history, { nowNs: T0 + 2 * S, seconds: 2 })).toBeCloseTo(25)
})

test('counters stay monotone when the tracer restarts', () => {
  const model = fold([hello(), birth(5, '/a', 1), clock(T0), clock(T0 + 10 * S), counter(3, 5, 100, T0 + 11 * S), counter(3, 5, 150, T0 + 12 * S), counter(3, 5, 20, T0 + 13 * S)])
  expect(model.memcgs.get(5)!.counters![3]).toBe(170)
})

test('a counter met at the first keyframe is no stall of that second', () => {
  const model = fold([hello(), clock(T0), birth(5, '/a', 1), counter(3, 5, 9e9, T0 + 1e6), counter(3, 5, 9.2e9, T0 + 3 * S)])
  expect(stallMsPerSec(model.memcgs.get(5)!.history, { nowNs: T0 + 3 * S, seconds: 10 })).toBeCloseTo(20)
  expect(stallMsPerSec(model.history, { nowNs: T0 + 3 * S, seconds: 10 })).toBeCloseTo(20)
})

test('reclaim inside throttling above memory.high is waited once', () => {
  const over = 9
  const model = fold([hello(), clock(T0), clock(T0 + 10 * S), birth(5, '/a', 1), counter(3, 5, 1e9, T0 + 11 * S), counter(over, 5, 1.5e9, T0 + 11 * S)])
  expect(sumOver(model.memcgs.get(5)!.history, 'stallNs', { nowNs: T0 + 12 * S, seconds: 5 })).toBe(1.5e9)
})

test('events per second come from the difference of the file', () => {
  const row = (high: number, tsNs: number): Event => event('memcg_events', tsNs, { memcgId: 5, high, max: 0, oomKill: 0 } as never)
  const model = fold([hello(), birth(5, '/a', 1), row(100, T0), row(120, T0 + 2 * S)])
  expect(highPerSec(model.memcgs.get(5)!.history, { nowNs: T0 + 2 * S, seconds: 4 })).toBe(5)
})

test('the dead are remembered, but only so many', () => {
  const model = createModel()
  for (let id = 1; id <= MAX_TOMBSTONES + 50; id++) {
    applyEvent(model, birth(id, `/c${id}`, 0, T0))
    for (const bytes of [5, 6]) applyEvent(model, usage(id, bytes, T0 + bytes))
    applyEvent(model, event('memcg_death', T0 + S, { memcgId: id, path: `/c${id}`, by: 'inotify' }))
  }
  expect(model.memcgs.size).toBe(MAX_TOMBSTONES)
  expect(model.memcgs.has(50)).toBe(false)
  const old = model.memcgs.get(51)!, young = model.memcgs.get(MAX_TOMBSTONES + 50)!
  expect([old, young].map(({ history }) => history.usageBytes.length)).toEqual([0, HISTORY_SECONDS])
  expect([old, young].map(({ earlierUsage, watch, usage: newest }) => [earlierUsage?.length, watch === undefined, newest?.currentBytes])).toEqual([[undefined, true, 6], [1, false, 6]])
})

test('a walk that reports the dead late does not raise them, the next keyframe does', () => {
  const death = event('memcg_death', T0 + S, { memcgId: 5, path: '/a', by: 'probe' })
  const late = fold([birth(5, '/a', 1, T0), death, birth(5, '/a', 1, T0 + S - 1)])
  expect(late.memcgs.get(5)!.diedNs).toBe(T0 + S)
  applyEvent(late, birth(5, '/a', 1, T0 + 5 * S))
  expect(late.memcgs.get(5)!.diedNs).toBeUndefined()
  expect(late.tombstones).toEqual([])
})

test('an id used again for another path is another memcg', () => {
  const model = fold([birth(5, '/a', 1, T0), usage(5, 7, T0), event('memcg_death', T0 + S, { memcgId: 5, path: '/a', by: 'probe' }), birth(5, '/b', 1, T0 + 2 * S)])
  expect(model.memcgs.get(5)).toMatchObject({ path: '/b', bornNs: T0 + 2 * S })
  expect(model.memcgs.get(5)!.usage).toBeUndefined()
})

test('a memcg that two keyframes do not name died unseen', () => {
  const model = fold([clock(T0), birth(5, '/a', 1, T0), birth(6, '/b', 1, T0), clock(T0 + 10 * S), birth(5, '/a', 1, T0 + 10 * S), clock(T0 + 20 * S), birth(5, '/a', 1, T0 + 20 * S), clock(T0 + 30 * S)])
  expect([model.memcgs.get(5)!.diedNs, model.memcgs.get(6)!.diedNs]).toEqual([undefined, T0])
})

test('lists of the recent are bounded', () => {
  const model = createModel()
  for (let i = 0; i < 2 * MAX_RECENT + 10; i++) applyEvent(model, event('psi_trigger', T0 + i, { memcgId: 0, line: 'some', thresholdUs: 1, windowUs: 1 }))
  for (let i = 0; i < MAX_NOTICES + 10; i++) applyEvent(model, event('notice', T0 + i, { from: 'bridge', text: String(i) }))
  expect([model.recent.length, model.health.notices.length]).toEqual([MAX_RECENT + 10, MAX_NOTICES])
  expect(model.recent.at(-1)!.tsNs).toBe(T0 + 2 * MAX_RECENT + 9)
  expect(model.health.notices.at(-1)!.text).toBe(String(MAX_NOTICES + 9))
})

test('what a hostile stream calls its places, questions, tests and histograms is bounded; what is known already is renewed', () => {
  const model = fold([birth(5, '/a', 1, T0)])
  for (const round of [1, 2]) {
    for (let i = 0; i < 1000; i++) {
      applyEvent(model, event('loss', T0 + i, { where: `w${i}`, count: round }))
      applyEvent(model, event('rung', T0 + i, { question: `q${i}`, rung: `${round}`, state: 'chosen' }))
      applyEvent(model, event('selftest', T0 + i, { test: `t${i}`, passed: round === 2 }))
      applyEvent(model, event('histogram', T0 + i, { histogram: i, key: 5, buckets: [round] }))
    }
  }
  const { health, rungs } = model
  expect([health.losses.size, rungs.size, health.selftests.size, model.memcgs.get(5)?.histograms?.size]).toEqual([64, 64, 64, HISTOGRAMS.length])
  expect([health.losses.get('w0')?.count, rungs.get('q0')?.rung, health.selftests.get('t0')?.passed]).toEqual([2, '2', true])
})

test('rows about a memcg nobody has named change nothing and do not throw', () => {
  const model = fold([usage(77, 5, T0), psi(77, 1, T0), counter(3, 77, 5, T0), event('memcg_stat', T0, { memcgId: 77 } as never)])
  expect(model.memcgs.size).toBe(0)
  expect(model.nowNs).toBe(T0)
})
