/** Rates and peaks from a history, as pure functions: per second over the last N seconds, absent when nothing was measured. */
import { NS_PER_SECOND } from '../base/time.ts'
import { HISTORY_SECONDS, type AccruingSeries, type History } from './history.ts'

/** The end of a window and its length in seconds. */
export type Window = { readonly nowNs: number; readonly seconds: number }

/** Value of one second; NaN when it is not (or no longer) known. */
export function secondOf(values: Float64Array, newestSecond: number, second: number): number {
  const age = newestSecond - second
  if (newestSecond < 0 || second < 0 || age >= HISTORY_SECONDS) return Number.NaN
  // A second after the newest slot: this memcg had no fact since. What accrues did not; a gauge has no sample.
  if (age < 0) return Number.NaN
  return values[second % HISTORY_SECONDS] ?? Number.NaN
}

/** Amount accrued in exactly the last `seconds` seconds (the oldest second counts by its share), or nothing when the series was never measured. */
export function sumOver(history: History, name: AccruingSeries, window: Window): number | undefined {
  const values = history[name]
  if (values.length === 0) return undefined
  const now = window.nowNs / NS_PER_SECOND, current = Math.floor(now), share = 1 - (now - current)
  let sum = 0
  for (let s = current - window.seconds; s <= current; s++) {
    const value = secondOf(values, history.newestSecond, s)
    if (!Number.isNaN(value)) sum += s === current - window.seconds ? value * share : value
  }
  return sum
}

const perSecond = (history: History, name: AccruingSeries, window: Window): number | undefined => {
  const sum = sumOver(history, name, window)
  return sum === undefined ? undefined : sum / window.seconds
}

/** Milliseconds its tasks waited for reclaim or throttling, per second; above 1000 when several waited at once. */
export function stallMsPerSec(history: History, window: Window): number | undefined {
  const ns = perSecond(history, 'stallNs', window)
  return ns === undefined ? undefined : ns / 1e6
}

const psiPct = (us: number | undefined): number | undefined => (us === undefined ? undefined : Math.min(100, us / 1e4))

/** Per cent of the time in which at least one task waited for memory. */
export const psiSomePct = (history: History, window: Window): number | undefined => psiPct(perSecond(history, 'someUs', window))

/** Per cent of the time in which all tasks waited for memory. */
export const psiFullPct = (history: History, window: Window): number | undefined => psiPct(perSecond(history, 'fullUs', window))

/** memory.events `high` per second: how often tasks were throttled above memory.high. */
export const highPerSec = (history: History, window: Window): number | undefined => perSecond(history, 'highEvents', window)

/** memory.events `max` per second: how often usage was about to go over memory.max. */
export const maxPerSec = (history: History, window: Window): number | undefined => perSecond(history, 'maxEvents', window)
