/** Protocol buffers written by hand, apart from src/identity/cri: what the tests send must not be wrong in the same way as what reads it. */

export type FieldValue = number | bigint | boolean | string | Buffer
type Fields = Readonly<Record<number, FieldValue | readonly FieldValue[] | undefined>>

const varint = (value: number | bigint): Buffer => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Buffer.from(bytes)
}

/** A number (int32, int64, enum, bool), text or bytes at a field. */
export function field(number: number, value: FieldValue): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return Buffer.concat([varint(number * 8), varint(typeof value === 'boolean' ? Number(value) : value)])
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

/** A message out of its fields; what is undefined, or empty as proto3 means it, is left out. */
export const message = (fields: Fields): Buffer => Buffer.concat(Object.entries(fields).flatMap(([number, value]) =>
  [value].flat().filter((one): one is FieldValue => one !== undefined && one !== '' && one !== 0 && one !== false).map((one) => field(Number(number), one))))

/** `map<string, string>`: repeated entries. */
export const map = (object: Readonly<Record<string, string>>): Buffer[] => Object.entries(object).map(([key, value]) => message({ 1: key, 2: value }))

/** Length-prefixed, as gRPC sends it. */
export function grpcFrame(body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

/** The text at a field of a message, the last one; enough to read requests with. */
export function textAt(body: Buffer, wanted: number): Buffer | undefined {
  let at = 0, found: Buffer | undefined
  const number = (): number => { let value = 0, shift = 1; for (;;) { const byte = body[at++] ?? 0; value += (byte & 0x7f) * shift; if (byte < 0x80) return value; shift *= 128 } }
  while (at < body.length) {
    const tag = number()
    if (tag % 8 === 0) number()
    else {
      const length = number()
      if (tag >> 3 === wanted) found = body.subarray(at, at + length)
      at += length
    }
  }
  return found
}
