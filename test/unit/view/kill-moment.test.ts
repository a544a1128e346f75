/** What the samples said around a kill: read once for all kills of one cgroup in one second. */
import { expect, test } from 'vitest'
import { KillMoments } from '../../../src/view/kill-moment.ts'
import { birth, decision, fold, hello, limits, T0, usage } from '../model/build.ts'

const MIB = 2 ** 20

/** So many kills within a second by the limit of /a, and one by that of /b. */
function storm(count: number) {
  const inA = Array.from({ length: count }, (_, i) => decision({ tid: 1000 + i, tsNs: T0 + i * 1e6, memcgId: 9, victims: [{ pid: 1000 + i, memcgId: 9 }] })).flat()
  return fold([hello(), birth(1, '/', 0), birth(9, '/a', 1), birth(8, '/b', 1), limits(9, 64 * MIB), limits(8, 32 * MIB), usage(9, 64 * MIB, T0 - 1e9), usage(8, 32 * MIB, T0 - 1e9), ...inA, ...decision({ tid: 41, tsNs: T0 + 5e8, memcgId: 8, victims: [{ pid: 41, memcgId: 8 }] })])
}

test('all kills in one cgroup within one second share one reading of its history; another cgroup has its own', () => {
  const model = storm(60), moments = new KillMoments()
  moments.feed(model)
  const seriesOf = (path: string) => new Set(model.cases.filter(({ limit }) => limit?.path === path).map((killCase) => moments.of(killCase)?.series))
  const [ofA] = seriesOf('/a'), [ofB] = seriesOf('/b')
  expect(model.cases.length).toBe(61)
  expect([seriesOf('/a').size, seriesOf('/b').size]).toEqual([1, 1])
  expect([ofA?.used.at(-2), ofB?.used.at(-2)]).toEqual([64 * MIB, 32 * MIB])
})
