/** Spikes out of rows of usage: one each, with the height and the honesty that the rows allow, whatever the rhythm of the looks. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyDamage, applyEvent, createModel, endOfStream } from '../../../src/model/apply.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { MAX_SPIKES } from '../../../src/model/spike.ts'
import { seeded } from '../../helpers/stream.ts'
import { MIB, rowsOf, statRow, usageRow } from '../../helpers/usage-signal.ts'
import type { Means, Step } from '../../helpers/usage-signal.ts'
import { birth, event, fold, hello, limits, MS, T0 } from './build.ts'

const S = 1e9, ID = 7
const clock = (tsNs: number): Event => event('clock', tsNs, { wallMs: 0, bootNs: tsNs })
const HEAD = [hello(), clock(T0 - 1e9), birth(1, '/', 0), birth(ID, '/a', 1)]
const evenly = (seconds: number, stepNs = 100 * MS): number[] => Array.from({ length: Math.round((seconds * S) / stepNs) + 1 }, (_, i) => T0 + i * stepNs)
/** 100 MiB with these on top: [second, ms, MiB]. */
const bumps = (...list: readonly (readonly [number, number, number])[]): Step[] =>
  [{ tsNs: 0, bytes: 100 * MIB }, ...list.flatMap(([at, ms, mib]) => [{ tsNs: T0 + at * S, bytes: (100 + mib) * MIB }, { tsNs: T0 + at * S + ms * MS, bytes: 100 * MIB }])]
const keepAlive = (seconds: number): Event[] => Array.from({ length: seconds }, (_, i) => event('node_psi', T0 + i * S, { someAvg10Centi: 0, someTotalUs: 0, fullAvg10Centi: 0, fullTotalUs: 0 }))
const inOrder = (...events: readonly (readonly Event[])[]): Event[] => events.flat().sort((a, b) => a.tsNs - b.tsNs)
function told(events: readonly Event[]): NodeModel {
  const model = fold(events)
  endOfStream(model)
  return model
}
const spikesOf = (steps: readonly Step[], means: Means, seconds = 20, looks = evenly(seconds)): NodeModel['spikes']['spikes'] =>
  told([...HEAD, ...inOrder(rowsOf(steps, looks, { memcgId: ID, means }), keepAlive(seconds))]).spikes.spikes
const inMib = (list: NodeModel['spikes']['spikes']): unknown[] => list.map(({ baseBytes, peakBytes, exactness }) => [baseBytes / MIB, peakBytes / MIB, exactness])

