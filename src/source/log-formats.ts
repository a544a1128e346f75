/**
 * The shapes in which people have a kernel log: one family a file, chosen by what most of its first lines are. Inside a family a
 * line counts as the kernel's only where the format says so: what a process wrote into the same log must not make a case.
 */
import { escapeBytes, escapeText, type LogRecord } from './log-record.ts'
import { parseStamp, STAMP_OF_DMESG, STAMP_WITH_HOST } from './log-time.ts'

/** Nothing: not a line of this family. */
type Read = (line: string) => LogRecord | undefined

export type Family = { readonly name: string; readonly read: Read; /** Do lines that begin with a space go on with the record before? */ readonly continues: boolean }

const KERN = 0
const facilityOf = (priority: string): number => Number(priority) >> 3

/** "6,1234,5678901,-,caller=T384;text" */
function readKmsg(line: string): LogRecord | undefined {
  const match = /^(\d+),\d+,(\d+),([^;]*);(.*)$/.exec(line)
  if (match === null) return undefined
  const caller = /(?:^|,)caller=([TC]\d+)/.exec(match[3] ?? '')?.[1]
  return { text: match[4] ?? '', isKernel: facilityOf(match[1] ?? '') === KERN, bootUs: Number(match[2]), caller }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

/** journald writes a MESSAGE that is not plain text as an array of its bytes. */
function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return escapeText(value)
  return Array.isArray(value) && value.every((byte) => typeof byte === 'number') ? escapeBytes(value as number[]) : undefined
}

/** journalctl -o json. _TRANSPORT is a trusted field; facility 0 cannot be written from user space (devkmsg_write). */
function readJson(line: string): LogRecord | undefined {
  if (!/^[\u001e\s]*\{/.test(line)) return undefined
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line.replace(/^[\u001e\s]+/, '')) as Record<string, unknown>
  } catch {
    return undefined
  }
  const text = messageOf(entry['MESSAGE']), facility = numberOf(entry['SYSLOG_FACILITY'])
  if (text === undefined) return { text: '', isKernel: false }
  const realtimeUs = numberOf(entry['__REALTIME_TIMESTAMP']), wallMs = realtimeUs === undefined ? undefined : realtimeUs / 1000
  return {
    text, isKernel: entry['_TRANSPORT'] === 'kernel' && (facility === undefined || facility === KERN), wallMs, orderMs: wallMs,
    bootUs: numberOf(entry['_SOURCE_MONOTONIC_TIMESTAMP']) ?? numberOf(entry['__MONOTONIC_TIMESTAMP']), tag: textOf(entry['_COMM']) ?? textOf(entry['SYSLOG_IDENTIFIER']), host: textOf(entry['_HOSTNAME']), bootId: textOf(entry['_BOOT_ID']),
  }
}

const SYSLOG = new RegExp(`^(?:<\\d+>)?(${STAMP_WITH_HOST}) (\\S+) ([^\\s:\\[]+)(\\[\\d+\\])?: ?(.*)$`)
const SYSLOG_ANY = new RegExp(`^(?:<\\d+>)?(${STAMP_WITH_HOST}) \\S+ `)
/** What imklog and the serial console leave in front of the kernel's text. */
const INNER = /^\[ *(\d+\.\d+)\] ?(?:\[ *([TC]\d+)\] )?(.*)$/

/** rsyslog writes control characters as #ooo. */
const fromRsyslog = (text: string): string => text.replace(/#(0[0-3][0-7]|177)/g, (_, octal: string) => `\\x${Number.parseInt(octal, 8).toString(16).padStart(2, '0')}`)

/** "Nov 20 12:00:00 node kernel: text": kern.log and the short formats of journalctl. */
function readSyslog(line: string): LogRecord | undefined {
  const match = SYSLOG.exec(line)
  if (match === null) return SYSLOG_ANY.test(line) ? { text: '', isKernel: false } : undefined
  const [, stamp = '', host, tag, process, said = ''] = match, inner = INNER.exec(said), time = parseStamp(stamp)
  return {
    text: fromRsyslog(inner?.[3] ?? said), isKernel: tag === 'kernel' && process === undefined, tag, host, stamp, ...time,
    bootUs: inner?.[1] === undefined ? time.bootUs : Math.round(Number(inner[1]) * 1e6), caller: inner?.[2],
  }
}

/** journalctl -o short-monotonic: "[12345.678901] node kernel: text". Only what can be nothing else is taken for a line of it. */
function readMonotonic(line: string): LogRecord | undefined {
  const [, stamp = '', host, tag, process, text = ''] = /^(\[ *\d+\.\d+\]) (\S+) ([^\s:[]+)(\[\d+\])?: ?(.*)$/.exec(line) ?? []
  return tag === 'kernel' || process !== undefined ? { text, isKernel: tag === 'kernel' && process === undefined, host, ...parseStamp(stamp) } : undefined
}

const DMESG = new RegExp(`^(?:<(\\d+)>|([a-z0-9]+) *:([a-z]+) *: )? ?(${STAMP_OF_DMESG})? ?(?:\\[ *([TC]\\d+)\\] )?(.*)$`)
const FACILITIES: ReadonlySet<string> = new Set(['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'])

/** "[12345.678901] text", with -T, -e, -x, -r and --time-format iso. */
function readDmesg(line: string): LogRecord | undefined {
  const match = DMESG.exec(line)
  if (match === null) return undefined
  const [, priority, facility, , stamp, caller, text = ''] = match
  if (stamp === undefined && priority === undefined && (facility === undefined || !FACILITIES.has(facility))) return undefined
  const time = stamp === undefined ? {} : parseStamp(stamp)
  return { text, isKernel: priority !== undefined ? facilityOf(priority) === KERN : facility === undefined || facility === 'kern', ...time, ...(stamp === undefined || time.bootUs !== undefined ? {} : { stamp: stamp.replace(/^\[|\]$/g, '') }), caller }
}

/** dmesg -t, journalctl -o cat, a text that somebody pasted: whatever it is, it says nothing about who wrote it. */
const readBare: Read = (line) => ({ text: line, isKernel: true })

export const FAMILIES: readonly Family[] = [
  { name: 'json', read: readJson, continues: false }, { name: 'kmsg', read: readKmsg, continues: false }, { name: 'syslog', read: readSyslog, continues: true }, { name: 'monotonic', read: readMonotonic, continues: true },
  { name: 'dmesg', read: readDmesg, continues: true },
]
const BARE: Family = { name: 'bare', read: readBare, continues: false }

/** The family of most of these lines; `bare` when none of them has a prefix that is known. */
export function familyOf(lines: readonly string[]): Family {
  let best = BARE, most = 0
  for (const family of FAMILIES) {
    const count = lines.filter((line) => family.read(line) !== undefined).length
    if (count > most) { best = family; most = count }
    if (count === lines.length) break
  }
  return best
}
