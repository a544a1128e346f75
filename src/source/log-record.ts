/** One line of a kernel log file, its prefix taken off: what it says of when, where and by whom it was written. */

export type LogRecord = {
  /** As /dev/kmsg writes it: `\xNN` for what is not printable. */
  readonly text: string
  /** False: user space wrote it, and nothing in it is believed. */
  readonly isKernel: boolean
  /** The kernel's own clock, microseconds since boot. */
  readonly bootUs?: number | undefined
  /** Unix milliseconds; only where the line names year and zone. */
  readonly wallMs?: number | undefined
  /** For order only: milliseconds of a wall clock whose zone or year is not known. */
  readonly orderMs?: number | undefined
  /** The line's own words for its time. */
  readonly stamp?: string | undefined
  /** What the line says wrote it: anybody may call himself so, except in the journal's trusted fields. */
  readonly tag?: string | undefined
  readonly host?: string | undefined
  readonly bootId?: string | undefined
  /** `T384` or `C1`: the thread or CPU that printed it (CONFIG_PRINTK_CALLER). */
  readonly caller?: string | undefined
}

/** Bytes as /dev/kmsg writes them: printable ASCII stays, the backslash and everything else becomes `\xNN`. */
export function escapeBytes(bytes: Iterable<number>): string {
  let text = ''
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${(byte & 0xff).toString(16).padStart(2, '0')}`
  return text
}

const encoder = new TextEncoder()
/** The same of text that a reader has decoded already. */
export const escapeText = (text: string): string => text.replace(/[^\u0020-\u005b\u005d-\u007e]+/g, (part) => escapeBytes(encoder.encode(part)))

/** A part of a line keeps the whole piece of the log alive that it was cut from. */
export const copyOf = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')
