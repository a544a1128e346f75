/** Accounts of memcgs: every number weighs by time, whatever the rhythm of the rows. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyDamage, applyEvent, createModel, endOfStream } from '../../../src/model/apply.ts'
import { addSeconds, createSketch, mergeSketch, quantile } from '../../../src/model/sketch.ts'
import { accountsOf, createLedger, endLedger, exactnessOf, keepAccount } from '../../../src/model/usage-ledger.ts'
import type { Account, Ledger } from '../../../src/model/usage-ledger.ts'
import { seeded } from '../../helpers/stream.ts'
import { MIB, rowsOf, statRow, usageRow } from '../../helpers/usage-signal.ts'
import type { Step } from '../../helpers/usage-signal.ts'
import { birth, event, hello, killsOf, limits, MS, T0 } from './build.ts'

const S = 1e9, ID = 7
const clock = (tsNs: number): Event => event('clock', tsNs, { wallMs: 0, bootNs: tsNs })
/** As the bridge writes each second. */
const NODE_ROWS = Array.from({ length: 101 }, (_, i) => event('node_psi', T0 + i * 1e9, { someAvg10Centi: 0, someTotalUs: 0, fullAvg10Centi: 0, fullTotalUs: 0 }))
const HEAD = [hello(), clock(T0 - 1e9), birth(1, '/', 0), birth(ID, '/a', 1)]

function kept(events: readonly Event[], damageAtNs?: number): { readonly ledger: Ledger; readonly accounts: readonly Account[]; readonly only: Account } {
  const model = createModel(), ledger = createLedger()
  for (const e of events) {
    if (e.tsNs === damageAtNs) applyDamage(model, e.tsNs)
    applyEvent(model, e)
    keepAccount(ledger, model, e)
  }
  endOfStream(model)
  endLedger(ledger, model)
  const accounts = accountsOf(ledger)
  return { ledger, accounts, only: accounts[0] as Account }
}

describe('percentiles over time', () => {
  test('a value counts by how long it stood, within 1 % and never too low', () => {
    const sketch = createSketch()
    for (let mib = 1; mib <= 100; mib++) addSeconds(sketch, mib * MIB, mib === 100 ? 1 : 10)
    for (const [share, mib] of [[0.5, 50], [0.95, 95], [0.99, 99], [1, 100]] as const) {
      expect(quantile(sketch, share)).toBeGreaterThanOrEqual(mib * MIB * 0.999)
      expect(quantile(sketch, share)).toBeLessThanOrEqual((mib + 1) * MIB * 1.011)
    }
    expect(quantile(createSketch(), 0.5)).toBeUndefined()
  })
  test('two halves are the whole', () => {
    const whole = createSketch(), a = createSketch(), b = createSketch(), random = seeded(5)
    for (let i = 0; i < 500; i++) { const bytes = random() * 2 ** 32; addSeconds(whole, bytes, 1); addSeconds(i % 2 === 0 ? a : b, bytes, 1) }
    mergeSketch(a, b)
    expect([0.1, 0.5, 0.9, 0.99].map((share) => quantile(a, share))).toEqual([0.1, 0.5, 0.9, 0.99].map((share) => quantile(whole, share)))
  })
  // 60 s at 100 MiB, 30 s at 200, 10 s at 300.
  const steps: Step[] = [{ tsNs: 0, bytes: 100 * MIB }, { tsNs: T0 + 60 * S, bytes: 200 * MIB }, { tsNs: T0 + 90 * S, bytes: 300 * MIB }]
  const rhythms: Readonly<Record<string, readonly number[]>> = {
    'ten a second': Array.from({ length: 1001 }, (_, i) => T0 + i * 100 * MS), 'one a second': Array.from({ length: 101 }, (_, i) => T0 + i * S),
    'fast only while it is high': [...Array.from({ length: 91 }, (_, i) => T0 + i * S), ...Array.from({ length: 2000 }, (_, i) => T0 + 90 * S + (i + 1) * 5 * MS)],
  }
  test.each(Object.entries(rhythms))('looks %s: the same', (_, looks) => {
    const rows = rowsOf(steps, looks, { memcgId: ID, means: 'window' }), repeats = Array.from({ length: 11 }, (_x, i) => T0 + i * 10 * S).map((tsNs) => usageRow({ tsNs, memcgId: ID, currentBytes: steps.findLast((step) => step.tsNs <= tsNs)?.bytes ?? 0 }))
    const { only } = kept([...HEAD, ...[...rows, ...repeats, ...NODE_ROWS].sort((a, b) => a.tsNs - b.tsNs)])
    for (const [share, mib] of [[0.5, 100], [0.58, 100], [0.62, 200], [0.88, 200], [0.92, 300]] as const) {
      expect(quantile(only.seconds, share)).toBeGreaterThanOrEqual(mib * MIB)
      expect(quantile(only.seconds, share)).toBeLessThanOrEqual(1.011 * mib * MIB)
    }
    expect(only.seconds.total).toBeGreaterThanOrEqual(100)
    expect(only.seconds.total).toBeLessThanOrEqual(102)
    expect(only).toMatchObject({ peakBytes: 300 * MIB, knownNs: 100 * S })
  })
})

