/** Reports whose lines stand between each other, in a log that names each line's thread (CONFIG_PRINTK_CALLER): put one after the other. */
import type { LogRecord } from './log-record.ts'

const BEGINS = / invoked oom-killer: gfp_mask=/
const ENDS = /Killed process \d+ \(|no killable processes|is already exiting\. Skip killing the task$/
/** A report that is longer than this has lost its end. */
const MAX_LINES = 20_000

/** Lines of one thread from the beginning of its report to its end stay together; everything else keeps its place. */
export function untangle(records: readonly LogRecord[]): readonly LogRecord[] {
  if (!records.some((record) => record.caller !== undefined)) return records
  const out: LogRecord[] = [], open = new Map<string, LogRecord[]>()
  const close = (caller: string): void => {
    out.push(...(open.get(caller) ?? []))
    open.delete(caller)
  }
  for (const record of records) {
    const { caller } = record
    if (caller === undefined) {
      out.push(record)
      continue
    }
    if (BEGINS.test(record.text)) {
      close(caller)
      open.set(caller, [])
    }
    const report = open.get(caller)
    if (report === undefined) {
      out.push(record)
      continue
    }
    report.push(record)
    if (ENDS.test(record.text) || report.length > MAX_LINES) close(caller)
  }
  for (const caller of [...open.keys()]) close(caller)
  return out
}
