/** The moment of a recording that --at names; before it began, its beginning. */
import { usageError } from '../base/errors.ts'
import { parseMoment } from '../base/moment.ts'
import { printable } from '../base/text.ts'
import type { ReplaySource } from '../source/replay.ts'

export function startOf({ tape }: ReplaySource, text: string): number {
  const { hello } = tape, span = tape.span()
  const moment = parseMoment(text, { startNs: span?.startNs ?? 0, ...(hello === undefined ? {} : { anchor: hello }) })
  if (moment === undefined) throw usageError('bad-value', `cannot understand --at '${printable(text, 60)}': not a time`, 'write 2026-11-20T12:00:00Z, 12:00:00 (UTC) or +90s from the beginning')
  return Math.max(moment, span?.startNs ?? 0)
}
