/**
 * Reads a recording: all segments in order, from the beginning or from a time, whatever has happened to the files.
 * Everything up to damage and after it is delivered; what lies in it is counted. Nothing is read before it is asked for.
 */
import { closeSync, readSync } from 'node:fs'
import { usageError, UserError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import type { EventOf } from '../event/event.ts'
import { FORMAT_VERSION } from '../event/kinds.ts'
import { Decoder } from '../wire/decode.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG, FrameReader, MAGIC } from '../wire/frame.ts'
import type { Damage, Frame } from '../wire/frame.ts'
import { firstHeader, indexSegment, isEntryIntact, isKeyframe, newestNs, readEntry } from './frame-index.ts'
import type { IndexEntry } from './frame-index.ts'
import { olderSegments, openSegment, segmentPath } from './segments.ts'
import type { OpenSegment } from './segments.ts'
import { StreamHead } from './stream-head.ts'
import type { Tape, TapeCursor, TapeSpan } from './tape.ts'

const READ_BYTES = 256 * 1024
/** Four times the largest frame. */
const HELLO_READS = 16

/** Where reading starts: at a keyframe, or at the beginning of the first segment. */
type Position = { readonly segment: number; readonly offset: number }
const BEGINNING: Position = { segment: 0, offset: 0 }

/** Opens FILE with its older segments; throws a UserError when it cannot be read as a recording. */
export function openRecording(path: string): Recording {
  const older = olderSegments(path), opened: OpenSegment[] = []
  try {
    const newest = openNewest(path, older.length > 0)
    if (newest !== undefined) opened.push(newest)
    for (const age of older) opened.unshift(openSegment(segmentPath(path, age)))
    checkNewest(opened)
    return new Recording(path, opened)
  } catch (error) {
    for (const segment of opened) closeSync(segment.fd)
    throw error
  }
}

/** A recorder that was killed, or met a full disk, just as it began the next file left none of that name: the files before it are the recording. */
function openNewest(path: string, hasOlder: boolean): OpenSegment | undefined {
  try {
    return openSegment(path)
  } catch (error) {
    if (hasOlder && error instanceof UserError && error.code === 'file-missing') return undefined
    throw error
  }
}

/** Or it left one without a whole frame: then the one before it tells what this is. */
function checkNewest(segments: readonly OpenSegment[]): void {
  for (const [i, segment] of segments.toReversed().entries()) {
    try {
      checkFormat(segment)
      return
    } catch (error) {
      const isCut = error instanceof UserError && (error.code === 'recording-empty' || error.code === 'recording-damaged')
      if (!isCut || i === segments.length - 1) throw error
    }
  }
}

function checkFormat(segment: OpenSegment): void {
  const name = printable(segment.path)
  if (segment.bytes === 0) throw usageError('recording-empty', `cannot read ${name}: it is empty`, 'the recorder ended before its first frame; record again')
  const header = firstHeader(segment), start = Buffer.alloc(13)
  readSync(segment.fd, start, 0, start.length, 0)
  const startsAsFrame = start.subarray(0, MAGIC.length).equals(MAGIC)
  // Without one intact frame the version byte is all there is to go by: a newer format may check its frames otherwise.
  const version = header?.version ?? (startsAsFrame ? start[12] : undefined) ?? 0
  if (version > FORMAT_VERSION) throw usageError('recording-newer', `cannot read ${name}: recording format ${version} is newer than ${FORMAT_VERSION}, the newest this oomscope knows`, 'use the oomscope that recorded it, or a later one')
  if (header === undefined && !startsAsFrame) throw usageError('recording-foreign', `cannot read ${name}: it is not a recording`, 'name a file written by `oomscope record -o FILE`')
  if (header === undefined) throw usageError('recording-damaged', `cannot read ${name}: it holds no whole frame`, 'the recorder ended too early or the file was damaged; record again')
}

export class Recording implements Tape {
  readonly path: string
  /** The first hello row; absent when that part is damaged. */
  readonly hello: EventOf<'hello'> | undefined
  private readonly segments: readonly OpenSegment[]
  /** Of each segment, as far as `indexing` has come. */
  private readonly indexes: readonly IndexEntry[][]
  private readonly indexing: Generator<undefined, void, void>
  private known: TapeSpan | undefined
  private isClosed = false

  constructor(path: string, segments: readonly OpenSegment[]) {
    this.path = path
    this.segments = segments
    this.indexes = segments.map(() => [])
    this.indexing = indexSegments(segments, this.indexes)
    this.hello = firstHello(segments)
  }

  /** Bytes of all segments. */
  get totalBytes(): number { return this.segments.reduce((sum, segment) => sum + segment.bytes, 0) }
  get segmentCount(): number { return this.segments.length }

  /** Looks at the beginning and at the end of the files only. */
  span(): TapeSpan | undefined { return this.known ??= this.findSpan() }

  async prepare(): Promise<boolean> {
    while (!this.isClosed) {
      if (!this.goOnIndexing()) return true
      await new Promise((resolve) => setImmediate(resolve))
    }
    return false
  }

  /** Bytes that a cursor from `tsNs` would skip: what seeking saves. */
  bytesBefore(tsNs: number): number {
    const position = this.positionAt(tsNs)
    return this.segments.slice(0, position.segment).reduce((sum, segment) => sum + segment.bytes, position.offset)
  }

  /** Everything, or everything from the last intact keyframe at or before `fromNs`, preceded by what a reader must know about the stream. */
  cursor(fromNs?: number): RecordingCursor {
    const position = fromNs === undefined ? BEGINNING : this.positionAt(fromNs)
    return new RecordingCursor(this.segments, position, position === BEGINNING ? [] : this.headBefore(position))
  }

  close(): void {
    this.isClosed = true
    for (const segment of this.segments) closeSync(segment.fd)
  }

  private findSpan(): TapeSpan | undefined {
    // The head of a rotated segment carries the time of the stream's beginning: only keyframes say when the segment began.
    const firstKeyframe = (): IndexEntry | undefined => this.indexes.flatMap((entries) => entries.filter(isKeyframe))[0]
    while (firstKeyframe() === undefined && this.goOnIndexing()) continue
    const startNs = firstKeyframe()?.tsNs ?? this.hello?.tsNs, ends = this.segments.flatMap((segment) => newestNs(segment) ?? [])
    return startNs === undefined || ends.length === 0 ? undefined : { startNs, endNs: Math.max(startNs, ...ends) }
  }

  /** One piece of it; false when there is no more. */
  private goOnIndexing(): boolean { return this.indexing.next().done !== true }

  /** Does in one piece what `prepare` has not done yet. */
  private index(): readonly (readonly IndexEntry[])[] {
    while (this.goOnIndexing()) continue
    return this.indexes
  }

  private positionAt(tsNs: number): Position {
    const index = this.index()
    for (let segment = index.length - 1; segment >= 0; segment -= 1) {
      const file = this.segments[segment], entries = index[segment] ?? []
      const entry = entries.findLast((candidate) => isKeyframe(candidate) && candidate.tsNs <= tsNs && file !== undefined && isEntryIntact(file, candidate))
      if (entry !== undefined) return segment === 0 && entry.offset === 0 ? BEGINNING : { segment, offset: entry.offset }
    }
    return BEGINNING
  }

  /** The stream's head as of the position: hello, schema, rungs and names said before it, without the state that has changed since. */
  private headBefore(position: Position): Buffer[] {
    const head = new StreamHead(), decoder = new Decoder()
    const isBefore = (segment: number, entry: IndexEntry): boolean => segment < position.segment || (segment === position.segment && entry.offset < position.offset)
    this.index().forEach((entries, segment) => {
      const file = this.segments[segment]
      for (const entry of entries) {
        if (file === undefined || !isBefore(segment, entry) || (entry.flags & (FLAG.hello | FLAG.names)) === 0) continue
        for (const frame of new FrameReader().push(readEntry(file, entry))) for (const event of decoder.decode(frame)) head.note(event)
      }
    })
    return encodeFrames(head.events(), FLAG.hello | FLAG.names)
  }
}

/** Yields now and then. */
function* indexSegments(segments: readonly OpenSegment[], indexes: readonly IndexEntry[][]): Generator<undefined, void, void> {
  for (const [i, segment] of segments.entries()) {
    yield* indexSegment(segment, indexes[i] ?? [])
    yield
  }
}

/** Looks for a hello row in the first megabytes only: a stream begins with it. */
function firstHello(segments: readonly OpenSegment[]): EventOf<'hello'> | undefined {
  const cursor = new RecordingCursor(segments, BEGINNING), decoder = new Decoder()
  for (let read = 0; read < HELLO_READS; read += 1) {
    const frames = cursor.next()
    if (frames === undefined) return undefined
    for (const frame of frames) {
      if ((frame.flags & FLAG.hello) === 0) continue
      for (const event of decoder.decode(frame)) if (event.kind === 'hello') return event
    }
  }
  return undefined
}

/** One pass over the segments. */
export class RecordingCursor implements TapeCursor {
  readonly isOverrun = false
  private readonly segments: readonly OpenSegment[]
  private readonly head: readonly Uint8Array[]
  private readonly finished: Damage = { corruptFrames: 0, corruptBytes: 0 }
  private reader = new FrameReader()
  private segment: number
  private offset: number
  private isStarted = false

  constructor(segments: readonly OpenSegment[], position: Position, head: readonly Uint8Array[] = []) {
    this.segments = segments
    this.segment = position.segment
    this.offset = position.offset
    this.head = head
  }

  /** Damage met so far by this pass. */
  get damage(): Damage {
    const { corruptFrames, corruptBytes } = this.reader.damage
    return { corruptFrames: this.finished.corruptFrames + corruptFrames, corruptBytes: this.finished.corruptBytes + corruptBytes }
  }

  /** The next frames in file order, at most a read's worth (possibly none); `undefined` at the end. */
  next(): Frame[] | undefined {
    if (!this.isStarted) {
      this.isStarted = true
      if (this.head.length > 0) return this.head.flatMap((bytes) => new FrameReader().push(bytes))
    }
    const file = this.segments[this.segment]
    if (file === undefined) return undefined
    // A new buffer for every read: frames point into it for as long as somebody holds them.
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(READ_BYTES, file.bytes - this.offset)))
    const length = buffer.length === 0 ? 0 : readSync(file.fd, buffer, 0, buffer.length, this.offset)
    this.offset += length
    return length === 0 ? this.nextSegment() : this.reader.push(buffer.subarray(0, length))
  }

  private nextSegment(): Frame[] {
    const rest = this.reader.end()
    this.finished.corruptFrames += this.reader.damage.corruptFrames
    this.finished.corruptBytes += this.reader.damage.corruptBytes
    this.reader = new FrameReader(this.reader.endsInDamage)
    this.segment += 1
    this.offset = 0
    return rest
  }
}
