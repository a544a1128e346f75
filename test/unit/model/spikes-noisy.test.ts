/** Spikes as programs make them: a ramp up and down over a base that never comes back to the same page, looked at whenever a sampler likes. */
import { describe, expect, test } from 'vitest'
import type { EventOf } from '../../../src/event/event.ts'
import { endOfStream } from '../../../src/model/apply.ts'
import type { Spike } from '../../../src/model/spike.ts'
import { seeded } from '../../helpers/stream.ts'
import { MIB, rowsOf, usageRow } from '../../helpers/usage-signal.ts'
import type { Step } from '../../helpers/usage-signal.ts'
import { birth, event, fold, hello, MS, T0 } from './build.ts'

const S = 1e9, ID = 7, PAGE = 4096
/** What CPUs hold in advance. */
const NOISE_PAGES = 64
type True = { readonly startNs: number; readonly endNs: number; readonly peakBytes: number }
type Signal = { readonly steps: readonly Step[]; readonly looks: readonly number[]; readonly spikes: readonly True[] }

/** 4.6 to 35 MiB over 8 MiB, 1 to 80 ms up, at most 300 ms there, seconds apart; looked at with 1 to 200 Hz. */
function signal(seed: number): Signal {
  const random = seeded(seed), looks: number[] = [], steps: Step[] = [{ tsNs: 0, bytes: 8 * MIB }], spikes: True[] = []
  const noise = (): number => Math.floor(random() * NOISE_PAGES) * PAGE
  for (let at = T0; at < T0 + 100 * S; at += (5 + 995 * random() ** 3) * MS) looks.push(at)
  for (let startNs = T0 + 3 * S; startNs < T0 + 90 * S; startNs += (2.5 + 5 * random()) * S) {
    const baseBytes = 8 * MIB + noise(), height = (4.6 + 30 * random() ** 2) * MIB, upNs = (1 + 80 * random()) * MS, downNs = startNs + upNs + 300 * random() * MS
    steps.push({ tsNs: startNs - S, bytes: baseBytes })
    for (let i = 1; i <= 24; i++) steps.push({ tsNs: startNs + (upNs * i) / 24, bytes: Math.floor(baseBytes + (height * i) / 24) })
    for (let i = 1; i <= 6; i++) steps.push({ tsNs: downNs + 5 * MS * i, bytes: Math.floor(baseBytes + (height * (6 - i)) / 6) + noise() })
    spikes.push({ startNs, endNs: downNs + 30 * MS, peakBytes: Math.floor(baseBytes + height) })
  }
  return { steps, looks, spikes }
}

/** The node is told of each second: a stream that is silent for longer has lost something. */
const PULSE = Array.from({ length: 100 }, (_, i) => event('node_psi', T0 + i * S, { someAvg10Centi: 0, someTotalUs: 0, fullAvg10Centi: 0, fullTotalUs: 0 }))

/** Of a memcg that was there before, or of one that was born and whose base itself is something that rose and stayed. */
function told(rows: readonly EventOf<'memcg_usage'>[], bornNs = T0 - 2 * S): readonly Spike[] {
  const model = fold([hello(), event('clock', T0 - S, { wallMs: 0, bootNs: T0 - S }), birth(1, '/', 0), birth(ID, '/a', 1, bornNs), ...[...rows, ...PULSE].sort((a, b) => a.tsNs - b.tsNs)])
  endOfStream(model)
  return model.spikes.spikes
}
const during = (list: readonly Spike[], { startNs, endNs }: True): readonly Spike[] => list.filter((spike) => spike.startNs <= endNs && spike.endNs >= startNs)
const NOISE_BYTES = NOISE_PAGES * PAGE
const SEEDS = Array.from({ length: 40 }, (_, i) => i * 7 + 3)

describe('a ramp up and down over a noisy base', () => {
  test.each(SEEDS.flatMap((seed) => [[seed, T0 - 2 * S], [seed, T0]] as const))('windows: every one is told once, with its exact height, seed %d, born at %d', (seed, bornNs) => {
    const { steps, looks, spikes } = signal(seed), list = told(rowsOf(steps, looks, { memcgId: ID, means: 'window' }), bornNs)
    expect(list).toHaveLength(spikes.length)
    for (const spike of spikes) {
      const [one, ...more] = during(list, spike)
      expect(more).toEqual([])
      expect(one?.exactness).toBe('exact-height')
      expect(one?.peakBytes).toBeGreaterThanOrEqual(spike.peakBytes)
      expect(one?.peakBytes).toBeLessThanOrEqual(spike.peakBytes + NOISE_BYTES)
    }
  })
  test.each(SEEDS.flatMap((seed) => [[seed, T0 - 2 * S], [seed, T0]] as const))('torn windows, a mark or looks alone: none is told twice, higher than it was, or where there was none, seed %d, born at %d', (seed, bornNs) => {
    const { steps, looks, spikes } = signal(seed), random = seeded(seed)
    const tear = (row: EventOf<'memcg_usage'>): EventOf<'memcg_usage'> => (random() < 0.3 ? { ...row, windowNs: undefined } : row)
    for (const rows of [rowsOf(steps, looks, { memcgId: ID, means: 'window' }).map(tear), rowsOf(steps, looks, { memcgId: ID, means: 'high-water' }), rowsOf(steps, looks, { memcgId: ID, means: 'sampled' })]) {
      const list = told(rows, bornNs), known = spikes.map((spike) => during(list, spike))
      expect(list.filter((one) => !known.some((of) => of.includes(one)))).toEqual([])
      known.forEach((of, i) => {
        expect(of.length).toBeLessThanOrEqual(1)
        expect(of[0]?.peakBytes ?? 0).toBeLessThanOrEqual((spikes[i]?.peakBytes ?? 0) + NOISE_BYTES)
        expect(of[0]?.baseBytes ?? 8 * MIB).toBeGreaterThanOrEqual(8 * MIB)
      })
    }
  })
})

test('what is passed through on the way up is no level, even when it is as high over the base as counts and no higher over the look before', () => {
  const rows = ([[0, 8], [500, 8.2], [1500, 12.01], [1600, 24], [1700, 8.1], [4000, 8.05]] as const).map(([ms, mib]) => usageRow({ tsNs: T0 + ms * MS, memcgId: ID, currentBytes: mib * MIB, windowPeakBytes: mib * MIB, windowNs: 100 * MS }))
  expect(told(rows).map(({ baseBytes, peakBytes }) => [baseBytes / MIB, peakBytes / MIB])).toEqual([[8, 24]])
})
