/** Requests, limits and other limits: the numbers follow from the need, and every doubt is said. */
import { describe, expect, test } from 'vitest'
import { recommend, roundUp, warningsOf } from '../../../src/verdict/recommendation.ts'
import type { Need } from '../../../src/verdict/recommendation.ts'
import { whatIf } from '../../../src/verdict/what-if.ts'

const MIB = 2 ** 20, HOUR = 3600e9
const GOOD: Need = {
  knownNs: 30 * HOUR, lostNs: 0, isLossSomewhere: false, exactness: 'exact-height', peakBytes: 420 * MIB, needPeakBytes: 400 * MIB, hardPeakBytes: 390 * MIB, floorBytes: 300 * MIB,
  p50Bytes: 200 * MIB, p95Bytes: 290 * MIB, p99Bytes: 300 * MIB, limitBytes: 1024 * MIB, topBytes: 280 * MIB, swapBytes: 0, over80Ns: 0, over90Ns: 0, kills: 0, killsByOthers: 0, atMax: 0, atHigh: 0, waitedNs: 0,
}
const codes = (changes: Partial<Need>): string[] => warningsOf({ ...GOOD, ...changes }).map(({ code }) => code)

describe('request and limit', () => {
  test('a long exact recording: the 99th percentile, and the exact peak with a fifth of head room', () => {
    const { requestBytes, limitBytes, headroomPercent, warnings } = recommend(GOOD)
    expect({ requestBytes, limitBytes, headroomPercent, warnings }).toEqual({ requestBytes: 304 * MIB, limitBytes: 480 * MIB, headroomPercent: 20, warnings: [] })
  })
  test.each<[string, Partial<Need>, number]>([
    ['shorter than an hour', { knownNs: 0.5 * HOUR }, 30], ['sampled', { exactness: 'sampled' }, 30], ['facts lost', { lostNs: 1e9 }, 30], ['far above its 99th percentile', { p99Bytes: 200 * MIB }, 30],
    ['killed', { kills: 1 }, 40], ['killed for another limit', { kills: 1, killsByOthers: 1 }, 30], ['held at its limit', { atMax: 3 }, 40], ['all of it', { kills: 1, knownNs: 1e9, exactness: 'sampled', lostNs: 1e9 }, 40],
  ])('%s: more head room, never over 40 %%', (_, changes, percent) => expect(recommend({ ...GOOD, ...changes }).headroomPercent).toBe(percent))
  test('the request is never above the limit, and neither below what a start needs', () => {
    const { requestBytes, limitBytes } = recommend({ ...GOOD, needPeakBytes: MIB, p99Bytes: 5 * MIB, peakBytes: MIB })
    expect([requestBytes, limitBytes]).toEqual([16 * MIB, 16 * MIB])
  })
  test.each([[1, 16], [16.5, 17], [33, 34], [300, 304], [513, 544], [1500, 1536], [3000, 3072]])('%d MiB is written as %d MiB', (mib, written) => expect(roundUp(mib * MIB)).toBe(written * MIB))
})

test.each<[string, Partial<Need>]>([
  ['killed', { kills: 2 }], ['killed', { kills: 1, killsByOthers: 1 }], ['at-limit', { atMax: 1 }], ['at-limit', { peakBytes: 1020 * MIB }], ['throttled', { atHigh: 4 }], ['too-short', { knownNs: 60e9 }], ['too-short', { knownNs: 2 * HOUR }],
  ['no-load', { p50Bytes: 390 * MIB }], ['not-exact', { exactness: 'sampled' }], ['facts-lost', { lostNs: 5e9 }], ['facts-lost', { isLossSomewhere: true }], ['swap', { swapBytes: MIB }], ['cache', { peakBytes: 900 * MIB }],
])('warns of %s', (code, changes) => expect(codes(changes)).toContain(code))

describe('under another limit', () => {
  const at = (mib: number, changes: Partial<Need> = {}, hasSwap = false): string => whatIf({ ...GOOD, ...changes }, mib * MIB, hasSwap).survives
  test('above the exact peak it lived', () => { expect(at(420)).toBe('yes'); expect(at(421, { exactness: 'high-water' })).toBe('yes') })
  test('a sampled peak, lost facts, or a limit that held it down allow no certainty', () => {
    expect([at(420, { exactness: 'sampled' }), at(420, { lostNs: 1 }), at(2048, { atMax: 5 })]).toEqual(['likely', 'likely', 'likely'])
  })
  test('below the peak it depends on page cache: what was cache for sure could go, what was not could not, between them nobody knows', () => {
    expect([at(400), at(350), at(299)]).toEqual(['likely', 'unknown', 'no'])
    expect([at(400, { floorBytes: undefined }), at(299, {}, true)]).toEqual(['unknown', 'unknown'])
  })
  test('what was killed does not live with less, and how much more it wanted is not known', () => {
    const killed = { kills: 1, limitBytes: 512 * MIB, peakBytes: 512 * MIB }
    expect([at(512, killed), at(400, killed), at(600, killed)]).toEqual(['no', 'no', 'unknown'])
  })
  test('a kill for a limit above it, or for the node, says nothing of its own limit, and not how much more it wanted', () => {
    const killed = { kills: 1, killsByOthers: 1 }
    expect([at(420, killed), at(350, killed), at(299, killed), at(2048, { ...killed, limitBytes: undefined })]).toEqual(['unknown', 'unknown', 'no', 'unknown'])
    expect(whatIf({ ...GOOD, ...killed }, 420 * MIB, false).because).toBe('it was killed with 420 MiB at most, for a limit that is not its own: how much more it wanted is not in the recording')
    expect(warningsOf({ ...GOOD, ...killed }).map(({ text }) => text)).toEqual(['the kernel killed a process of it for a limit above it, or for the node: what it would have taken is not known'])
  })
})
