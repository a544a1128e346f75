/** How long a value was how large: seconds in logarithmic buckets of 1 %, for percentiles that weigh by time and not by samples. */

const STEP = Math.log(1.01)

export type Sketch = { readonly seconds: Map<number, number>; total: number }

export const createSketch = (): Sketch => ({ seconds: new Map(), total: 0 })

/** Below one byte there is nothing to tell apart. */
const bucketOf = (bytes: number): number => (bytes < 1 ? 0 : Math.ceil(Math.log(bytes) / STEP - 1e-9))
const upperOf = (bucket: number): number => (bucket === 0 ? 0 : Math.exp(bucket * STEP))

export function addSeconds(sketch: Sketch, bytes: number, seconds: number): void {
  if (seconds <= 0) return
  const bucket = bucketOf(bytes)
  sketch.seconds.set(bucket, (sketch.seconds.get(bucket) ?? 0) + seconds)
  sketch.total += seconds
}

export function mergeSketch(into: Sketch, other: Sketch): void {
  for (const [bucket, seconds] of other.seconds) into.seconds.set(bucket, (into.seconds.get(bucket) ?? 0) + seconds)
  into.total += other.total
}

/** The value that was not passed in this share (0..1) of the seconds, at most 1 % too high; nothing without a second. */
export function quantile(sketch: Sketch, share: number): number | undefined {
  if (sketch.total === 0) return undefined
  const buckets = [...sketch.seconds.keys()].sort((a, b) => a - b), wanted = share * sketch.total
  let sum = 0
  for (const bucket of buckets) {
    sum += sketch.seconds.get(bucket) ?? 0
    // Sums of halves and thirds of seconds are not exact.
    if (sum >= wanted - 1e-6) return Math.ceil(upperOf(bucket))
  }
  return Math.ceil(upperOf(buckets.at(-1) ?? 0))
}
