/**
 * A spike: a maximum of one memcg's usage that stands out from what was before and after it.
 *
 * Definition. Usage rose by at least `leastHeight()` above a base and fell again by at least `leastFall()` and by half of the rise: the base is
 * what was before. Or it fell by at least that height and settled (a second within it) above half: the base is what it settled at.
 * What stays up for more than a minute is a new level and no spike: any dashboard shows it. Spikes between the same two looks are one.
 * Usage is what the kernel charged (memory.current), so page cache counts, as it counts against the limit.
 */
import type { EventOf } from '../event/event.ts'
import type { Memcg, NodeModel } from './node.ts'
import { createSpikeWaits } from './spike-waits.ts'
import type { SpikeWaits } from './spike-waits.ts'

/** Longest spike. */
export const LONGEST_SPIKE_NS = 60e9
/** Newest spikes kept. */
export const MAX_SPIKES = 20_000

/** Smaller than this is allocator and page cache noise, and charges that CPUs hold in advance (MEMCG_CHARGE_BATCH). */
const LEAST_BYTES = 4 * 2 ** 20
/** And smaller than these shares of the limit, or of the base where that is more. */
const LEAST_OF_LIMIT = 1 / 20, LEAST_OF_BASE = 1 / 10

/** How much usage must rise over `base` to be told. */
export const leastHeight = (maxBytes: number | undefined, baseBytes: number): number =>
  Math.max(LEAST_BYTES, (maxBytes ?? 0) * LEAST_OF_LIMIT, baseBytes * LEAST_OF_BASE)

/** And how much it must fall again: less, because usage seldom comes back to the very page it rose from. */
export const leastFall = (maxBytes: number | undefined, baseBytes: number): number => 0.75 * leastHeight(maxBytes, baseBytes)

/**
 * What is known of the height. `exact-height`: memory.peak was reset at each look, so nothing of any length was missed (6.12+).
 * `high-water`: the mark since the memcg's birth (memory.peak 5.19+, v1 max_usage_in_bytes) rose to it: exact, but its time may be known to
 * two seconds only. `sampled`: usage was seen that high; it may have been higher between two looks.
 */
export type Exactness = 'exact-height' | 'high-water' | 'sampled'

/** What is kept of memory.stat: thousands of spikes would hold twice that many of its rows. */
export type Makeup = Pick<EventOf<'memcg_stat'>, 'tsNs' | 'anonBytes' | 'fileBytes' | 'shmemBytes' | 'kernelBytes'>

export type Spike = {
  readonly memcgId: number
  readonly path: string
  /** It began at or after this, CLOCK_MONOTONIC ns. */
  readonly startNs: number
  /** It was over at this. `endNs - startNs` is the most it can have lasted. */
  readonly endNs: number
  /** The least it lasted: from the first to the last look that saw it; 0 = between two looks. */
  readonly leastNs: number
  readonly baseBytes: number
  /** A high-water mark read that is read later may still raise it. */
  peakBytes: number
  exactness: Exactness
  /** Own limit, else that of the nearest limited memcg above. */
  readonly limit: { readonly bytes: number; readonly path: string } | undefined
  /** memory.stat before it and, where one was read, during it. */
  readonly statBefore: Makeup | undefined
  readonly statDuring: Makeup | undefined
  /** Time its tasks waited in reclaim or throttling meanwhile, to within the second in which the probes print. Absent: no probe tells. */
  stallNs: number | undefined
  /** The highest working set that a look each 15 s showed in that time, the one that stood at its beginning included (kubectl-top.ts). */
  readonly kubectlTopBytes: number | undefined
  /** One of these looks fell into it and showed at least half of its height. Absent: the working set is not known. */
  readonly isShownByTop: boolean | undefined
  readonly ended: 'fell' | 'settled' | 'died'
  /** Facts were lost while it went on: it may have been higher, or been several. */
  readonly isTouched: boolean
}

export type SpikeBook = {
  /** In the order they ended. */
  readonly spikes: Spike[]
  /** Older ones that are no longer kept. */
  omitted: number
  /** Of those that are just over. */
  readonly waits: SpikeWaits
}

export const createSpikeBook = (): SpikeBook => ({ spikes: [], omitted: 0, waits: createSpikeWaits() })

/** Half of them go at once: to shift a long list at each spike would cost more than all else here. */
export function keepSpike({ spikes: book }: NodeModel, spike: Spike): void {
  book.spikes.push(spike)
  if (book.spikes.length < 2 * MAX_SPIKES) return
  book.spikes.splice(0, MAX_SPIKES)
  book.omitted += MAX_SPIKES
}

/** The memcg's own limit, else the nearest one above. */
export function limitOver(model: NodeModel, memcg: Memcg): Spike['limit'] {
  const MAX_DEPTH = 64
  let at: Memcg | undefined = memcg
  for (let depth = 0; at !== undefined && depth < MAX_DEPTH; depth += 1, at = model.memcgs.get(at.parentId)) {
    if (at.limits?.maxBytes !== undefined && at.path !== '/') return { bytes: at.limits.maxBytes, path: at.path }
  }
  return undefined
}
