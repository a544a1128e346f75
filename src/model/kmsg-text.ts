/** The bytes of a name in the kernel log: how /dev/kmsg escapes them, and how long a comm can be. */

/** comm is TASK_COMM_LEN − 1 bytes; a longer "name" means that the line is not what it seems. */
const MAX_COMM_BYTES = 15

const encoder = new TextEncoder(), decoder = new TextDecoder()

/** /dev/kmsg writes every byte that is not printable ASCII, and the backslash, as `\xHH` (kernel/printk msg_print_ext_body). */
export function unescapeKmsg(text: string): string {
  if (!text.includes('\\x')) return text
  const out: number[] = []
  for (const part of text.split(/(\\x[0-9a-f]{2})/)) {
    if (/^\\x[0-9a-f]{2}$/.test(part)) out.push(Number.parseInt(part.slice(2), 16))
    else out.push(...encoder.encode(part))
  }
  return decoder.decode(Uint8Array.from(out))
}

/** Could this be a comm? Every undecodable byte became U+FFFD, which is three bytes again. */
export const isComm = (text: string): boolean =>
  encoder.encode(text.replaceAll('\ufffd', '?')).length <= MAX_COMM_BYTES
