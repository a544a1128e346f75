/**
 * The newest part of a live stream, in memory: the bytes of its frames as they came, from keyframe to keyframe. Bounded; the
 * oldest stretch goes first. What a reader must know of the stretches that are gone (hello, schema, rungs, names) is kept.
 */
import type { Event, EventOf } from '../event/event.ts'
import { Decoder } from '../wire/decode.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG, FrameReader } from '../wire/frame.ts'
import type { Damage, Frame } from '../wire/frame.ts'
import { StreamHead } from './stream-head.ts'
import type { Tape, TapeCursor, TapeSpan } from './tape.ts'

/** A stretch is cut without a keyframe when it alone is this share of everything. */
const LARGEST_SHARE = 4
const FIRST_BYTES = 64 * 1024, READ_BYTES = 256 * 1024

export type TapeItem = { readonly frame: Pick<Frame, 'flags' | 'tsNs' | 'bytes'>; readonly events: readonly Event[] }

type Stretch = {
  readonly number: number
  readonly startNs: number
  /** Reading may start here. */
  readonly isKeyframe: boolean
  buffer: Buffer
  bytes: number
  newestNs: number
  /** Where frames lie whose rows no keyframe repeats. */
  readonly said: { readonly offset: number; readonly bytes: number }[]
}

export class MemoryTape implements Tape {
  readonly maxBytes: number
  hello: EventOf<'hello'> | undefined
  /** Stretches let go since the beginning. */
  forgotten = 0
  private stretches: Stretch[] = []
  /** What the stretches that are gone have said. */
  private readonly head = new StreamHead()
  private nextNumber = 0

  constructor(maxBytes: number) { this.maxBytes = maxBytes }

  /** Memory in use. */
  get heldBytes(): number { return this.stretches.reduce((sum, { buffer }) => sum + buffer.length, 0) }

  push(items: readonly TapeItem[]): void {
    for (const { frame, events } of items) {
      if ((frame.flags & FLAG.hello) !== 0) this.hello ??= events.find((event) => event.kind === 'hello')
      this.append(frame)
    }
    this.forget()
  }

  prepare(): Promise<true> { return Promise.resolve(true) }

  span(): TapeSpan | undefined {
    const first = this.stretches[0]
    return first === undefined ? undefined : { startNs: first.startNs, endNs: this.stretches.reduce((newest, { newestNs }) => Math.max(newest, newestNs), 0) }
  }

  bytesBefore(tsNs: number): number {
    const index = this.indexAt(tsNs)
    return this.stretches.slice(0, index).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  cursor(fromNs?: number): MemoryCursor {
    const index = fromNs === undefined ? 0 : this.indexAt(fromNs)
    return new MemoryCursor((number) => this.stretchAfter(number), (this.stretches[index]?.number ?? this.nextNumber) - 1, this.headBefore(index))
  }

  /** Memory goes with its last reader. */
  close(): void { return undefined }

  private append(frame: TapeItem['frame']): void {
    const isKeyframe = (frame.flags & FLAG.keyframe) !== 0, last = this.stretches.at(-1)
    const isFull = last !== undefined && last.bytes + frame.bytes.length > this.maxBytes / LARGEST_SHARE
    const stretch = last === undefined || isKeyframe || isFull ? this.begin(frame, isKeyframe) : last
    if ((frame.flags & (FLAG.hello | FLAG.names)) !== 0) stretch.said.push({ offset: stretch.bytes, bytes: frame.bytes.length })
    if (stretch.bytes + frame.bytes.length > stretch.buffer.length) stretch.buffer = resized(stretch, Math.max(2 * stretch.buffer.length, stretch.bytes + frame.bytes.length))
    stretch.buffer.set(frame.bytes, stretch.bytes)
    stretch.bytes += frame.bytes.length
    stretch.newestNs = Math.max(stretch.newestNs, frame.tsNs)
  }

  private begin({ tsNs }: TapeItem['frame'], isKeyframe: boolean): Stretch {
    const last = this.stretches.at(-1)
    if (last !== undefined) last.buffer = resized(last, last.bytes)
    const stretch: Stretch = { number: this.nextNumber++, startNs: tsNs, isKeyframe, buffer: Buffer.allocUnsafeSlow(Math.min(FIRST_BYTES, this.maxBytes)), bytes: 0, newestNs: tsNs, said: [] }
    this.stretches.push(stretch)
    return stretch
  }

  /** Lets the oldest go until everything fits and begins at a keyframe; the one being written stays. */
  private forget(): void {
    while (this.stretches.length > 1 && (this.heldBytes > this.maxBytes || (this.forgotten > 0 && this.stretches[0]?.isKeyframe === false))) {
      const gone = this.stretches.shift()
      if (gone !== undefined) noteSaid(this.head, gone)
      this.forgotten += 1
    }
  }

  private indexAt(tsNs: number): number {
    return Math.max(0, this.stretches.findLastIndex(({ isKeyframe, startNs }) => isKeyframe && startNs <= tsNs))
  }

  private stretchAfter(number: number): { readonly stretch: Stretch | undefined; readonly isOverrun: boolean } {
    const oldest = this.stretches[0]?.number ?? this.nextNumber
    return { stretch: this.stretches[number + 1 - oldest], isOverrun: number + 1 < oldest }
  }

  private headBefore(index: number): Buffer[] {
    const head = new StreamHead()
    for (const event of this.head.events()) head.note(event)
    for (const stretch of this.stretches.slice(0, index)) noteSaid(head, stretch)
    return encodeFrames(head.events(), FLAG.hello | FLAG.names)
  }
}

function resized({ buffer, bytes }: Stretch, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length)
  buffer.copy(copy, 0, 0, bytes)
  return copy
}

function noteSaid(head: StreamHead, { buffer, said }: Stretch): void {
  const decoder = new Decoder()
  for (const { offset, bytes } of said) for (const frame of new FrameReader().push(buffer.subarray(offset, offset + bytes))) for (const event of decoder.decode(frame)) head.note(event)
}

type StretchAfter = (number: number) => { readonly stretch: Stretch | undefined; readonly isOverrun: boolean }

/** Reads on from stretch to stretch while the tape grows behind it. */
export class MemoryCursor implements TapeCursor {
  readonly damage: Damage = { corruptFrames: 0, corruptBytes: 0 }
  private readonly after: StretchAfter
  private readonly reader = new FrameReader()
  private head: readonly Uint8Array[]
  private current: Stretch | undefined
  /** Of the stretch read last. */
  private number: number
  private offset = 0

  constructor(after: StretchAfter, number: number, head: readonly Uint8Array[]) {
    this.after = after
    this.number = number
    this.head = head
  }

  get isOverrun(): boolean { return this.after(this.number).isOverrun }

  next(): Frame[] | undefined {
    if (this.head.length > 0) {
      const frames = this.head.flatMap((bytes) => new FrameReader().push(bytes))
      this.head = []
      return frames
    }
    if (this.current === undefined || this.offset === this.current.bytes) {
      const { stretch, isOverrun } = this.after(this.number)
      if (stretch === undefined || isOverrun) return undefined
      this.current = stretch
      this.number = stretch.number
      this.offset = 0
    }
    const { buffer, bytes } = this.current, end = Math.min(bytes, this.offset + READ_BYTES), part = buffer.subarray(this.offset, end)
    this.offset = end
    return this.reader.push(part)
  }
}
