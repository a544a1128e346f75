/** Makes text from the kernel, a file name or another program safe to print as one line of a terminal. */

// C0, DEL, C1 (a terminal executes U+009B as CSI), line separators, and bidirectional overrides that reorder what is read.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** One printable line: every control character becomes `?`; longer than `max` characters is cut with `…`. */
export function printable(text: string, max = 400): string {
  const safe = text.replace(UNPRINTABLE, '?')
  return safe.length <= max ? safe : `${safe.slice(0, max - 1)}…`
}

/**
 * A hostile name made safe without losing what it was: every control character, C1 and reordering character becomes a
 * visible `\x1b` or `\u202e`, so that two names that differ still look different in a ticket.
 */
export function sanitize(name: string): string {
  return name.replace(UNPRINTABLE, (c) => {
    const code = c.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** `1 kill`, `2 kills`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
