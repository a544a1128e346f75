/** Protocol buffers, proto3, as much of them as CRI needs: a reader that trusts nothing and a writer of small requests. */

/** Wire types (protobuf.dev/programming-guides/encoding). Groups (3, 4) are not in proto3. */
const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5

/** Bytes that are no message of this kind. */
export class MalformedMessage extends Error {}

/** Walks the fields of one message: `while (reader.next())`, then one of the value methods; a field whose value is not read is skipped. */
export class MessageReader {
  field = 0
  private wireType = VARINT
  private isRead = true
  private at: number
  private readonly end: number
  private readonly bytes: Buffer

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (!this.isRead) this.skip()
    if (this.at === this.end) return false
    const tag = this.varint()
    this.field = Math.floor(tag / 8)
    this.wireType = tag % 8
    this.isRead = false
    if (this.field === 0) throw new MalformedMessage('field number 0')
    return true
  }

  text(): string {
    const start = this.enter()
    return this.bytes.toString('utf8', start, this.at)
  }

  message(): MessageReader {
    const start = this.enter()
    return new MessageReader(this.bytes, start, this.at)
  }

  /** int32, int64, uint32, enum; beyond 2^53 the nearest number. */
  integer(): number {
    this.expect(VARINT)
    const { at } = this, value = this.varint()
    // Ten bytes long: negative, in two's complement of 64 bits.
    return this.at - at === 10 ? Number(BigInt.asIntN(64, this.bigAt(at))) : value
  }

  private expect(wireType: number): void {
    if (this.wireType !== wireType || this.isRead) throw new MalformedMessage(`field ${this.field} has wire type ${this.wireType}, not ${wireType}`)
    this.isRead = true
  }

  /** Over a length-delimited value; returns where it begins. */
  private enter(): number {
    this.expect(BYTES)
    const length = this.varint(), start = this.at
    if (length > this.end - start) throw new MalformedMessage('a length beyond the end')
    this.at = start + length
    return start
  }

  private skip(): void {
    switch (this.wireType) {
      case VARINT: this.isRead = true; this.varint(); break
      case BYTES: this.enter(); break
      case FIXED64: this.forward(8); break
      case FIXED32: this.forward(4); break
      default: throw new MalformedMessage(`wire type ${this.wireType}`)
    }
  }

  private forward(count: number): void {
    if (count > this.end - this.at) throw new MalformedMessage('cut off')
    this.isRead = true
    this.at += count
  }

  private varint(): number {
    let value = 0, factor = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.at]
      if (this.at >= this.end || byte === undefined) throw new MalformedMessage('cut off')
      this.at += 1
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw new MalformedMessage('a number of more than ten bytes')
  }

  private bigAt(at: number): bigint {
    let value = 0n
    for (let i = 0; i < 10; i++) value |= BigInt((this.bytes[at + i] ?? 0) & 0x7f) << BigInt(7 * i)
    return value
  }
}

/** One entry of a `map<string, string>`; `isWanted` spares the value's text of what nobody keeps. */
export function mapEntry(entry: MessageReader, isWanted: (key: string) => boolean): readonly [string, string] | undefined {
  let key = '', value = ''
  while (entry.next()) {
    if (entry.field === 1) key = entry.text()
    // Keys come first from every known writer; one that does not is read, and dropped below.
    else if (entry.field === 2 && (key === '' || isWanted(key))) value = entry.text()
  }
  return isWanted(key) ? [key, value] : undefined
}

function varintBytes(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

/** A string field. */
export function textField(field: number, value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([...varintBytes(field * 8 + BYTES), ...varintBytes(bytes.length)]), bytes])
}

/** A field that is a message. */
export const messageField = (field: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([...varintBytes(field * 8 + BYTES), ...varintBytes(body.length)]), body])
}