describe('an account', () => {
  test('time over 80 and 90 % of the limit is how long usage stood there', () => {
    const steps: Step[] = [{ tsNs: 0, bytes: 50 * MIB }, { tsNs: T0 + 2 * S, bytes: 85 * MIB }, { tsNs: T0 + 5 * S, bytes: 95 * MIB }, { tsNs: T0 + 6 * S, bytes: 50 * MIB }]
    const { only } = kept([...HEAD, limits(ID, 100 * MIB), ...rowsOf(steps, Array.from({ length: 101 }, (_, i) => T0 + i * 100 * MS), { memcgId: ID, means: 'window' })])
    expect([only.over80Ns, only.over90Ns]).toEqual([4 * S, 1 * S])
  })
  test('need is usage at its true peak less the inactive file cache; what cannot be given back lies between two numbers', () => {
    const stat = statRow(T0 + S, ID, { anonBytes: 60 * MIB, fileBytes: 35 * MIB, shmemBytes: 5 * MIB, inactiveFileBytes: 20 * MIB, kernelBytes: 5 * MIB, slabReclaimableBytes: 2 * MIB })
    const { only } = kept([...HEAD, usageRow({ tsNs: T0, memcgId: ID, currentBytes: 100 * MIB }), stat, usageRow({ tsNs: T0 + 2 * S, memcgId: ID, currentBytes: 100 * MIB, windowPeakBytes: 150 * MIB, windowNs: 1e8 })])
    expect(only).toMatchObject({ peakBytes: 150 * MIB, needPeakBytes: 130 * MIB, hardPeakBytes: 118 * MIB, floorBytes: 68 * MIB })
  })
  test.each([['window', 'exact-height'], ['high-water', 'high-water'], ['sampled', 'sampled']] as const)('%s: its peak is %s', (means, exactness) => {
    const steps: Step[] = [{ tsNs: 0, bytes: 50 * MIB }, { tsNs: T0 + 2.01 * S, bytes: 85 * MIB }, { tsNs: T0 + 2.3 * S, bytes: 50 * MIB }]
    const { only } = kept([...HEAD, ...rowsOf(steps, Array.from({ length: 101 }, (_, i) => T0 + i * 100 * MS), { memcgId: ID, means })])
    expect(only.peakBytes).toBe(85 * MIB)
    expect(exactnessOf(only)).toBe(exactness)
  })
  test('time that is lost is not counted, and makes the peak one that was only seen', () => {
    const rows = rowsOf([{ tsNs: 0, bytes: 50 * MIB }, { tsNs: T0 + 5 * S, bytes: 60 * MIB }], Array.from({ length: 101 }, (_, i) => T0 + i * 100 * MS), { memcgId: ID, means: 'window' })
    const { only } = kept([...HEAD, ...rows], T0 + 5 * S)
    expect(only.lostNs).toBe(5 * S)
    expect(only.knownNs).toBe(0)
    expect(exactnessOf(only)).toBe('sampled')
  })
  test('events count from the first reading; an id that is used again is another account', () => {
    const { accounts } = kept([
      ...HEAD, usageRow({ tsNs: T0, memcgId: ID, currentBytes: 10 * MIB }), killsOf(ID, 2, T0), killsOf(ID, 3, T0 + S), event('memcg_death', T0 + 2 * S, { memcgId: ID, path: '/a', by: 'probe' }),
      birth(ID, '/b', 1, T0 + 3 * S), usageRow({ tsNs: T0 + 3 * S, memcgId: ID, currentBytes: 20 * MIB }),
    ])
    expect(accounts.map(({ path, peakBytes, hasEnded, firstEvents, events }) => [path, peakBytes / MIB, hasEnded, (events?.oomKill ?? 0) - (firstEvents?.oomKill ?? 0)])).toEqual([['/a', 10, true, 1], ['/b', 20, true, 0]])
  })
})
