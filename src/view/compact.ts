/** Numbers short enough for a table cell: at most five characters for bytes, four for everything else. */

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P']

/** `12K`, `4.0M`, `998M`, `1.00G`, `16.1G`; powers of 1024. */
export function bytesCell(bytes: number): string {
  let value = Math.abs(bytes), unit = 0
  while (value >= 1023.5 && unit < UNITS.length - 1) { value /= 1024; unit += 1 }
  const digits = unit === 0 ? 0 : unit >= 3 ? (value < 9.995 ? 2 : value < 99.95 ? 1 : 0) : value < 9.95 ? 1 : 0
  return `${bytes < 0 ? '-' : ''}${value.toFixed(digits)}${UNITS[unit] ?? ''}`
}

/** `0.3`, `61.2`, `100`. */
export const percentCell = (percent: number): string => (percent >= 99.95 ? percent.toFixed(0) : percent.toFixed(1))

/** `0.2`, `41`, `945`, `1.4k`, `22M`: rates and counts. */
export function countCell(count: number): string {
  if (count >= 999.5e6) return `${(count / 1e9).toFixed(count < 9.95e9 ? 1 : 0)}G`
  if (count >= 999.5e3) return `${(count / 1e6).toFixed(count < 9.95e6 ? 1 : 0)}M`
  if (count >= 999.5) return `${(count / 1e3).toFixed(count < 9.95e3 ? 1 : 0)}k`
  return count >= 9.95 || Number.isInteger(count) ? count.toFixed(0) : count.toFixed(1)
}

/** `812us`, `4.2ms`, `312ms`, `1.2s`, `75s`, `4.7m`: how long something took, at most five characters. */
export function durationCell(ns: number): string {
  if (ns < 999.5e3) return `${Math.round(ns / 1e3)}us`
  if (ns < 999.5e6) return `${(ns / 1e6).toFixed(ns < 9.95e6 ? 1 : 0)}ms`
  if (ns < 99.5e9) return `${(ns / 1e9).toFixed(ns < 9.95e9 ? 1 : 0)}s`
  return ns < 99.5 * 60e9 ? `${(ns / 60e9).toFixed(ns < 9.95 * 60e9 ? 1 : 0)}m` : `${Math.round(ns / 3600e9)}h`
}

/** `42s`, `6m`, `2h`, `3d`: rounded hard, because it is used for forecasts. */
export function secondsCell(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds)}s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)}m`
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86400)}d`
}

/** `14:03:27` in UTC; `` for a time no calendar has. */
export const clockCell = (wallMs: number): string => {
  const date = new Date(wallMs)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(11, 19)
}
