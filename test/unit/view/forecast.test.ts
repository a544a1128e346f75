/** Forecasts: a robust slope, the limit that is met first, and silence where a number would mean nothing. */
import { describe, expect, test } from 'vitest'
import { growthOf } from '../../../src/view/forecast.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { reasonsOf } from '../../../src/view/severity.ts'
import { robustSlope } from '../../../src/view/slope.ts'
import { addMemcg, addPod, emptyNode, G, M, NOW_S, tell, TEST_LENS } from '../../helpers/node-model.ts'
import type { MemcgSpec } from '../../helpers/node-model.ts'

const line = (of: (x: number) => number): number[] => Array.from({ length: 30 }, (_, x) => of(x))
/** Grows by `perSecond` until now. */
const growing = (now: number, perSecond: number) => (ago: number): number => now - perSecond * ago

describe('the slope', () => {
  test('of a straight line is exact', () => expect(robustSlope(line((x) => 5 + 3 * x))).toEqual({ perSecond: 3, agreement: 1, scatter: 0 }))
  test('is not moved by spikes among the seconds', () => {
    const spiky = line((x) => 5 + 3 * x + (x % 9 === 4 ? 1000 : 0))
    expect(robustSlope(spiky)?.perSecond).toBeCloseTo(3, 0)
  })
  test('of noise has no agreement, of nothing is none', () => {
    expect(robustSlope(line((x) => (x * 7919) % 31))?.agreement).toBeLessThan(0.75)
    expect(robustSlope([1, 2, 3])).toBeUndefined()
    expect(robustSlope(line(() => Number.NaN))).toBeUndefined()
  })
  test('skips seconds of which nothing is known', () => expect(robustSlope(line((x) => (x % 3 === 0 ? Number.NaN : 2 * x)))?.perSecond).toBe(2))
})

describe('growth', () => {
  const of = (spec: MemcgSpec): number | undefined => { const model = emptyNode(); return growthOf(addMemcg(model, '/grows', spec), NOW_S) }
  test('is told when it is steady', () => expect(of({ usage: growing(900 * M, M) })).toBeCloseTo(M, -2))
  test('is not told of noise, of a step, of a standstill, or of less than 64 KiB a second', () => {
    for (const usage of [(ago: number) => (500 + ((ago * 7919) % 31)) * M, (ago: number) => (ago < 10 ? 900 : 500) * M, () => 500 * M, growing(500 * M, 32 * 1024)]) expect(of({ usage })).toBeUndefined()
  })
  test('is not told when it is file cache, which reclaim takes back', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/reads', { usage: growing(900 * M, 10 * M) })
    for (const ago of [2, 1, 0]) tell(model, 'memcg_stat', (NOW_S - ago) * 1e9, { memcgId: memcg.id, anonBytes: 100 * M, fileBytes: growing(800 * M, 10 * M)(ago), shmemBytes: 0 })
    expect(growthOf(memcg, NOW_S)).toBeUndefined()
    for (const ago of [2, 1, 0]) tell(model, 'memcg_stat', (NOW_S - ago) * 1e9 + 1, { memcgId: memcg.id, anonBytes: growing(800 * M, 10 * M)(ago), fileBytes: 100 * M, shmemBytes: 0 })
    expect(growthOf(memcg, NOW_S)).toBeCloseTo(10 * M, -2)
  })
})

describe('the limit that is met first', () => {
  test('is named, also when it is not the one that binds now', () => {
    const model = emptyNode()
    // The container has room for 40 s; its pod, in which a neighbour sits, only for 10.
    addPod(model, 'shop/cart-1', { usage: growing(600 * M, 10 * M), max: G, podMax: 700 * M })
    const [row] = overviewRows(momentOf(TEST_LENS, model))
    expect(row?.forecastLevel?.label).toBe('the pod')
    expect(row?.secondsToLimit).toBeCloseTo(10, 0)
    expect(reasonsOf(row!).join()).toMatch(/is ~10s from its limit of 700M \(\+10M\/s\)/)
  })
  test('nothing is said beyond an hour, or without a limit', () => {
    const model = emptyNode()
    addPod(model, 'shop/slow-1', { usage: growing(200 * M, 100 * 1024), max: 4 * G })
    addPod(model, 'shop/free-1', { usage: growing(200 * M, 10 * M) })
    for (const row of overviewRows(momentOf(TEST_LENS, model))) expect(row.secondsToLimit).toBeUndefined()
  })
})

test('kubectl top stands beside the truth: its last look, and what it does not show', () => {
  const model = emptyNode()
  // Looks at multiples of 15 s; NOW_S is one of them, and 100 MiB came 5 s after the one before.
  addPod(model, 'shop/api-1', { usage: (ago) => (ago < 10 ? 400 : 300) * M, inactiveFile: 50 * M, max: G })
  expect((overviewRows(momentOf(TEST_LENS, model))[0]?.minute().hiddenBytes ?? 0) / M).toBe(50)
  const spec = { memcgId: [...model.memcgs.values()].at(-1)?.id ?? 0 }
  tell(model, 'memcg_usage', (NOW_S + 3) * 1e9, { ...spec, currentBytes: 410 * M })
  tell(model, 'memcg_usage', (NOW_S + 5) * 1e9, { ...spec, currentBytes: 600 * M })
  tell(model, 'memcg_usage', (NOW_S + 5.1) * 1e9, { ...spec, currentBytes: 410 * M })
  const [row] = overviewRows(momentOf(TEST_LENS, model))
  // Of no look is it known yet what it found.
  expect([row?.kubectlTopBytes, (row?.workingSetBytes ?? 0) / M]).toEqual([undefined, 360])
  tell(model, 'memcg_usage', (NOW_S + 16) * 1e9, { ...spec, currentBytes: 500 * M })
  const [later] = overviewRows(momentOf(TEST_LENS, model))
  expect([later?.kubectlTopBytes, later?.workingSetBytes].map((bytes) => (bytes ?? 0) / M)).toEqual([360, 450])
})