describe('between two looks', () => {
  const short = bumps([3.01, 5, 50])
  test('a window tells the exact height, and when it was to within the window', () => {
    const [spike] = spikesOf(short, 'window')
    expect(spike).toMatchObject({ path: '/a', baseBytes: 100 * MIB, peakBytes: 150 * MIB, exactness: 'exact-height', leastNs: 0, ended: 'fell', isTouched: false })
    expect(spike?.startNs).toBeLessThanOrEqual(T0 + 3.01 * S)
    expect(spike?.endNs).toBeGreaterThanOrEqual(T0 + 3.015 * S)
    expect((spike?.endNs ?? 0) - (spike?.startNs ?? 0)).toBeLessThanOrEqual(100 * MS)
  })
  test('a window that was torn by a reader without CPU is at least so high, also when nothing in it was seen', () => {
    const torn = (means: (row: Event) => boolean) => told([...HEAD, ...inOrder(rowsOf(short, evenly(20), { memcgId: ID, means: 'window' }).map((row) => (row.kind === 'memcg_usage' && means(row) ? { ...row, windowNs: undefined } : row)), keepAlive(20))]).spikes.spikes
    expect(inMib(torn((row) => row.kind === 'memcg_usage' && (row.windowPeakBytes ?? 0) > 149 * MIB))).toEqual([[100, 150, 'sampled']])
    expect(inMib(torn(() => false))).toEqual([[100, 150, 'exact-height']])
  })
  test('a new high-water mark tells the exact height, and the time to within two looks of a quiet memcg', () => {
    const [spike] = spikesOf(short, 'high-water')
    expect(spike).toMatchObject({ peakBytes: 150 * MIB, exactness: 'high-water', leastNs: 0 })
    expect(spike?.startNs).toBeLessThanOrEqual(T0 + 3.01 * S)
    expect(spike?.endNs).toBeGreaterThanOrEqual(T0 + 3.015 * S)
    expect((spike?.endNs ?? 0) - (spike?.startNs ?? 0)).toBeLessThanOrEqual(2 * S)
  })
  test('when the budget of sampling made looks rarer, the time is as wide as they are apart', () => {
    const sampling = event('sampling', T0 - 0.5 * S, { budgetCenti: 200, usedCenti: 199, pressureCenti: 400, quietMemcgs: 1, activeMemcgs: 0, quickMemcgs: 0, slowPeriodNs: 4 * S, activePeriodNs: 100 * MS, quickPeriodNs: 5 * MS, slowTurns: 0, activeTurns: 0, quickTurns: 0, lateTurns: 0 })
    const [spike] = told([...HEAD, sampling, ...inOrder(rowsOf(bumps([1.5, 5, 50]), evenly(20, 4 * S), { memcgId: ID, means: 'high-water' }), keepAlive(20))]).spikes.spikes
    expect(spike).toMatchObject({ peakBytes: 150 * MIB, exactness: 'high-water' })
    expect(spike?.startNs).toBeLessThanOrEqual(T0 + 1.5 * S)
    expect(spike?.endNs).toBeGreaterThanOrEqual(T0 + 1.505 * S)
  })
  test('under an older mark, or without any, nobody can know of it', () => {
    expect(spikesOf(short, 'sampled')).toEqual([])
    expect(inMib(spikesOf(bumps([3.01, 5, 50], [9.01, 5, 40]), 'high-water'))).toEqual([[100, 150, 'high-water']])
  })
})

describe('longer than a look', () => {
  const ramp: Step[] = [{ tsNs: 0, bytes: 100 * MIB }, ...[120, 160, 190, 197, 170, 100].map((mib, i) => ({ tsNs: T0 + 3 * S + i * 70 * MS, bytes: mib * MIB }))]
  test.each(['window', 'high-water'] as const)('%s: exact although no look fell on its top', (means) => expect(inMib(spikesOf(ramp, means))).toEqual([[100, 197, means === 'window' ? 'exact-height' : means]]))
  test('sampled: as high as it was seen, which is no more than true', () => {
    const [spike] = spikesOf(ramp, 'sampled')
    expect(spike?.exactness).toBe('sampled')
    expect(spike?.peakBytes).toBeLessThanOrEqual(197 * MIB)
    expect(spike?.peakBytes).toBeGreaterThan(150 * MIB)
  })
  test('a mark that is read after its end raises it, and makes no second one', () => {
    const rows = [[0, 100, 100], [100, 160, 160], [200, 100, 160], [1000, 100, 171]] as const
    const model = told([...HEAD, ...rows.map(([ms, current, peak]) => usageRow({ tsNs: T0 + ms * MS, memcgId: ID, currentBytes: current * MIB, peakBytes: peak * MIB }))])
    expect(inMib(model.spikes.spikes)).toEqual([[100, 171, 'high-water']])
  })
  test('also while it stands on a level that is itself only seconds old', () => {
    const rows = [[0, 0, 0], [100, 100, 100], [3000, 101, 101], [4000, 150, 150], [4100, 101, 150], [7000, 140, 150], [7100, 101, 150], [7900, 101, 171]] as const
    const model = told([...HEAD, ...rows.map(([ms, current, peak]) => usageRow({ tsNs: T0 + ms * MS, memcgId: ID, currentBytes: current * MIB, peakBytes: peak * MIB }))])
    expect(inMib(model.spikes.spikes)).toEqual([[100, 150, 'high-water'], [101, 171, 'high-water']])
  })
  test('its length lies between what was seen and what is possible', () => {
    const [spike] = spikesOf(bumps([3.03, 450, 50]), 'window')
    expect(spike?.leastNs).toBeLessThanOrEqual(450 * MS)
    expect(spike?.leastNs).toBeGreaterThanOrEqual(250 * MS)
    expect((spike?.endNs ?? 0) - (spike?.startNs ?? 0)).toBeGreaterThanOrEqual(450 * MS)
  })
})

