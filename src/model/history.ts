/** The last two minutes of one memcg (or the node), one slot a second, in fixed typed arrays: what sparklines and rates are made of. */

/** Seconds kept. */
export const HISTORY_SECONDS = 120

/** Names of the series kept per slot. `peak` is the largest usage seen in the second; the others are amounts that accrued during it. */
export type History = {
  /** Second (floor of tsNs / 1e9) of the newest slot; -1 when empty. */
  newestSecond: number
  /** Largest currentBytes sampled in the second; NaN = no sample. */
  readonly usageBytes: Float64Array
  /** PSI some/full stall, microseconds accrued in the second. */
  readonly someUs: Float64Array
  readonly fullUs: Float64Array
  /** Reclaim and throttling wait of its tasks, nanoseconds accrued in the second. */
  readonly stallNs: Float64Array
  /** memory.events high/max accrued in the second. */
  readonly highEvents: Float64Array
  readonly maxEvents: Float64Array
}
