/** Which samples before the newest one are kept, and which one stood at a time. */
import { expect, test } from 'vitest'
import { EARLIER_NS, keepEarlier, MAX_EARLIER, sampleAt } from '../../../src/model/earlier.ts'

type Sample = { readonly tsNs: number }

/** Samples at these times, as apply keeps them. */
function fold(times: readonly number[]): { readonly newest: Sample | undefined; readonly earlier: Sample[] | undefined } {
  let newest: Sample | undefined, earlier: Sample[] | undefined
  for (const tsNs of times) {
    earlier = keepEarlier(earlier, newest, tsNs)
    newest = { tsNs }
  }
  return { newest, earlier }
}

test('of a memcg sampled every 5 ms, 10 times a second or at long times the sample that stood before a moment of the last two seconds is found', () => {
  for (const [apartNs, ago] of [[5e6, 60], [100e6, 20], [1e9, 2], [4e9, 1]] as const) {
    const times = Array.from({ length: 1_000 }, (_, i) => i * apartNs), { newest, earlier } = fold(times), last = times.at(-1) as number
    for (let i = 0; i <= ago; i++) expect(sampleAt(newest, earlier, last - i * apartNs + 1)?.tsNs).toBe(last - i * apartNs)
    expect(earlier?.length).toBeLessThanOrEqual(MAX_EARLIER)
  }
})

test('before the first sample there is none, and the newest stands from its own time on', () => {
  expect(sampleAt(undefined, undefined, 5)).toBeUndefined()
  const { newest, earlier } = fold([10, 20])
  expect([9, 10, 19, 20, 1e12].map((at) => sampleAt(newest, earlier, at)?.tsNs)).toEqual([undefined, 10, 10, 20, 20])
})

test('what is older than two seconds goes, except for a few', () => {
  const { earlier } = fold(Array.from({ length: 500 }, (_, i) => i * EARLIER_NS))
  expect(earlier?.length).toBeLessThanOrEqual(16)
})
