/**
 * Writes a recording: the bridge's frames exactly as they came, each batch in one write, so that what was received is in
 * the page cache even if this process is the next to be killed.
 *
 * Rotation: FILE is renamed to FILE.1 (FILE.1 to FILE.2, …) when it holds an eighth of `maxBytes` or `keepNs`, at the next
 * keyframe; the new FILE begins with the stream's head (see stream-head.ts), so every segment can be read alone. The
 * oldest segments are removed so that all together never exceed `maxBytes`, and none is wholly older than `keepNs`.
 */
import { closeSync, lstatSync, openSync, renameSync, unlinkSync, writevSync } from 'node:fs'
import { environmentError, errnoOf, reasonOf, SourceError, usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import type { Event } from '../event/event.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG } from '../wire/frame.ts'
import type { Frame } from '../wire/frame.ts'
import { isRecording, numberedFiles, segmentPath } from './segments.ts'
import { StreamHead } from './stream-head.ts'

/** Segments a full recording consists of: the share of it that is lost at once when the oldest goes. */
const SEGMENTS = 8
/** Less cannot hold a head, a keyframe and what happened between two. */
export const MIN_MAX_BYTES = 1024 * 1024
/** Where a person says nothing: a day, and what any disk has. */
export const DEFAULT_MAX_BYTES = 256 * 1024 * 1024, DEFAULT_KEEP_NS = 86_400e9

export type WriterOptions = {
  readonly path: string
  /** Overwrite an existing recording (and its older segments). */
  readonly force?: boolean
  readonly maxBytes?: number
  readonly keepNs?: number
  /** Dead workloads whose names every new segment repeats. */
  readonly tombstones?: number | undefined
}

type Segment = { bytes: number; newestNs: number }
export type WriteItem = { readonly frame: Pick<Frame, 'flags' | 'tsNs' | 'bytes'>; readonly events: readonly Event[] }

/** Creates FILE; refuses with a UserError what is there already unless it is a recording and `force` is set. */
export function createRecording(options: WriterOptions): RecordingWriter {
  makeRoom(options)
  try {
    return new RecordingWriter(options)
  } catch (error) {
    throw createError(options.path, error)
  }
}

export class RecordingWriter {
  readonly path: string
  private readonly maxBytes: number
  private readonly keepNs: number
  private readonly head: StreamHead
  private fd: number | undefined
  private current: Segment = { bytes: 0, newestNs: 0 }
  private startNs: number | undefined
  /** FILE.1, FILE.2, … */
  private readonly older: Segment[] = []

  constructor(options: WriterOptions) {
    this.path = options.path
    this.head = new StreamHead(options.tombstones)
    this.maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY
    this.keepNs = options.keepNs ?? Number.POSITIVE_INFINITY
    this.fd = this.create()
  }

  /** Bytes in all segments. */
  get totalBytes(): number { return this.older.reduce((sum, segment) => sum + segment.bytes, this.current.bytes) }
  get segmentCount(): number { return this.older.length + 1 }

  /** Appends frames; the events are their rows. Throws a SourceError when the disk does not take them; what was written stays readable. */
  write(items: readonly WriteItem[]): void {
    let pending: Uint8Array[] = [], bytes = 0
    const flush = (): void => { this.append(pending, bytes); pending = []; bytes = 0 }
    for (const { frame, events } of items) {
      if (this.isDue(frame, bytes)) {
        flush()
        this.rotate()
      }
      this.startNs ??= frame.tsNs
      this.current.newestNs = Math.max(this.current.newestNs, frame.tsNs)
      for (const event of events) this.head.note(event)
      pending.push(frame.bytes)
      bytes += frame.bytes.length
    }
    flush()
  }

  /** A recording into which nothing was written is removed: it would only be in the way of the next one. */
  close(): void {
    if (this.fd === undefined) return
    this.closeFile()
    if (this.totalBytes === 0) unlinkSync(this.path)
  }

  private closeFile(): void {
    if (this.fd !== undefined) closeSync(this.fd)
    this.fd = undefined
  }

  private isDue(frame: WriteItem['frame'], pendingBytes: number): boolean {
    if (this.startNs === undefined) return false
    const bytes = this.current.bytes + pendingBytes
    // Half of everything without a keyframe to cut at: a cut that begins in the middle is better than more than was allowed.
    if (bytes + frame.bytes.length > this.maxBytes / 2) return true
    return (frame.flags & FLAG.keyframe) !== 0 && (bytes >= this.maxBytes / SEGMENTS || frame.tsNs - this.startNs >= this.keepNs / SEGMENTS)
  }

  private rotate(): void {
    try {
      this.closeFile()
      for (let age = this.older.length; age >= 0; age -= 1) renameSync(segmentPath(this.path, age), segmentPath(this.path, age + 1))
      this.older.unshift(this.current)
      this.fd = this.create()
    } catch (error) {
      throw this.failure(error)
    }
    const nowNs = this.current.newestNs
    this.current = { bytes: 0, newestNs: nowNs }
    this.startNs = undefined
    while ((this.older.at(-1)?.newestNs ?? nowNs) < nowNs - this.keepNs) this.removeOldest()
    const head = encodeFrames(this.head.events(this.maxBytes / SEGMENTS / 2), FLAG.hello | FLAG.names)
    this.append(head, head.reduce((sum, frame) => sum + frame.length, 0))
  }

  private append(buffers: Uint8Array[], bytes: number): void {
    if (bytes === 0) return
    if (this.fd === undefined) throw new Error('write to a closed recording')
    while (this.older.length > 0 && this.totalBytes + bytes > this.maxBytes) this.removeOldest()
    try {
      let rest = buffers, left = bytes
      while (left > 0) {
        const written = writevSync(this.fd, rest)
        this.current.bytes += written
        left -= written
        // A nearly full disk takes a part; the next call says why it takes no more.
        if (left > 0) rest = [Buffer.concat(rest).subarray(written)]
      }
    } catch (error) {
      throw this.failure(error)
    }
  }

  private removeOldest(): void {
    try {
      unlinkSync(segmentPath(this.path, this.older.length))
    } catch (error) {
      // Somebody else has removed it: that was the aim.
      if (errnoOf(error) !== 'ENOENT') throw this.failure(error)
    }
    this.older.pop()
  }

  private create(): number {
    // wx: never through a symlink or over a file that appeared since makeRoom() looked. 0600: names of workloads are nobody else's business.
    return openSync(this.path, 'wx', 0o600)
  }

  private failure(error: unknown): SourceError {
    return new SourceError({
      code: 'recording-write', message: `cannot write ${printable(this.path)}: ${reasonOf(error)}`, cause: error,
      hint: errnoOf(error) === 'ENOSPC' ? 'free some space or pass a smaller --max-size; what was written can be read' : 'what was written until then can be read',
    })
  }
}

/** Refuses or removes what is in the way of a new recording. Only files that begin as a recording are ever removed. */
function makeRoom({ path, force = false }: WriterOptions): void {
  const exists = existsAs(path), numbered = numberedFiles(path)
  const foreign = exists === 'other' || (exists === 'file' && force && !isEmptyOrRecording(path)) ? path : numbered.filter((file) => !file.isRecording).map((file) => segmentPath(path, file.age))[0]
  if (foreign !== undefined) {
    throw usageError('file-foreign', `cannot record to ${printable(path)}: ${foreign === path ? 'it' : printable(foreign)} exists and is not a recording`, 'choose another FILE; oomscope never overwrites what it has not written')
  }
  const oldest = numbered[0]
  if (exists === 'nothing' && oldest === undefined) return
  if (!force) {
    const there = exists === 'nothing' && oldest !== undefined ? `an older segment, ${printable(segmentPath(path, oldest.age))}, exists` : 'it exists'
    throw usageError('file-exists', `cannot record to ${printable(path)}: ${there}`, 'choose another FILE, or pass --force to overwrite it and its older segments')
  }
  try {
    if (exists === 'file') unlinkSync(path)
    for (const { age } of numbered) unlinkSync(segmentPath(path, age))
  } catch (error) {
    throw createError(path, error)
  }
}

function createError(path: string, error: unknown): Error {
  const message = `cannot record to ${printable(path)}: ${reasonOf(error)}`, code = errnoOf(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return usageError('file-directory-missing', message, 'create the directory first, or choose another FILE')
  return environmentError({ code: 'file-unwritable', message, hint: 'choose a FILE in a directory you may write to', cause: error })
}

function existsAs(path: string): 'nothing' | 'file' | 'other' {
  try {
    return lstatSync(path).isFile() ? 'file' : 'other'
  } catch {
    // Missing, or not to be seen: creating it finds out and says why.
    return 'nothing'
  }
}

const isEmptyOrRecording = (path: string): boolean => lstatSync(path).size === 0 || isRecording(path)
