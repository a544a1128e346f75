/**
 * A kernel log as text → the rows that the bridge would have sent, one stream for each node and boot in it. The rows' times only
 * keep the order; what the log says of a line's time is kept beside them.
 */
import type { EventOf } from '../event/event.ts'
import { familyOf, type Family } from './log-formats.ts'
import type { LogRecord } from './log-record.ts'
import { untangle } from './log-untangle.ts'

export type LineTime = { readonly bootUs?: number; readonly wallMs?: number; readonly stamp?: string }

export type LogStream = {
  readonly host?: string | undefined
  readonly bootId?: string | undefined
  readonly events: readonly EventOf<'kmsg'>[]
  /** What the line with this number says of its time. */
  readonly timeOf: (seq: number) => LineTime
}

/**
 * Swap of the node in kB, where the stream as a whole tells it: every report of the node says the same, or the log goes back to the boot
 * and no swap was ever added (sys_swapon writes a line for each).
 */
export function totalSwapKbOf({ events }: LogStream): number | undefined {
  const told = new Set(events.flatMap(({ text }) => /^Total swap = (\d+)kB$/.exec(text)?.[1] ?? [])), [only] = told
  if (only !== undefined) return told.size === 1 ? Number(only) : undefined
  const isWhole = events.slice(0, FIRST_LINES).some(({ text, kmsgUs }) => kmsgUs < 1e6 && /^Linux version \d/.test(text))
  return isWhole && !events.some(({ text }) => /^Adding \d+k swap on /.test(text)) ? 0 : undefined
}

export type LogText = {
  readonly family: string
  readonly streams: readonly LogStream[]
  readonly lines: number
  /** Lines that are not of the file's format: nothing in them was read. */
  readonly unread: number
}

/** A family is chosen by this many lines. */
const FIRST_LINES = 500
const LEVEL = 6
/** The kernel's clock goes back by less when lines of two CPUs swap places. */
const NEW_BOOT_US = 10e6
/** journalctl's own words between the lines. */
const READERS_WORDS = /^-- (?:Boot|Reboot|Logs begin|Journal begins|No entries|cursor)\b/
const NEW_BOOT = /^-- (?:Boot [0-9a-f]{32}|Reboot) --$/

type Open = { readonly host: string | undefined; readonly bootId: string | undefined; readonly records: LogRecord[]; lastBootUs: number }

class Sorter {
  readonly all: Open[] = []
  private readonly current = new Map<string, Open>()

  add(record: LogRecord): void {
    const { host, bootId, bootUs } = record, key = host ?? ''
    let open = this.current.get(key)
    const isNew = open === undefined || bootId !== open.bootId || (bootUs !== undefined && bootId === undefined && bootUs < open.lastBootUs - NEW_BOOT_US) || (/^Linux version \d/.test(record.text) && bootId === undefined)
    if (open === undefined || isNew) {
      open = { host, bootId, records: [], lastBootUs: 0 }
      this.all.push(open)
      this.current.set(key, open)
    }
    if (bootUs !== undefined) open.lastBootUs = Math.max(open.lastBootUs, bootUs)
    open.records.push(record)
  }

  /** journalctl says that the node was started again. */
  reboot(): void { this.current.clear() }
}

function timeOfRecord({ bootUs, wallMs, stamp }: LogRecord): LineTime {
  return { ...(bootUs === undefined ? {} : { bootUs }), ...(wallMs === undefined ? {} : { wallMs }), ...(stamp === undefined ? {} : { stamp }) }
}

/** Rows in the order of the log, each at least a microsecond after the one before: two decisions never have the same time. */
function streamOf(open: Open): LogStream {
  const records = untangle(open.records), firstMs = records.find((record) => record.orderMs !== undefined)?.orderMs ?? 0
  let us = 0
  const events = records.map(({ text, bootUs, orderMs }, i): EventOf<'kmsg'> => {
    us = Math.max(us + 1, bootUs ?? (orderMs === undefined ? 0 : Math.round((orderMs - firstMs) * 1000)))
    return { kind: 'kmsg', tsNs: us * 1000, seq: i + 1, level: LEVEL, kmsgUs: us, text }
  })
  return { host: open.host, bootId: open.bootId, events, timeOf: (seq) => { const record = records[seq - 1]; return record === undefined ? {} : timeOfRecord(record) } }
}

/** dmesg -e says the minute once and then only distances. */
const withMinute = (record: LogRecord | undefined, stamp: string | undefined): LogRecord | undefined =>
  record?.stamp === undefined || !/^ *[+-]\d/.test(record.stamp) ? record : { ...record, stamp }

type Lines = { readonly family: Family; readonly lines: number; readonly unread: number }

/** Every record of a log, in its order; `reboot` is called where journalctl says so. */
export function eachRecord(text: string, take: { readonly record: (record: LogRecord) => void; readonly reboot?: () => void }): Lines {
  const lines = text.split(/\r?\n/), family = familyOf(lines.filter((line) => line.trim() !== '' && !READERS_WORDS.test(line)).slice(0, FIRST_LINES))
  let last: LogRecord | undefined, unread = 0, count = 0
  const flush = (): void => {
    if (last !== undefined) take.record(last)
    last = undefined
  }
  let stamp: string | undefined
  for (const line of lines) {
    if (line.trim() === '') continue
    count += 1
    const record = withMinute(family.read(line), stamp)
    stamp = record?.stamp ?? stamp
    if (record !== undefined) {
      flush()
      last = record
    } else if (NEW_BOOT.test(line)) {
      flush()
      take.reboot?.()
    } else if (last !== undefined && isContinuation(family, line)) last = { ...last, text: `${last.text}\\x0a${line.trim()}` }
    else if (!READERS_WORDS.test(line) && !(family.name === 'kmsg' && line.startsWith(' '))) unread += 1
  }
  flush()
  return { family, lines: count, unread }
}

/** Reads a whole kernel log; never throws, whatever is in it. */
export function readLog(text: string): LogText {
  const sorter = new Sorter(), { family, lines, unread } = eachRecord(text, { record: (record) => { if (record.isKernel) sorter.add(record) }, reboot: () => sorter.reboot() })
  return { family: family.name, streams: sorter.all.map(streamOf), lines, unread }
}

/** dmesg and journalctl print a record of several lines with the later ones indented. */
const isContinuation = (family: Family, line: string): boolean => family.continues && /^[ \t]/.test(line)