describe('what is a spike', () => {
  test('noise below the least height is none: 4 MiB, a tenth of the base, a twentieth of the limit', () => {
    expect(spikesOf(bumps([3, 200, 9]), 'window')).toEqual([])
    expect(inMib(spikesOf(bumps([3, 200, 11]), 'window'))).toEqual([[100, 111, 'exact-height']])
    const rows = rowsOf(bumps([3, 200, 11]), evenly(10), { memcgId: ID, means: 'window' })
    expect(told([...HEAD, limits(ID, 400 * MIB), ...rows]).spikes.spikes).toEqual([])
    expect(told([...HEAD, limits(ID, 200 * MIB), ...rows]).spikes.spikes[0]?.limit).toEqual({ bytes: 200 * MIB, path: '/a' })
  })
  test('a step up that stays, a slow growth, and the root are none', () => {
    expect(spikesOf([{ tsNs: 0, bytes: 100 * MIB }, { tsNs: T0 + 3 * S, bytes: 200 * MIB }], 'window', 90)).toEqual([])
    expect(spikesOf(Array.from({ length: 180 }, (_, i) => ({ tsNs: T0 + i * 0.5 * S, bytes: (100 + 2 * i) * MIB })), 'window', 90)).toEqual([])
    expect(told([...HEAD, ...rowsOf(bumps([3, 200, 50]), evenly(10), { memcgId: 1, means: 'window' })]).spikes.spikes).toEqual([])
  })
  test('a minute up is a level: 59 s are told, 70 s are not', () => {
    expect(spikesOf(bumps([3, 59_000, 50]), 'window', 90)).toHaveLength(1)
    expect(spikesOf(bumps([3, 70_000, 50]), 'window', 90)).toEqual([])
  })
  test('the overshoot of a start is one: its base is what usage settles at', () => {
    const start: Step[] = [{ tsNs: 0, bytes: 10 * MIB }, { tsNs: T0 + 4 * S, bytes: 400 * MIB }, { tsNs: T0 + 4.2 * S, bytes: 320 * MIB }]
    expect(inMib(spikesOf(start, 'window', 90))).toEqual([[320, 400, 'exact-height']])
  })
  test('spikes on a level that is itself only seconds old are told apart from it', () => {
    const steps: Step[] = [{ tsNs: 0, bytes: 10 * MIB }, { tsNs: T0 + 2 * S, bytes: 300 * MIB }, ...[6, 8, 10].flatMap((at) => [{ tsNs: T0 + at * S, bytes: 400 * MIB }, { tsNs: T0 + at * S + 50 * MS, bytes: 300 * MIB }]), { tsNs: T0 + 20 * S, bytes: 10 * MIB }]
    expect(inMib(spikesOf(steps, 'window', 30))).toEqual([[300, 400, 'exact-height'], [300, 400, 'exact-height'], [300, 400, 'exact-height'], [10, 300, 'exact-height']])
  })
  test('a look on the way down from a spike is no level of its own', () => {
    // 10 MiB since a few seconds; the last spike is seen at 30 MiB while it is freed.
    const steps: Step[] = [{ tsNs: 0, bytes: 0 }, { tsNs: T0 + 2 * S, bytes: 10 * MIB }, { tsNs: T0 + 6 * S, bytes: 60 * MIB }, { tsNs: T0 + 6.35 * S, bytes: 30 * MIB }, { tsNs: T0 + 6.45 * S, bytes: 10 * MIB }, { tsNs: T0 + 9 * S, bytes: 60 * MIB }, { tsNs: T0 + 9.2 * S, bytes: 10 * MIB }]
    expect(inMib(spikesOf(steps, 'window', 20))).toEqual([[10, 60, 'exact-height'], [10, 60, 'exact-height']])
  })
  test('a level that drifts up within seconds is one level', () => {
    const drift: Step[] = [{ tsNs: 0, bytes: 0 }, { tsNs: T0 + 2 * S, bytes: 40 * MIB }, ...Array.from({ length: 10 }, (_, i) => ({ tsNs: T0 + (4 + 1.5 * i) * S, bytes: (41 + i) * MIB })), { tsNs: T0 + 25 * S, bytes: 0 }]
    expect(inMib(spikesOf(drift, 'window', 30))).toEqual([[0, 50, 'exact-height']])
  })
  test('of a memcg that was born meanwhile, everything rose from nothing', () => {
    const row = usageRow({ tsNs: T0 + 5.1 * S, memcgId: 9, currentBytes: 2 * MIB, peakBytes: 80 * MIB })
    const model = told([...HEAD, birth(9, '/job', 1, T0 + 5 * S), row])
    expect(inMib(model.spikes.spikes)).toEqual([[0, 80, 'high-water']])
    expect(model.spikes.spikes[0]?.startNs).toBe(T0 + 5 * S)
  })
  test('what stood high when its memcg died ended with it', () => {
    const rows = rowsOf(bumps([3, 5000, 50]), evenly(4), { memcgId: ID, means: 'window' })
    const model = told([...HEAD, ...rows, event('memcg_death', T0 + 4.5 * S, { memcgId: ID, path: '/a', by: 'probe' })])
    expect(model.spikes.spikes).toMatchObject([{ ended: 'died', peakBytes: 150 * MIB, endNs: T0 + 4.5 * S }])
  })
  test('a way up in steps that ends at once is one, whether it fell or died', () => {
    const stairs: Step[] = [{ tsNs: 0, bytes: 10 * MIB }, ...[30, 60, 90].map((mib, i) => ({ tsNs: T0 + (3 + 3 * i) * S, bytes: mib * MIB })), { tsNs: T0 + 12 * S, bytes: 10 * MIB }]
    expect(inMib(spikesOf(stairs, 'window'))).toEqual([[10, 90, 'exact-height']])
    const rows = rowsOf(stairs, evenly(11), { memcgId: ID, means: 'window' })
    expect(inMib(told([...HEAD, ...inOrder(rows, keepAlive(11)), event('memcg_death', T0 + 11.5 * S, { memcgId: ID, path: '/a', by: 'probe' })]).spikes.spikes)).toEqual([[10, 90, 'exact-height']])
  })
  test('what still stands high at the end is not known to be one', () => expect(spikesOf(bumps([3, 60_000, 50]), 'window', 5)).toEqual([]))
})

