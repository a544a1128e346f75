/** The stamps that readers of the kernel log put in front of its lines. A time without year or zone orders lines; it is no date. */

export type Stamp = { readonly bootUs?: number; readonly wallMs?: number; readonly orderMs?: number }

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)', MONTH = `(${MONTHS.join('|')})`, CLOCK = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:[.,](\\d+))?)?'

type Parts = { readonly year?: string | undefined; readonly month?: string | undefined; readonly day?: string | undefined; readonly hour?: string | undefined; readonly minute?: string | undefined; readonly second?: string | undefined; readonly fraction?: string | undefined }

/** Milliseconds as if the clock stood in UTC; a leap year where the year is not written. */
function naiveMs({ year, month = '01', day, hour, minute, second, fraction }: Parts): number {
  const named = MONTHS.indexOf(month), at = named >= 0 ? named : Number(month) - 1
  return Date.UTC(Number(year ?? 2000), at, Number(day), Number(hour), Number(minute), Number(second ?? 0)) + Number(`0.${fraction ?? 0}`) * 1000
}

function zoned(orderMs: number, zone: string | undefined): Stamp {
  if (zone === 'Z' || zone === 'UTC' || zone === 'GMT') return { wallMs: orderMs, orderMs }
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '')
  if (match === null) return { orderMs }
  const wallMs = orderMs - Number(`${match[1]}1`) * (Number(match[2]) * 60 + Number(match[3])) * 60_000
  return { wallMs, orderMs: wallMs }
}

const secondsUs = (text: string): number => Math.round(Number(text) * 1e6)

const FORMS: readonly (readonly [RegExp, (m: RegExpExecArray) => Stamp])[] = [
  // dmesg, journalctl -o short-monotonic: [12345.678901], also with the distance to the line before (dmesg -d).
  [/^\[? *(\d+\.\d+)(?: <.*>)?\]?$/, ([, seconds = '']) => (/^\d{10,}\./.test(seconds) ? { wallMs: Number(seconds) * 1000, orderMs: Number(seconds) * 1000 } : { bootUs: secondsUs(seconds) })],
  // syslog, journalctl -o short and short-precise.
  [new RegExp(`^${MONTH} +(\\d+) ${CLOCK}$`), ([, month, day, hour, minute, second, fraction]) => ({ orderMs: naiveMs({ month, day, hour, minute, second, fraction }) })],
  // rsyslog, journalctl -o short-iso and short-iso-precise, dmesg --time-format iso.
  [new RegExp(`^(\\d{4})-(\\d\\d)-(\\d\\d)T${CLOCK}(Z|[+-]\\d\\d:?\\d\\d)?$`), ([, year, month, day, hour, minute, second, fraction, zone]) => zoned(naiveMs({ year, month, day, hour, minute, second, fraction }), zone)],
  // journalctl -o short-full.
  [new RegExp(`^${DAY} (\\d{4})-(\\d\\d)-(\\d\\d) ${CLOCK} (\\S+)$`), ([, year, month, day, hour, minute, second, fraction, zone]) => zoned(naiveMs({ year, month, day, hour, minute, second, fraction }), zone)],
  // dmesg -T: the reader's own zone.
  [new RegExp(`^\\[${DAY} ${MONTH} +(\\d+) ${CLOCK} (\\d{4})\\]$`), ([, month, day, hour, minute, second, fraction, year]) => ({ orderMs: naiveMs({ year, month, day, hour, minute, second, fraction }) })],
  // dmesg -e: a new minute; the lines after it only say the distance.
  [new RegExp(`^\\[${MONTH} *(\\d+) ${CLOCK}\\]$`), ([, month, day, hour, minute, second, fraction]) => ({ orderMs: naiveMs({ month, day, hour, minute, second, fraction }) })],
]

/** One stamp; nothing known when it has an unknown form or is no time. */
export function parseStamp(text: string): Stamp {
  for (const [pattern, read] of FORMS) {
    const match = pattern.exec(text)
    if (match === null) continue
    const stamp = read(match)
    return Object.values(stamp).every(Number.isFinite) ? stamp : {}
  }
  return {}
}

/** The stamps themselves, to be put into the pattern of a line. */
export const STAMP_WITH_HOST = `(?:${MONTH.replace('(', '(?:')} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d+)?(?:Z|[+-]\\d\\d:?\\d\\d)?|${DAY} \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)? \\S+|\\d{9,}\\.\\d+)`
export const STAMP_OF_DMESG = `(?:\\[ *\\d+\\.\\d+(?: < *\\d+\\.\\d+>)?\\]|\\[${DAY} ${MONTH.replace('(', '(?:')} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}\\]|\\[${MONTH.replace('(', '(?:')} ?\\d+ \\d\\d:\\d\\d\\]|\\[ *[+-]\\d+\\.\\d+\\]|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d,\\d+(?:Z|[+-]\\d\\d:?\\d\\d))`
