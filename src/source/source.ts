/** Where frames come from. Live and replay look the same to whoever reads: batches of frames with their events, and counters of what could not be read. */
import type { Event } from '../event/event.ts'
import type { Frame } from '../wire/frame.ts'

/** A frame as it came, and what its rows say. */
export type Item = { readonly frame: Frame; readonly events: readonly Event[] }

export type Batch = {
  readonly items: readonly Item[]
  /** Replay went to another time: what was folded so far is void, these items are the beginning of a new fold. */
  readonly isRestart: boolean
  /**
   * A jump that would take long is folded twice: `short` begins shortly before the wanted time and is there at once; `beside` has its
   * whole run-up, is made beside the short one, and takes its place with the first batch that has no word here.
   */
  readonly fold?: 'short' | 'beside' | undefined
}

/** Bytes and rows that were not understood, cumulative. */
export type SourceCounts = { readonly corruptFrames: number; readonly corruptBytes: number; readonly unknownKinds: number; readonly badRows: number }

export type Source = {
  readonly mode: 'live' | 'replay'
  /**
   * Everything, in stream order; may be read once. Nothing is read ahead: a slow reader slows the source, and a live bridge
   * counts what it has to drop. Ends after `close()` or at the end of a recording; throws a SourceError when the source dies.
   */
  batches(): AsyncGenerator<Batch, void, void>
  counts(): SourceCounts
  /** Asks the source to end and resolves when its processes and files are gone. Batches still under way are delivered. */
  close(): Promise<void>
}