describe('irregular looks', () => {
  test.each([3, 17, 29])('every spike is one spike with its exact height, seed %d', (seed) => {
    const random = seeded(seed), looks: number[] = [], list: (readonly [number, number, number])[] = []
    // 200 Hz to 1 Hz, as an adaptive sampler looks.
    for (let at = T0; at < T0 + 300 * S; at += (5 + 995 * random() ** 3) * MS) looks.push(at)
    for (let at = 3; at < 290; at += 2.5 + 5 * random()) list.push([at, 5 + 495 * random(), 12 + Math.floor(300 * random())])
    const spikes = spikesOf(bumps(...list), 'window', 300, looks)
    expect(inMib(spikes)).toEqual(list.map(([, , mib]) => [100, 100 + mib, 'exact-height']))
    spikes.forEach((spike, i) => {
      const [at, ms] = list[i] as readonly [number, number, number]
      expect(spike.startNs).toBeLessThanOrEqual(T0 + at * S)
      expect(spike.endNs).toBeGreaterThanOrEqual(T0 + at * S + ms * MS)
      expect(spike.leastNs).toBeLessThanOrEqual(ms * MS + 1)
    })
  })
  test('the rows of a keyframe are no looks: told between any two rows, they change nothing', () => {
    const rows = rowsOf(bumps([3, 300, 50], [6.02, 10, 70]), evenly(10), { memcgId: ID, means: 'window' })
    const repeated = rows.flatMap((row) => [row, { ...row, tsNs: row.tsNs + 1, windowPeakBytes: undefined, windowNs: undefined }])
    expect(told([...HEAD, ...repeated]).spikes).toEqual(told([...HEAD, ...rows]).spikes)
  })
})

