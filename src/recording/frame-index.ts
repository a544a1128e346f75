/** Finds the keyframes of a segment by hopping from header to header: payloads are neither read nor checked on the way. */
import { readSync } from 'node:fs'
import { FLAG, FrameReader, HEADER_BYTES, isIntact, MAGIC, MAX_PAYLOAD_BYTES, readHeader } from '../wire/frame.ts'
import type { FrameHeader } from '../wire/frame.ts'
import type { OpenSegment } from './segments.ts'

export type IndexEntry = { readonly offset: number; readonly bytes: number; readonly flags: number; readonly tsNs: number }

/** A page: frames larger than it are hopped over, smaller ones cost no read of their own. */
const WINDOW_BYTES = 4096
const SCAN_BYTES = 64 * 1024
/** Between two of these somebody else may have a turn: some milliseconds of work. */
const STEP_BYTES = 4 * 1024 * 1024
const MAX_FRAME_BYTES = HEADER_BYTES + MAX_PAYLOAD_BYTES

/** Reads parts of a file through one reused buffer; a part is valid until the next call. */
class Window {
  private readonly segment: OpenSegment
  private buffer = Buffer.alloc(SCAN_BYTES)
  private start = 0
  private length = 0

  constructor(segment: OpenSegment) { this.segment = segment }

  /** The bytes at `offset`: `wanted` of them, fewer at the end of the segment. */
  at(offset: number, wanted: number, readAhead = WINDOW_BYTES): Buffer {
    const need = Math.max(0, Math.min(wanted, this.segment.bytes - offset))
    if (offset < this.start || offset + need > this.start + this.length) this.fill(offset, Math.max(need, readAhead))
    const from = offset - this.start
    return this.buffer.subarray(from, Math.min(from + need, this.length))
  }

  private fill(offset: number, bytes: number): void {
    if (bytes > this.buffer.length) this.buffer = Buffer.alloc(bytes)
    const wanted = Math.max(0, Math.min(bytes, this.segment.bytes - offset))
    this.start = offset
    this.length = wanted === 0 ? 0 : readSync(this.segment.fd, this.buffer, 0, wanted, offset)
  }
}

/** Adds the segment's frames with flags to `entries`, in file order; yields now and then. Damage is hopped over; what is in it is for the frame reader to count. */
export function* indexSegment(segment: OpenSegment, entries: IndexEntry[]): Generator<undefined, void, void> {
  const window = new Window(segment)
  let at = 0, restedAt = 0
  while (at + HEADER_BYTES <= segment.bytes) {
    const header = headerAt(window, at, segment.bytes)
    if (header === undefined) at = nextMagic(window, at + 1, Math.min(segment.bytes, at + STEP_BYTES))
    else {
      const bytes = HEADER_BYTES + header.payloadBytes
      if (header.flags !== 0) entries.push({ offset: at, bytes, flags: header.flags, tsNs: header.tsNs })
      at += bytes
    }
    if (at - restedAt < STEP_BYTES) continue
    yield
    restedAt = at
  }
}

/** The newest time that the last frames name: at the very end, or before as much as cannot be read. */
export function newestNs(segment: OpenSegment): number | undefined {
  // Each look overlaps the one before by a frame, so that none is cut by both.
  for (let end = segment.bytes; end > 0; end -= MAX_FRAME_BYTES) {
    const start = Math.max(0, end - 2 * MAX_FRAME_BYTES), buffer = Buffer.allocUnsafe(end - start), reader = new FrameReader()
    const frames = [...reader.push(buffer.subarray(0, readSync(segment.fd, buffer, 0, buffer.length, start))), ...reader.end()]
    if (frames.length > 0) return Math.max(...frames.map(({ tsNs }) => tsNs))
  }
  return undefined
}

/** True if the frame of the entry is whole and as it was written: asked for the few that a seek wants to start at. */
export function isEntryIntact(segment: OpenSegment, entry: IndexEntry): boolean {
  const bytes = readEntry(segment, entry), header = readHeader(bytes, 0)
  return header !== undefined && bytes.length === entry.bytes && isIntact(bytes, 0, header)
}

/** The bytes of an entry's frame; fewer when the file was cut meanwhile. */
export function readEntry(segment: OpenSegment, entry: IndexEntry): Buffer {
  const buffer = Buffer.alloc(entry.bytes)
  return buffer.subarray(0, readSync(segment.fd, buffer, 0, entry.bytes, entry.offset))
}

/** A header that leads to another one (or to the end) is believed; one that leads nowhere must prove itself by its checksum. */
function headerAt(window: Window, at: number, end: number): FrameHeader | undefined {
  const header = readHeader(window.at(at, HEADER_BYTES), 0)
  if (header === undefined) return undefined
  const next = at + HEADER_BYTES + header.payloadBytes
  if (next === end) return header
  if (next > end) return undefined
  if (window.at(next, MAGIC.length).equals(MAGIC)) return header
  return isIntact(window.at(at, HEADER_BYTES + header.payloadBytes), 0, header) ? header : undefined
}

function nextMagic(window: Window, from: number, end: number): number {
  for (let at = from; at < end; at += SCAN_BYTES - MAGIC.length + 1) {
    const found = window.at(at, SCAN_BYTES, SCAN_BYTES).indexOf(MAGIC)
    if (found !== -1) return at + found
  }
  return end
}

/** The first intact frame's header, looked for in the beginning of the file only; `undefined` if there is none. */
export function firstHeader(segment: OpenSegment): FrameHeader | undefined {
  const buffer = Buffer.alloc(Math.min(segment.bytes, 2 * (MAX_PAYLOAD_BYTES + HEADER_BYTES)))
  const length = readSync(segment.fd, buffer, 0, buffer.length, 0)
  const bytes = buffer.subarray(0, length)
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    const header = readHeader(bytes, at)
    if (header !== undefined && at + HEADER_BYTES + header.payloadBytes <= length && isIntact(bytes, at, header)) return header
  }
  return undefined
}

export const isKeyframe = (entry: IndexEntry): boolean => (entry.flags & FLAG.keyframe) !== 0
