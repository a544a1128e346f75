/** Reports whose lines stand between each other, in a log that names each line's thread (CONFIG_PRINTK_CALLER): put one after the other. */
import { copyOf, type LogRecord } from './log-record.ts'

const BEGINS = / invoked oom-killer: gfp_mask=/
const ENDS = /Killed process \d+ \(|no killable processes|is already exiting\. Skip killing the task$/
/** A report that is longer than this has lost its end. */
const MAX_LINES = 20_000
/** The kernel writes one report at a time (oom_lock): what has lost its end in many threads must not fill the memory. */
const MAX_HELD = 100_000

/** What is held for long, without the piece of the log that it was cut from. */
const held = ({ text, isKernel, bootUs, wallMs, orderMs, stamp }: LogRecord): LogRecord => ({ text: copyOf(text), isKernel, bootUs, wallMs, orderMs, stamp: stamp === undefined ? undefined : copyOf(stamp) })

/** Lines of one thread from the beginning of its report to its end stay together; everything else keeps its place. */
export class Untangle {
  private readonly give: (record: LogRecord) => void
  private readonly open = new Map<string, LogRecord[]>()
  private lines = 0

  constructor(give: (record: LogRecord) => void) { this.give = give }

  take(record: LogRecord): void {
    const { caller } = record
    if (caller === undefined) {
      this.give(record)
      return
    }
    if (BEGINS.test(record.text)) {
      this.close(caller)
      this.open.set(caller, [])
    }
    const report = this.open.get(caller)
    if (report === undefined) {
      this.give(record)
      return
    }
    report.push(held(record))
    this.lines += 1
    if (ENDS.test(record.text) || report.length > MAX_LINES) this.close(caller)
    if (this.lines > MAX_HELD) for (const oldest of this.open.keys()) { this.close(oldest); break }
  }

  end(): void { for (const caller of [...this.open.keys()]) this.close(caller) }

  private close(caller: string): void {
    const report = this.open.get(caller) ?? []
    this.open.delete(caller)
    this.lines -= report.length
    for (const record of report) this.give(record)
  }
}