describe('honesty', () => {
  test('facts lost meanwhile are said, and no height is called exact', () => {
    const rows = rowsOf(bumps([3, 800, 50], [6, 300, 50]), evenly(10), { memcgId: ID, means: 'window' }), model = createModel()
    for (const e of HEAD) applyEvent(model, e)
    for (const row of rows) {
      if (row.tsNs === T0 + 3.8 * S) applyDamage(model, row.tsNs)
      applyEvent(model, row)
    }
    endOfStream(model)
    expect(model.spikes.spikes.map(({ exactness, isTouched }) => [exactness, isTouched])).toEqual([['sampled', true], ['exact-height', false]])
    expect(model.gaps).toMatchObject({ damages: 1, count: 1 })
  })
  test('a silence of the stream is a gap', () => {
    const model = fold([...HEAD, clock(T0), clock(T0 + 8 * S)])
    expect(model.gaps.list).toEqual([{ fromNs: T0, toNs: T0 + 8 * S, why: 'silence' }])
  })
  test('what it was made of is what memory.stat said during it, else only what was there before', () => {
    const rows = rowsOf(bumps([3, 800, 50], [6, 300, 50]), evenly(10), { memcgId: ID, means: 'window' })
    const stats = [statRow(T0 + S, ID, { anonBytes: 90 * MIB, fileBytes: 8 * MIB }), statRow(T0 + 3.5 * S, ID, { anonBytes: 139 * MIB, fileBytes: 9 * MIB }), statRow(T0 + 5 * S, ID, { anonBytes: 90 * MIB, fileBytes: 8 * MIB })]
    const [long, short] = told([...HEAD, ...inOrder(rows, stats)]).spikes.spikes
    expect([long?.statBefore?.anonBytes, long?.statDuring?.anonBytes, short?.statBefore?.anonBytes, short?.statDuring]).toEqual([90 * MIB, 139 * MIB, 90 * MIB, undefined])
  })
  test('the wait it caused is what the counters rose by until the next print; unknown without probes', () => {
    const rows = rowsOf(bumps([3, 800, 50], [6, 300, 50], [9, 10, 50]), evenly(12), { memcgId: ID, means: 'window' }), counter = (second: number, ms: number): Event => event('counter', T0 + second * S, { counter: 3, key: ID, value: ms * MS })
    const model = told([...HEAD, ...inOrder(rows, [counter(2, 70), counter(4, 400), counter(7, 450)], keepAlive(16))])
    expect(model.spikes.spikes.map(({ stallNs }) => stallNs)).toEqual([330 * MS, 50 * MS, 0])
    expect(told([...HEAD, ...rows]).spikes.spikes.map(({ stallNs }) => stallNs)).toEqual([undefined, undefined, undefined])
  })
  test('of a memcg that died before the print came it is what the print says, and without one nothing is known', () => {
    const rows = rowsOf(bumps([3, 5000, 50]), evenly(4), { memcgId: ID, means: 'window' }), death = event('memcg_death', T0 + 4.5 * S, { memcgId: ID, path: '/a', by: 'probe' })
    const counter = (second: number, ms: number): Event => event('counter', T0 + second * S, { counter: 3, key: ID, value: ms * MS }), head = counter(1, 10)
    expect(told([...HEAD, ...inOrder(rows, [head, death, counter(5, 90)], keepAlive(8))]).spikes.spikes[0]?.stallNs).toBe(80 * MS)
    expect(told([...HEAD, ...inOrder(rows, [head, death])]).spikes.spikes[0]?.stallNs).toBeUndefined()
  })
  test('of one on top of another that ended with it, both caused it', () => {
    // 10 MiB, 200 for seconds, 300; killed, and then gone.
    const steps: Step[] = [{ tsNs: 0, bytes: 10 * MIB }, { tsNs: T0 + 3 * S, bytes: 200 * MIB }, { tsNs: T0 + 15 * S, bytes: 300 * MIB }, { tsNs: T0 + 17.5 * S, bytes: 200 * MIB }, { tsNs: T0 + 17.6 * S, bytes: 0 }], rows = rowsOf(steps, evenly(17.9), { memcgId: ID, means: 'window' })
    const death = event('memcg_death', T0 + 18 * S, { memcgId: ID, path: '/a', by: 'probe' }), counter = (second: number, ms: number): Event => event('counter', T0 + second * S, { counter: 3, key: ID, value: ms * MS })
    const { spikes } = told([...HEAD, ...inOrder(rows, [counter(1, 10), death, counter(18.2, 90)], keepAlive(22))]).spikes
    expect(spikes.map(({ peakBytes, stallNs }) => [peakBytes / MIB, stallNs])).toEqual([[300, 80 * MS], [200, 80 * MS]])
  })
  test('read twice it says the same', () => {
    const events = [...HEAD, ...rowsOf(bumps([3, 300, 50], [6.02, 10, 70]), evenly(10), { memcgId: ID, means: 'high-water' })]
    expect(told(events).spikes).toEqual(told(events).spikes)
  })
})

