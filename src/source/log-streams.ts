/**
 * A kernel log → the rows that the bridge would have sent, one stream for each node and boot in it. The rows' times only keep the
 * order; what the log says of a line's time is kept beside them. Of lines that nobody wants only the number is kept: a log of
 * months is read in the memory that its reports take.
 */
import type { EventOf } from '../event/event.ts'
import { FIRST_LINES, LogLines, type Lines } from './log-lines.ts'
import { copyOf, type LogRecord } from './log-record.ts'
import { Untangle } from './log-untangle.ts'

export type LineTime = { readonly bootUs?: number; readonly wallMs?: number; readonly stamp?: string }

export type LogStream = {
  readonly host?: string | undefined
  readonly bootId?: string | undefined
  readonly events: readonly EventOf<'kmsg'>[]
  /**
   * Swap of the node in kB, where the stream as a whole tells it: every report of the node says the same, or the log goes back to the boot
   * and no swap was ever added (sys_swapon writes a line for each).
   */
  readonly totalSwapKb: number | undefined
  /** What the line with this number says of its time. */
  readonly timeOf: (seq: number) => LineTime
}

export type LogText = Lines & { readonly streams: readonly LogStream[] }

const LEVEL = 6
/** The kernel's clock goes back by less when lines of two CPUs swap places. */
const NEW_BOOT_US = 10e6

function timeOfRecord({ bootUs, wallMs, stamp }: LogRecord): LineTime {
  return { ...(bootUs === undefined ? {} : { bootUs }), ...(wallMs === undefined ? {} : { wallMs }), ...(stamp === undefined ? {} : { stamp: copyOf(stamp) }) }
}

type IsWanted = (text: string) => boolean

/** One node and boot: rows in the order of the log, each at least a microsecond after the one before: two decisions never have the same time. */
class Stream {
  readonly host: string | undefined
  readonly bootId: string | undefined
  lastBootUs = 0
  private readonly isWanted: IsWanted
  private readonly untangle = new Untangle((record) => this.number(record))
  private readonly events: EventOf<'kmsg'>[] = []
  private readonly times = new Map<number, LineTime>()
  private seq = 0
  private us = 0
  private firstMs: number | undefined
  private readonly swapsKb = new Set<string>()
  private hasBoot = false
  private hasSwap = false

  constructor({ host, bootId }: LogRecord, isWanted: IsWanted) {
    this.host = host === undefined ? undefined : copyOf(host)
    this.bootId = bootId
    this.isWanted = isWanted
  }

  add(record: LogRecord): void {
    if (record.bootUs !== undefined) this.lastBootUs = Math.max(this.lastBootUs, record.bootUs)
    this.untangle.take(record)
  }

  end(): LogStream {
    this.untangle.end()
    const { host, bootId, events, times } = this
    return { host, bootId, events, totalSwapKb: this.totalSwapKb(), timeOf: (seq) => times.get(seq) ?? {} }
  }

  private number(record: LogRecord): void {
    const { text, bootUs, orderMs } = record
    this.firstMs ??= orderMs
    this.seq += 1
    this.us = Math.max(this.us + 1, bootUs ?? (orderMs === undefined ? 0 : Math.round((orderMs - (this.firstMs ?? 0)) * 1000)))
    this.noteSwap(text)
    if (!this.isWanted(text)) return
    this.times.set(this.seq, timeOfRecord(record))
    this.events.push({ kind: 'kmsg', tsNs: this.us * 1000, seq: this.seq, level: LEVEL, kmsgUs: this.us, text: copyOf(text) })
  }

  private noteSwap(text: string): void {
    const told = /^Total swap = (\d+)kB$/.exec(text)?.[1]
    // Two are as good as a thousand.
    if (told !== undefined && this.swapsKb.size < 2) this.swapsKb.add(told)
    if (this.seq <= FIRST_LINES && this.us < 1e6 && /^Linux version \d/.test(text)) this.hasBoot = true
    if (/^Adding \d+k swap on /.test(text)) this.hasSwap = true
  }

  private totalSwapKb(): number | undefined {
    const [only] = this.swapsKb
    if (only !== undefined) return this.swapsKb.size === 1 ? Number(only) : undefined
    return this.hasBoot && !this.hasSwap ? 0 : undefined
  }
}

/** Reads a kernel log that comes in pieces; never throws, whatever is in it. `isWanted`: which texts become rows. */
export class LogReading {
  private readonly isWanted: IsWanted
  private readonly all: Stream[] = []
  private readonly current = new Map<string, Stream>()
  private readonly lines = new LogLines({ record: (record) => { if (record.isKernel) this.add(record) }, /* journalctl says that the node was started again */ reboot: () => this.current.clear() })

  constructor(isWanted: IsWanted = () => true) { this.isWanted = isWanted }

  push(text: string): void { this.lines.push(text) }

  end(): LogText {
    const lines = this.lines.end()
    return { ...lines, streams: this.all.map((stream) => stream.end()) }
  }

  private add(record: LogRecord): void {
    const { host, bootId, bootUs } = record, key = host ?? '', before = this.current.get(key)
    const isNew = before === undefined || bootId !== before.bootId || (bootUs !== undefined && bootId === undefined && bootUs < before.lastBootUs - NEW_BOOT_US) || (/^Linux version \d/.test(record.text) && bootId === undefined)
    const stream = isNew ? new Stream(record, this.isWanted) : before
    if (isNew) {
      this.all.push(stream)
      this.current.set(key, stream)
    }
    stream.add(record)
  }
}
