/** The newest seconds of a history as plain numbers: series for sparklines, maxima and slopes. */
import type { History, SeriesName } from '../model/history.ts'
import { secondOf } from '../model/rates.ts'

/** The bridge sends a value when it changed and repeats all of them every 10 s: up to here silence means `as before`, beyond it nothing is known. */
const CARRY_SECONDS = 12

/** Seconds up to and including `lastSecond`. */
export type Span = { readonly lastSecond: number; readonly seconds: number }

/** What accrued in each second, oldest first; NaN where nothing is known. */
export function series(history: History, name: SeriesName, span: Span): number[] {
  const values = new Array<number>(span.seconds)
  for (let i = 0; i < span.seconds; i++) values[i] = secondOf(history[name], history.newestSecond, span.lastSecond - span.seconds + 1 + i)
  return values
}

/** The second before this one whose sample still stands in it. */
function sampledBefore({ usageBytes, newestSecond }: History, second: number): number {
  for (let age = 1; age <= CARRY_SECONDS; age++) if (!Number.isNaN(secondOf(usageBytes, newestSecond, second - age))) return second - age
  return -Infinity
}

/** Largest usage in each second, oldest first; in seconds without a sample what was sampled last stands on; NaN before the first. Fills `into` and allocates nothing. */
export function fillUsage(history: History, lastSecond: number, into: Float64Array | number[]): void {
  const { usageBytes, lastBytes, newestSecond } = history, first = lastSecond - into.length + 1
  let sampled = sampledBefore(history, first)
  for (let i = 0; i < into.length; i++) {
    const second = first + i, value = secondOf(usageBytes, newestSecond, second)
    if (!Number.isNaN(value)) sampled = second
    into[i] = sampled === second || second - sampled > CARRY_SECONDS ? value : secondOf(lastBytes, newestSecond, sampled)
  }
}

/** The same as numbers of their own. */
export function usageSeries(history: History, span: Span): number[] {
  const values = new Array<number>(span.seconds).fill(Number.NaN)
  fillUsage(history, span.lastSecond, values)
  return values
}

/** Anonymous memory as last read up to each second, oldest first; it stands on as usage does. */
export function anonSeries({ anonBytes, newestSecond }: History, { lastSecond, seconds }: Span): number[] {
  const values = new Array<number>(seconds).fill(Number.NaN), first = lastSecond - seconds + 1
  let read = -Infinity, stands = Number.NaN
  for (let second = first - CARRY_SECONDS; second <= lastSecond; second++) {
    const value = secondOf(anonBytes, newestSecond, second)
    if (!Number.isNaN(value)) { read = second; stands = value }
    if (second >= first && second - read <= CARRY_SECONDS) values[second - first] = stands
  }
  return values
}

/** Largest known value, or nothing. */
export function largest(values: ArrayLike<number>): number | undefined {
  let max = Number.NaN
  for (let i = 0; i < values.length; i++) { const value = values[i] ?? Number.NaN; if (value > max || Number.isNaN(max)) max = value }
  return Number.isNaN(max) ? undefined : max
}
