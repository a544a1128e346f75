/** When somebody said something: whoever is judged by what he saw is not blamed for the time in which he had no CPU. */

export type Moments = {
  /** The last of them at or before this time, the first at or after it. */
  readonly lastUntil: (ns: number) => number | undefined
  readonly firstFrom: (ns: number) => number | undefined
}

export function moments(times: readonly number[]): Moments {
  const sorted = Float64Array.from(times).sort()
  /** How many are earlier than this. */
  const earlier = (ns: number): number => {
    let low = 0, high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sorted[middle] ?? 0) < ns) low = middle + 1
      else high = middle
    }
    return low
  }
  return { firstFrom: (ns) => sorted[earlier(ns)], lastUntil: (ns) => { const at = earlier(ns); return sorted[at] === ns ? ns : sorted[at - 1] } }
}
