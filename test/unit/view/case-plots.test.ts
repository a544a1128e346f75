/** The seconds before a kill: what is drawn, where its last value comes from, and what goes first when not all fit. */
import { describe, expect, it } from 'vitest'
import { eventsBefore, mostTelling, plotsBefore } from '../../../src/view/case-plots.ts'
import type { Plot, PlotsBefore } from '../../../src/view/case-plots.ts'
import type { KillMoment, SeriesKey } from '../../../src/view/kill-moment.ts'
import { Story } from '../../../src/view/story.ts'
import { addKill, addMemcg, emptyNode, G, M, NOW_S, tell } from '../../helpers/node-model.ts'

/** Anon rose by 16 MiB a second until the kill two seconds ago, and was read again right after it, in the same second. */
function killed(stat: { readonly firstAgo: number; readonly refaultsPerS?: number }): PlotsBefore {
  const model = emptyNode(), memcg = addMemcg(model, '/job', { max: G, used: G }), killNs = model.nowNs - 2e9
  for (let ago = stat.firstAgo; ago > 2; ago--) tell(model, 'memcg_stat', (NOW_S - ago) * 1e9, { memcgId: memcg.id, anonBytes: G - ago * 16 * M, workingsetRefaultAnon: 0, workingsetRefaultFile: (stat.firstAgo - ago) * (stat.refaultsPerS ?? 0) })
  const killCase = addKill(model, memcg, { secondsAgo: 2 })
  tell(model, 'memcg_stat', killNs + 5e8, { memcgId: memcg.id, anonBytes: 50 * M })
  killCase.composition = { anonBytes: 1000 * M }
  return plotsBefore(new Story(model).moments.of(killCase), killCase)
}
const plotOf = ({ plots }: PlotsBefore, key: SeriesKey): Plot | undefined => plots.find((plot) => plot.key === key)

describe('the seconds before a kill', () => {
  it('end with the anonymous memory that the decision found, never with a reading of the same second after the victim was gone', () => {
    const anon = plotOf(killed({ firstAgo: 20 }), 'anon')
    expect(anon?.range).toBe(`${G / M - 20 * 16}M -> 1000M`)
    expect(anon?.values.slice(-3)).toEqual([G - 4 * 16 * M, G - 3 * 16 * M, 1000 * M])
    expect(anon?.full).toBe(G)
  })
  it('have no anonymous memory when memory.stat was not read before', () => {
    expect(plotOf(killed({ firstAgo: 2 }), 'anon')).toBeUndefined()
  })
  it('hold what was last read for as long as a silent file says nothing else, and no longer', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/job', { max: G, used: G })
    tell(model, 'memcg_stat', (NOW_S - 40) * 1e9, { memcgId: memcg.id, anonBytes: 7 * M })
    tell(model, 'memcg_stat', (NOW_S - 10) * 1e9, { memcgId: memcg.id, anonBytes: 9 * M })
    const killCase = addKill(model, memcg, { secondsAgo: 2 }), anon = plotOf(plotsBefore(new Story(model).moments.of(killCase), killCase), 'anon')?.values ?? [], ago = (seconds: number): number | undefined => anon.at(-1 - (seconds - 2))
    expect([41, 40, 28, 27, 11, 10, 3].map(ago)).toEqual([NaN, 7 * M, 7 * M, NaN, NaN, 9 * M, 9 * M])
  })
  it('tell the pages that came back, only when any did', () => {
    expect(plotOf(killed({ firstAgo: 20, refaultsPerS: 300 }), 'refaults')).toMatchObject({ label: 'refault/s', range: 'most 300' })
    expect(plotOf(killed({ firstAgo: 20 }), 'refaults')).toBeUndefined()
  })
})

describe('where not all curves fit', () => {
  const SERIES: readonly SeriesKey[] = ['used', 'anon', 'some', 'full', 'stall', 'refaults', 'high', 'max'], plot = (key: SeriesKey): Plot => ({ key, label: key, values: [1], full: 1, range: '' })
  const kept = (keys: readonly SeriesKey[], room: number): SeriesKey[] => mostTelling(keys.map(plot), room).map(({ key }) => key)
  it('usage, the pressure and the full limit come first, in the order in which all of them stand', () => {
    expect(kept(SERIES, 3)).toEqual(['used', 'full', 'max'])
    expect(kept(SERIES, 5)).toEqual(['used', 'anon', 'full', 'stall', 'max'])
    expect(kept(SERIES, 8)).toEqual(SERIES)
  })
  it('the pressure on some stands in for that on all when there was none', () => {
    expect(kept(['used', 'anon', 'some', 'max'], 3)).toEqual(['used', 'some', 'max'])
  })
})

describe('how often the limits were hit before', () => {
  it('is what memory.events rose by in the seconds drawn, with oom_kill where it was read to rise', () => {
    const model = emptyNode(), killCase = addKill(model, addMemcg(model, '/job', { max: G, used: G, maxPerS: 9 }), { secondsAgo: 2 }), moment = new Story(model).moments.of(killCase)
    expect(eventsBefore(moment, killCase, 10)).toBe('events 10 s: high 0 · max 99')
    killCase.oomKillRise = 1
    expect(eventsBefore(moment, killCase, 10)).toBe('events 10 s: high 0 · max 99 · oom_kill 1')
  })
  it('is not there, and never 0, for what was not read', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/job', { max: G, used: G }), killCase = addKill(model, memcg, { secondsAgo: 2 })
    memcg.history.highEvents = memcg.history.maxEvents = new Float64Array(0)
    killCase.oomKillRise = 1
    expect(eventsBefore(new Story(model).moments.of(killCase), killCase, 30)).toBe('')
    expect(eventsBefore(undefined, killCase, 30)).toBe('')
  })
})

it('without a moment there is nothing to draw', () => {
  const model = emptyNode(), killCase = addKill(model, addMemcg(model, '/job', { max: G }), { secondsAgo: 2 }), none: KillMoment | undefined = undefined
  expect(plotsBefore(none, killCase)).toEqual({ seconds: 0, plots: [] })
})
