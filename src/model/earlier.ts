/** The samples before the newest one: a kill is often folded in after the first samples that no longer hold it, and near a limit there is one every 5 ms. */

/** Rows of a probe come this much later than samples at most, or the kill is told without them. */
export const EARLIER_NS = 2e9
/** Far more than a quick memcg has in the time a probe's rows take. */
export const MAX_EARLIER = 64
/** So many go at once: to shift a list at every row would cost more than all else here. */
const PART = 8

type Sample = { readonly tsNs: number }

/** `previous` is no longer the newest. Keeps at least those of the last two seconds before `nowNs`, and the one before these, up to MAX_EARLIER. */
export function keepEarlier<S extends Sample>(earlier: S[] | undefined, previous: S | undefined, nowNs: number): S[] | undefined {
  if (previous === undefined) return earlier
  if (earlier === undefined) return [previous]
  const standing = earlier[PART]
  if (earlier.length >= 2 * PART && standing !== undefined && (standing.tsNs < nowNs - EARLIER_NS || earlier.length >= MAX_EARLIER)) earlier.splice(0, PART)
  earlier.push(previous)
  return earlier
}

/** The newest sample that is not younger than `tsNs`. */
export function sampleAt<S extends Sample>(newest: S | undefined, earlier: readonly S[] | undefined, tsNs: number): S | undefined {
  if (newest !== undefined && newest.tsNs <= tsNs) return newest
  return earlier?.findLast((sample) => sample.tsNs <= tsNs)
}
