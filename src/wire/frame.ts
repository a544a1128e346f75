/**
 * Frames: how rows travel in a byte stream that may be cut, damaged or joined in the middle. Little endian:
 *
 *     0 magic "OOMS" | 4 payload length | 8 CRC-32 of bytes 12… | 12 version | 13 flags | 14 row count | 16 tsNs of the first row | 24 payload
 *
 * The reader takes any chunks, never throws, and accounts for every byte: it is in a frame, or in `corruptBytes`.
 */
import { crc32 } from 'node:zlib'
import { FORMAT_VERSION } from '../event/kinds.ts'

export const MAGIC = Buffer.from('OOMS', 'latin1')
export const HEADER_BYTES = 24
/** A longer payload is damage: native/frame.c never writes one, and waiting for 4 GiB would stall a live reader. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024

/** Bits of the flags byte. */
export const FLAG = {
  /** The whole state is repeated from here on: reading may start. */
  keyframe: 1,
  /** The frame starts with a hello row. */
  hello: 2,
  /** Rows of the TypeScript side (rungs, names) that no keyframe repeats: a reader that starts later reads these frames too. */
  names: 4,
} as const

export type FrameHeader = { readonly version: number; readonly flags: number; readonly rowCount: number; readonly tsNs: number; readonly payloadBytes: number; readonly crc: number }

export type Frame = {
  readonly version: number
  readonly flags: number
  readonly rowCount: number
  /** CLOCK_MONOTONIC of the first row. */
  readonly tsNs: number
  readonly payload: Uint8Array
  /** Header and payload as they came: what a recording keeps. */
  readonly bytes: Uint8Array
  /** What stood before it in the stream could not be read. */
  readonly isAfterDamage?: true
}

/** Bytes that were not part of a valid frame, and how many places they were in. */
export type Damage = { corruptFrames: number; corruptBytes: number }

/** Reads the 24 bytes at `offset`; `undefined` if they cannot begin a frame. Says nothing about the checksum. */
export function readHeader(buffer: Buffer, offset: number): FrameHeader | undefined {
  if (offset + HEADER_BYTES > buffer.length || buffer.compare(MAGIC, 0, 4, offset, offset + 4) !== 0) return undefined
  const payloadBytes = buffer.readUInt32LE(offset + 4)
  if (payloadBytes > MAX_PAYLOAD_BYTES) return undefined
  return {
    payloadBytes, crc: buffer.readUInt32LE(offset + 8), version: buffer.readUInt8(offset + 12), flags: buffer.readUInt8(offset + 13),
    rowCount: buffer.readUInt16LE(offset + 14),
    // Not readBigUInt64LE: a bigint per frame for 4 ns of precision after two years of uptime.
    tsNs: buffer.readUInt32LE(offset + 16) + buffer.readUInt32LE(offset + 20) * 2 ** 32,
  }
}

/** True if the frame at `offset`, which is wholly in the buffer, is as it was written. */
export function isIntact(buffer: Buffer, offset: number, header: FrameHeader): boolean {
  return crc32(buffer.subarray(offset + 12, offset + HEADER_BYTES + header.payloadBytes)) === header.crc
}

export type FrameContent = { readonly flags: number; readonly rowCount: number; readonly tsNs: number; readonly payload: Uint8Array; readonly version?: number }

/** The bytes of one frame. */
export function encodeFrame(content: FrameContent): Buffer {
  const { flags, rowCount, tsNs, payload, version = FORMAT_VERSION } = content
  if (payload.length > MAX_PAYLOAD_BYTES || rowCount > 0xffff) throw new Error(`frame too large: ${payload.length} bytes, ${rowCount} rows`)
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  MAGIC.copy(bytes, 0)
  bytes.writeUInt32LE(payload.length, 4)
  bytes.writeUInt8(version, 12)
  bytes.writeUInt8(flags, 13)
  bytes.writeUInt16LE(rowCount, 14)
  bytes.writeUInt32LE(tsNs % 2 ** 32, 16)
  bytes.writeUInt32LE(Math.floor(tsNs / 2 ** 32), 20)
  bytes.set(payload, HEADER_BYTES)
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8)
  return bytes
}

