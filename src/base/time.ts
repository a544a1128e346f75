/** Nanoseconds and durations as a person types and reads them; wall clock only through an anchor, never from here. */

export const NS_PER_MS = 1e6
export const NS_PER_SECOND = 1e9

const UNIT_NS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86400e9 }

/** Nanoseconds of `30s`, `1h30m`, `1.5h`, `10ms`; a unit is required. `undefined` if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const whole = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/
  const trimmed = text.trim()
  if (!whole.test(trimmed)) return undefined
  let ns = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)) ns += Number(amount) * (UNIT_NS[unit ?? ''] ?? Number.NaN)
  return Math.round(ns)
}

/** `950 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function formatDuration(ns: number): string {
  const seconds = ns / NS_PER_SECOND
  if (seconds < 1) return `${Math.round(ns / NS_PER_MS)} ms`
  if (seconds < 60) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60)
  const two = (n: number): string => String(n).padStart(2, '0')
  return minutes < 60 ? `${minutes} min ${two(whole % 60)} s` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

/** Joins CLOCK_MONOTONIC to the other clocks from a moment on. `before`: what held until then, where a clock has jumped: a suspend, a step of the wall clock. */
export type ClockAnchor = { readonly tsNs: number; readonly wallMs: number; readonly bootNs: number; readonly before?: ClockAnchor }

function anchorAt(newest: ClockAnchor, tsNs: number): ClockAnchor {
  let anchor = newest
  while (anchor.before !== undefined && tsNs < anchor.tsNs) anchor = anchor.before
  return anchor
}

/** Wall clock (Unix ms) of a monotonic time. */
export function wallMsAt(newest: ClockAnchor, tsNs: number): number {
  const anchor = anchorAt(newest, tsNs)
  return anchor.wallMs + (tsNs - anchor.tsNs) / NS_PER_MS
}

/** CLOCK_BOOTTIME of a monotonic time: the two differ by the time asleep. */
export function bootNsAt(newest: ClockAnchor, tsNs: number): number {
  const anchor = anchorAt(newest, tsNs)
  return anchor.bootNs + tsNs - anchor.tsNs
}

/** Monotonic time of a wall clock time (Unix ms); of one that the machine slept through the moment it woke up. */
export function tsNsAt(anchor: ClockAnchor, wallMs: number): number {
  const tsNs = anchor.tsNs + (wallMs - anchor.wallMs) * NS_PER_MS
  return anchor.before === undefined || tsNs >= anchor.tsNs ? tsNs : Math.min(tsNsAt(anchor.before, wallMs), anchor.tsNs)
}

/** RFC 3339 UTC with milliseconds; `undefined` for a time no calendar has (a damaged anchor). */
export function formatWall(wallMs: number): string | undefined {
  const date = new Date(wallMs)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
