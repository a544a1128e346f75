/** The history of waiting: what rises is put into its second, kind and latency class, two minutes are kept, and so many memcgs and no more. */
import { describe, expect, it } from 'vitest'
import { COUNTERS } from '../../../src/event/kinds.ts'
import { addLatencies, addWaits, heatFromNs, heatIn, MAX_STALL_HISTORIES, stallSlot, waitedIn, waitsIn } from '../../../src/model/stall-history.ts'
import type { StallHistory } from '../../../src/model/stall-history.ts'
import { addMemcg, emptyNode, M, NOW_S, tell } from '../../helpers/node-model.ts'

const counter = (name: (typeof COUNTERS)[number]): number => COUNTERS.indexOf(name)
const slot = (history: StallHistory | undefined, second: number): number => (history === undefined ? -1 : stallSlot(history, second))

describe('the history of waiting', () => {
  it('keeps time, number and pages of each kind by second, and gives seconds without a wait as zero', () => {
    const stalls = new Map<number, StallHistory>()
    addWaits(stalls, { counter: counter('memcg_reclaim_ns'), key: 7, tsNs: 10.2e9 }, 3e6)
    addWaits(stalls, { counter: counter('memcg_reclaim_count'), key: 7, tsNs: 10.2e9 }, 2)
    addWaits(stalls, { counter: counter('memcg_reclaim_pages'), key: 7, tsNs: 10.2e9 }, 64)
    addWaits(stalls, { counter: counter('compaction_ns'), key: 7, tsNs: 12e9 }, 5e6)
    const history = stalls.get(7) as StallHistory
    expect([10, 11, 12, 13].map((second) => slot(history, second))).toEqual([10, 11, 12, -1])
    expect([waitedIn(history, 0, 10), waitsIn(history, 0, 10), history.freedPages[10], waitedIn(history, 0, 11), waitedIn(history, 3, 12)]).toEqual([3e6, 2, 64, 0, 5e6])
  })
  it('does not count a wait twice because it is told by the memcg reclaimed, too, and knows nothing of kswapd', () => {
    const stalls = new Map<number, StallHistory>()
    for (const name of ['memcg_reclaim_target_ns', 'kswapd_wake_count'] as const) addWaits(stalls, { counter: counter(name), key: 7, tsNs: 1e9 }, 1e6)
    expect(stalls.size).toBe(0)
  })
  it('forgets what is older than two minutes, and takes nothing that comes later than that', () => {
    const stalls = new Map<number, StallHistory>(), at = (second: number) => ({ counter: counter('direct_reclaim_ns'), key: 7, tsNs: second * 1e9 })
    addWaits(stalls, at(100), 1e6)
    addWaits(stalls, at(500), 2e6)
    addWaits(stalls, at(300), 9e6)
    const history = stalls.get(7) as StallHistory
    expect([slot(history, 100), slot(history, 380), waitedIn(history, 1, slot(history, 500)), waitedIn(history, 1, slot(history, 381))]).toEqual([-1, -1, 2e6, 0])
  })
  it('puts what a cumulative histogram rose by into latency classes; a bucket that fell began again', () => {
    const stalls = new Map<number, StallHistory>(), before = new Array<number>(30).fill(0), now = [...before]
    now[3] = 1; now[13] = 2; now[24] = 4; before[24] = 1; before[13] = 5
    addLatencies(stalls, { key: 7, tsNs: 5e9, buckets: now }, before)
    const history = stalls.get(7) as StallHistory
    expect([0, 1, 11, 12, 13].map((heatClass) => heatIn(history, 5, heatClass))).toEqual([1, 2, 0, 3, 0])
    expect(heatFromNs(12)).toBe(2 ** 24)
  })
  it('holds so many memcgs and no more: the one whose last wait is longest ago gives way', () => {
    const stalls = new Map<number, StallHistory>()
    for (let key = 1; key <= MAX_STALL_HISTORIES + 100; key++) addWaits(stalls, { counter: counter('direct_reclaim_ns'), key, tsNs: key * 1e8 }, 1)
    expect(stalls.size).toBe(MAX_STALL_HISTORIES)
    expect([stalls.has(1), stalls.has(MAX_STALL_HISTORIES + 100)]).toEqual([false, true])
  })
})

describe('the fold', () => {
  it('takes no wait and no latency that a recording began with as one of its first second', () => {
    const model = emptyNode()
    model.clocksNs.splice(0, model.clocksNs.length, NOW_S * 1e9)
    const { id } = addMemcg(model, '/a', { used: M })
    tell(model, 'counter', NOW_S * 1e9, { counter: counter('memcg_reclaim_ns'), key: id, value: 5e12 })
    tell(model, 'histogram', NOW_S * 1e9, { histogram: 0, key: id, buckets: new Array<number>(30).fill(9) })
    expect(model.stalls.size).toBe(0)
    tell(model, 'counter', (NOW_S + 3) * 1e9, { counter: counter('memcg_reclaim_ns'), key: id, value: 5e12 + 7e6 })
    expect(waitedIn(model.stalls.get(id) as StallHistory, 0, (NOW_S + 3) % 120)).toBe(7e6)
  })
  it('counts the reclaim on the way to the sleep above memory.high once, as reclaim', () => {
    const model = emptyNode(), { id } = addMemcg(model, '/a', { used: M })
    tell(model, 'counter', (NOW_S - 1) * 1e9, { counter: counter('memcg_reclaim_ns'), key: id, value: 30e6 })
    tell(model, 'counter', (NOW_S - 1) * 1e9, { counter: counter('over_high_ns'), key: id, value: 100e6 })
    const history = model.stalls.get(id) as StallHistory, at = (NOW_S - 1) % 120
    expect([waitedIn(history, 0, at), waitedIn(history, 2, at)]).toEqual([30e6, 70e6])
  })
})
