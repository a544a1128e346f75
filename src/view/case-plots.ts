/** The seconds before a kill as plots: which series say something, their scales, and which of them to show when not all fit. */
import type { KillCase } from '../model/case.ts'
import { bytesCell, countCell, percentCell } from './compact.ts'
import type { KillMoment, SeriesKey } from './kill-moment.ts'
import { largest } from './window.ts'

export type Plot = { readonly key: SeriesKey; readonly label: string; readonly values: readonly number[]; readonly full: number; readonly range: string }

export type PlotsBefore = {
  /** Seconds the plots reach back; their last value is the second of the decision. */
  readonly seconds: number
  readonly plots: readonly Plot[]
}

const SPANS_S = [10, 30, 60]
const rounded = (value: number): string => countCell(Math.round(value))
const PLOTS: readonly (readonly [key: SeriesKey, label: string, of: (value: number) => string, least: number])[] = [
  ['used', 'used', bytesCell, 1], ['anon', 'anon', bytesCell, 1], ['some', 'PSI some %', percentCell, 5], ['full', 'PSI full %', percentCell, 5], ['stall', 'stall ms/s', rounded, 10],
  ['refaults', 'refault/s', rounded, 10], ['high', 'high events/s', rounded, 5], ['max', 'max events/s', rounded, 5],
]
/** Of what it grew, drawn against the limit. */
const GAUGES: ReadonlySet<SeriesKey> = new Set(['used', 'anon'])

/** A reading in the second of the decision is often younger than it, and no longer has what was killed: there only what the decision is known to have found counts. */
function valuesOf(key: SeriesKey, series: readonly number[], { composition, limit }: KillCase): readonly number[] {
  if (key !== 'anon') return series
  const before = series.slice(0, -1), isMemcg = limit?.memcgId !== undefined && limit.memcgId !== 0
  return before.every((value) => Number.isNaN(value)) ? [] : [...before, (isMemcg ? composition?.['anonBytes'] : undefined) ?? Number.NaN]
}

export function plotsBefore(moment: KillMoment | undefined, killCase: KillCase): PlotsBefore {
  if (moment === undefined) return { seconds: 0, plots: [] }
  const known = moment.series.used.length - moment.series.used.findIndex((value) => !Number.isNaN(value))
  const seconds = SPANS_S.find((span) => span + 1 >= known) ?? 60
  const plots = PLOTS.flatMap(([key, label, say, least]): Plot[] => {
    const values = valuesOf(key, moment.series[key], killCase).slice(-(seconds + 1)), most = largest(values), first = values.find((value) => !Number.isNaN(value)), last = values.findLast((value) => !Number.isNaN(value)), isGauge = GAUGES.has(key)
    // A series that never rose says nothing that its absence does not.
    if (most === undefined || first === undefined || last === undefined || (key !== 'used' && most === 0)) return []
    return [{ key, label, values, full: isGauge ? Math.max(most, killCase.limit?.limitBytes ?? 0) : Math.max(least, most), range: isGauge ? `${say(first)} -> ${say(last)}` : `most ${say(most)}` }]
  })
  return { seconds, plots }
}

const sumOf = (values: readonly number[]): number | undefined => (values.every((value) => Number.isNaN(value)) ? undefined : values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0))

/** `events 30 s: high 0 · max 412 · oom_kill 1`: how often its limits were hit in the seconds that are drawn, as far as its counters were read, and by how much they say it was killed. */
export function eventsBefore(moment: KillMoment | undefined, { oomKillRise }: KillCase, seconds: number): string {
  const counts = (['high', 'max'] as const).flatMap((key) => {
    const sum = moment === undefined ? undefined : sumOf(moment.series[key].slice(-(seconds + 1)))
    return sum === undefined ? [] : [`${key} ${rounded(sum)}`]
  })
  return counts.length === 0 ? '' : `events ${seconds} s: ${[...counts, ...(oomKillRise === undefined ? [] : [`oom_kill ${oomKillRise}`])].join(' · ')}`
}

/** Who waits in full waits in part, too: the second of the two only where there is room for all. */
const TELLING: readonly SeriesKey[] = ['used', 'full', 'some', 'max', 'anon', 'stall', 'high', 'refaults']

/** The most telling ones, in their own order. */
export function mostTelling(plots: readonly Plot[], room: number): readonly Plot[] {
  if (plots.length <= room) return plots
  const hasFull = plots.some(({ key }) => key === 'full'), rank = ({ key }: Plot): number => (key === 'some' && hasFull ? TELLING.length : TELLING.indexOf(key))
  const kept = new Set([...plots].sort((a, b) => rank(a) - rank(b)).slice(0, room))
  return plots.filter((plot) => kept.has(plot))
}
