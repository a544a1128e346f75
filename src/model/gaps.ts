/** Times of which the stream tells nothing: damage that was met, and silence where a row comes every second. */

/** The bridge writes rows of the node each second, whatever happens in its memcgs. */
const SILENCE_NS = 3e9
const MAX_GAPS = 1000

export type Gap = { readonly fromNs: number; readonly toNs: number; readonly why: 'damage' | 'silence' }
export type Gaps = {
  /** Oldest first, bounded. */
  readonly list: Gap[]
  /** All of them together. */
  lostNs: number
  count: number
  /** Damaged places among them. */
  damages: number
  /** End of the newest. */
  newestNs: number
}

export const createGaps = (): Gaps => ({ list: [], lostNs: 0, count: 0, damages: 0, newestNs: -1 })

export function noteGap(gaps: Gaps, gap: Gap): void {
  const last = gaps.list.at(-1)
  if (gap.why === 'damage') gaps.damages += 1
  // Damage is noted first; the silence it left is the same gap.
  if (last !== undefined && gap.fromNs <= last.fromNs && gap.toNs <= last.toNs) return
  gaps.count += 1
  gaps.lostNs += Math.max(0, gap.toNs - gap.fromNs)
  gaps.newestNs = Math.max(gaps.newestNs, gap.toNs)
  gaps.list.push(gap)
  if (gaps.list.length > MAX_GAPS) gaps.list.shift()
}

/** Called with the times of two rows that follow one another. */
export function noteSilence(gaps: Gaps, fromNs: number, toNs: number): void {
  if (toNs - fromNs > SILENCE_NS) noteGap(gaps, { fromNs, toNs, why: 'silence' })
}