describe('kubectl top', () => {
  // Looks at multiples of 15 s: T0 is 100 s, so at 105 and 120 s.
  const stat = statRow(T0 + 0.5 * S, ID, { inactiveFileBytes: 30 * MIB, anonBytes: 60 * MIB })
  const spikes = told([...HEAD, ...inOrder([stat], rowsOf(bumps([4, 2000, 50], [9, 2000, 50]), evenly(30), { memcgId: ID, means: 'window' }))]).spikes.spikes
  test('it shows the spike that a look falls into, less the inactive file cache', () => expect(spikes[0]).toMatchObject({ kubectlTopBytes: 120 * MIB, isShownByTop: true }))
  test('between two looks it shows what the last one found', () => expect(spikes[1]).toMatchObject({ kubectlTopBytes: 120 * MIB, isShownByTop: false }))
  test('without memory.stat nothing is known of it', () => {
    const [spike] = spikesOf(bumps([4, 2000, 50]), 'window')
    expect(spike?.kubectlTopBytes).toBeUndefined()
    expect(spike?.isShownByTop).toBeUndefined()
  })
})

test('what is kept is bounded, and what is not kept is counted', () => {
  const model = createModel()
  for (const e of HEAD) applyEvent(model, e)
  for (let i = 0; i < 2 * MAX_SPIKES + 5; i++) applyEvent(model, usageRow({ tsNs: T0 + i * 100 * MS, memcgId: ID, currentBytes: 100 * MIB, windowPeakBytes: (i === 0 ? 100 : 150) * MIB, windowNs: 100 * MS }))
  expect(model.spikes.omitted).toBe(MAX_SPIKES)
  expect(model.spikes.spikes.length + model.spikes.omitted).toBe(2 * MAX_SPIKES + 4)
})
