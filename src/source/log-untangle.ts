/** Reports whose lines stand between each other, in a log that names each line's thread (CONFIG_PRINTK_CALLER): put one after the other. */
import type { LogRecord } from './log-record.ts'

const BEGINS = / invoked oom-killer: gfp_mask=/
const ENDS = /Killed process \d+ \(|no killable processes|is already exiting\. Skip killing the task$/
/** A report that is longer than this has lost its end. */
const MAX_LINES = 20_000
/** More threads than this do not report at once: what never ends must not fill the memory. */
const MAX_OPEN = 256

/** Lines of one thread from the beginning of its report to its end stay together; everything else keeps its place. */
export class Untangle {
  private readonly give: (record: LogRecord) => void
  private readonly open = new Map<string, LogRecord[]>()

  constructor(give: (record: LogRecord) => void) { this.give = give }

  take(record: LogRecord): void {
    const { caller } = record
    if (caller === undefined) {
      this.give(record)
      return
    }
    if (BEGINS.test(record.text)) {
      this.close(caller)
      const [oldest] = this.open.keys()
      if (this.open.size >= MAX_OPEN && oldest !== undefined) this.close(oldest)
      this.open.set(caller, [])
    }
    const report = this.open.get(caller)
    if (report === undefined) {
      this.give(record)
      return
    }
    report.push(record)
    if (ENDS.test(record.text) || report.length > MAX_LINES) this.close(caller)
  }

  end(): void { for (const caller of [...this.open.keys()]) this.close(caller) }

  private close(caller: string): void {
    const report = this.open.get(caller) ?? []
    this.open.delete(caller)
    for (const record of report) this.give(record)
  }
}
