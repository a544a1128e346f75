/** What can be wound: the frames of a stream from its beginning or from a time, be they in files or in memory. */
import type { EventOf } from '../event/event.ts'
import type { Damage, Frame } from '../wire/frame.ts'

/** First and last time, CLOCK_MONOTONIC. */
export type TapeSpan = { readonly startNs: number; readonly endNs: number }

export type Tape = {
  /** The first hello row; absent when that part is damaged. */
  readonly hello: EventOf<'hello'> | undefined
  /** `undefined` when there is no whole frame. */
  span(): TapeSpan | undefined
  /** Finds what jumps need, in pieces with a turn of the event loop between them; false when the tape was closed meanwhile. Whoever jumps without it waits in one piece. */
  prepare(): Promise<boolean>
  /** Bytes that a cursor from `tsNs` would skip: what seeking saves. */
  bytesBefore(tsNs: number): number
  /** Everything, or everything from the last keyframe at or before `fromNs`, preceded by what a reader must know about the stream. */
  cursor(fromNs?: number): TapeCursor
  close(): void
}

/** One pass over a tape. */
export type TapeCursor = {
  /** Damage met so far by this pass. */
  readonly damage: Damage
  /** What was to be read next is no longer kept: only a new cursor leads on. */
  readonly isOverrun: boolean
  /** The next frames in order (possibly none); `undefined` at the end. A tape that still grows may have more later. */
  next(): Frame[] | undefined
}