/** Cuts a byte stream into frames. After damage it goes on at the next place where magic, length and checksum agree. */
export class FrameReader {
  readonly damage: Damage = { corruptFrames: 0, corruptBytes: 0 }
  private chunks: Buffer[] = []
  private pendingBytes = 0
  /** Nothing can be decided before this many bytes are pending; keeps chunks of one byte from costing a copy each. */
  private neededBytes = HEADER_BYTES
  /** Bytes are being skipped since the last frame or refused header: one place, however many bytes. */
  private isSkipping: boolean

  /** `isAfterDamage`: what stood before the first byte could not be read. */
  constructor(isAfterDamage = false) { this.isSkipping = isAfterDamage }

  /** The last bytes were no whole frame. */
  get endsInDamage(): boolean { return this.isSkipping }

  /** Frames completed by this chunk. The chunk must not be changed afterwards: frames point into it. */
  push(chunk: Uint8Array): Frame[] {
    if (chunk.length === 0) return []
    this.chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.pendingBytes += chunk.length
    return this.pendingBytes < this.neededBytes ? [] : this.cut(false)
  }

  /** The stream has ended: what is left is a cut tail, or hides whole frames behind a damaged length. */
  end(): Frame[] {
    return this.pendingBytes === 0 ? [] : this.cut(true)
  }

  private cut(isEnd: boolean): Frame[] {
    const buffer = this.chunks.length === 1 && this.chunks[0] !== undefined ? this.chunks[0] : Buffer.concat(this.chunks, this.pendingBytes)
    const frames: Frame[] = []
    let at = 0
    this.neededBytes = HEADER_BYTES
    while (at < buffer.length) {
      const start = this.skipTo(buffer, at, isEnd)
      if (start === undefined) { at = buffer.length; break }
      at = start
      if (buffer.length - at < HEADER_BYTES) {
        if (!isEnd) break
        this.refuse(buffer.length - at)
        at = buffer.length
        break
      }
      const header = readHeader(buffer, at)
      const total = header === undefined ? 0 : HEADER_BYTES + header.payloadBytes
      if (header !== undefined && total > buffer.length - at && !isEnd) { this.neededBytes = total; break }
      if (header !== undefined && total <= buffer.length - at && isIntact(buffer, at, header)) {
        frames.push(this.isSkipping ? { ...frameAt(buffer, at, header), isAfterDamage: true } : frameAt(buffer, at, header))
        this.isSkipping = false
        at += total
      } else {
        this.refuse(MAGIC.length)
        at += MAGIC.length
      }
    }
    const rest = buffer.subarray(at)
    this.chunks = rest.length > 0 ? [rest] : []
    this.pendingBytes = rest.length
    return frames
  }

  /** Position of the next magic at or after `at`, counting what is skipped; `undefined` when the buffer is used up. A split magic at the end is kept. */
  private skipTo(buffer: Buffer, at: number, isEnd: boolean): number | undefined {
    const found = buffer.indexOf(MAGIC, at)
    const keep = found === -1 && !isEnd ? partialMagicAt(buffer, at) : found
    const end = keep === -1 ? buffer.length : keep
    if (end > at) {
      if (!this.isSkipping) this.damage.corruptFrames += 1
      this.isSkipping = true
      this.damage.corruptBytes += end - at
    }
    return keep === -1 ? undefined : keep
  }

  private refuse(bytes: number): void {
    this.damage.corruptFrames += 1
    this.damage.corruptBytes += bytes
    this.isSkipping = true
  }
}

function frameAt(buffer: Buffer, at: number, header: FrameHeader): Frame {
  const bytes = buffer.subarray(at, at + HEADER_BYTES + header.payloadBytes)
  return { version: header.version, flags: header.flags, rowCount: header.rowCount, tsNs: header.tsNs, payload: bytes.subarray(HEADER_BYTES), bytes }
}

/** Where the last one to three bytes could be the beginning of a magic that the next chunk completes; -1 if nowhere. */
function partialMagicAt(buffer: Buffer, from: number): number {
  for (let length = Math.min(MAGIC.length - 1, buffer.length - from); length > 0; length -= 1) {
    const start = buffer.length - length
    if (buffer.compare(MAGIC, 0, length, start) === 0) return start
  }
  return -1
}
