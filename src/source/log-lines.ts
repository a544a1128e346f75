/** A log that comes in pieces → its records, in its order: lines are put together, the family chosen by the first of them, what goes on over several lines joined. */
import { familyOf, type Family } from './log-formats.ts'
import type { LogRecord } from './log-record.ts'

/** A family is chosen by this many lines. */
export const FIRST_LINES = 500
/** No writer of logs makes longer ones; a file without any line end must not fill the memory. */
const MAX_LINE_CHARS = 2 ** 20
/** journalctl's own words between the lines. */
const READERS_WORDS = /^-- (?:Boot|Reboot|Logs begin|Journal begins|No entries|cursor)\b/
const NEW_BOOT = /^-- (?:Boot [0-9a-f]{32}|Reboot) --$/

/** What is done with the records; `reboot` is called where journalctl says so. */
export type Take = { readonly record: (record: LogRecord) => void; readonly reboot?: () => void }
/** `unread`: lines that are not of the log's format; nothing in them was read. */
export type Lines = { readonly family: string; readonly lines: number; readonly unread: number }

/** dmesg and journalctl print a record of several lines with the later ones indented. */
const isContinuation = (family: Family, line: string): boolean => family.continues && /^[ \t]/.test(line)

/** dmesg -e says the minute once and then only distances. */
const withMinute = (record: LogRecord | undefined, stamp: string | undefined): LogRecord | undefined =>
  record?.stamp === undefined || !/^ *[+-]\d/.test(record.stamp) ? record : { ...record, stamp }

export class LogLines {
  private readonly take: Take
  private family: Family | undefined
  /** Until the family is known. */
  private first: string[] = []
  private carry = ''
  private isOverlong = false
  private last: LogRecord | undefined
  private stamp: string | undefined
  private count = 0
  private unread = 0

  constructor(take: Take) { this.take = take }

  push(text: string): void {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      const line = this.carry + text.slice(from, end)
      from = end + 1
      this.carry = ''
      if (this.isOverlong) this.isOverlong = false
      else this.line(line)
    }
    if (!this.isOverlong) this.carry += text.slice(from)
    if (this.carry.length <= MAX_LINE_CHARS) return
    this.carry = ''
    this.isOverlong = true
    this.count += 1
    this.unread += 1
  }

  end(): Lines {
    this.line(this.carry)
    this.carry = ''
    const family = this.choose()
    this.flush()
    return { family: family.name, lines: this.count, unread: this.unread }
  }

  private line(text: string): void {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    if (line.trim() === '') return
    this.count += 1
    if (line.length > MAX_LINE_CHARS) this.unread += 1
    else if (this.family !== undefined) this.read(this.family, line)
    else if (this.first.push(line) >= FIRST_LINES) this.choose()
  }

  private choose(): Family {
    if (this.family !== undefined) return this.family
    const family = this.family = familyOf(this.first.filter((line) => !READERS_WORDS.test(line)))
    for (const line of this.first) this.read(family, line)
    this.first = []
    return family
  }

  private read(family: Family, line: string): void {
    const record = withMinute(family.read(line), this.stamp)
    this.stamp = record?.stamp ?? this.stamp
    if (record !== undefined) {
      this.flush()
      this.last = record
    } else if (NEW_BOOT.test(line)) {
      this.flush()
      this.take.reboot?.()
    } else if (this.last !== undefined && this.last.text.length <= MAX_LINE_CHARS && isContinuation(family, line)) this.last = { ...this.last, text: `${this.last.text}\\x0a${line.trim()}` }
    else if (!READERS_WORDS.test(line) && !(family.name === 'kmsg' && line.startsWith(' '))) this.unread += 1
  }

  private flush(): void {
    if (this.last !== undefined) this.take.record(this.last)
    this.last = undefined
  }
}
