/** A moment of a recording as a person types it. */
import { parseDuration, tsNsAt, wallMsAt } from './time.ts'
import type { ClockAnchor } from './time.ts'

const DAY_MS = 86_400_000

/** CLOCK_MONOTONIC of `+90s` (from the beginning), an RFC 3339 time, or `12:00:00` UTC: its first occurrence after the beginning. */
export function parseMoment(text: string, { startNs, anchor }: { readonly startNs: number; readonly anchor?: ClockAnchor }): number | undefined {
  const offset = parseDuration(text.replace(/^\+/, ''))
  if (offset !== undefined) return startNs + offset
  if (anchor === undefined) return undefined
  const ofDay = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$/.exec(text)
  if (ofDay !== null) return tsNsAt(anchor, nextAt(wallMsAt(anchor, startNs), Number(ofDay[1]) * 3_600_000 + Number(ofDay[2]) * 60_000 + Number(ofDay[3] ?? 0) * 1000))
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text)) return undefined
  // A time without zone is UTC, as everything oomscope prints; Date would take it for local.
  const wall = Date.parse(/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? text : `${text.replace(' ', 'T')}Z`)
  return Number.isNaN(wall) ? undefined : tsNsAt(anchor, wall)
}

function nextAt(startMs: number, ofDayMs: number): number {
  const sameDay = Math.floor(startMs / DAY_MS) * DAY_MS + ofDayMs
  // A second early counts as the beginning: the person copied a time without its fraction.
  return sameDay >= startMs - 1000 ? sameDay : sameDay + DAY_MS
}

/** The same typed while a picture stands at `nowNs`: `+30s` and `-5m` are counted from there. */
export function parseJump(text: string, at: { readonly nowNs: number; readonly startNs: number; readonly anchor?: ClockAnchor | undefined }): number | undefined {
  const trimmed = text.trim(), sign = trimmed.startsWith('-') ? -1 : trimmed.startsWith('+') ? 1 : 0, offset = sign === 0 ? undefined : parseDuration(trimmed.slice(1))
  if (sign !== 0) return offset === undefined ? undefined : at.nowNs + sign * offset
  return parseMoment(trimmed, { startNs: at.startNs, ...(at.anchor === undefined ? {} : { anchor: at.anchor }) })
}
