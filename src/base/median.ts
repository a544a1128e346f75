/** The middle of numbers, found without sorting them all (Hoare's FIND): a screen asks for thousands of middles a second. */

/** Puts at `at` what would stand there if the first `count` were sorted, nothing larger before it, nothing smaller behind. */
function settle(values: Float64Array, at: number, count: number): number {
  let low = 0, high = count - 1
  while (low < high) {
    const pivot = values[at] ?? 0
    let left = low, right = high
    while (left <= right) {
      while ((values[left] ?? pivot) < pivot) left++
      while ((values[right] ?? pivot) > pivot) right--
      if (left > right) break
      const moved = values[left] ?? 0
      values[left++] = values[right] ?? 0
      values[right--] = moved
    }
    if (right < at) low = left
    if (at < left) high = right
  }
  return values[at] ?? Number.NaN
}

/** Median of the first `count` values, which change places; NaN of none. */
export function medianOf(values: Float64Array, count = values.length): number {
  const middle = count >> 1, upper = settle(values, middle, count)
  if (count === 0 || count % 2 === 1) return count === 0 ? Number.NaN : upper
  let lower = -Infinity
  for (let i = 0; i < middle; i++) lower = Math.max(lower, values[i] ?? lower)
  return (lower + upper) / 2
}
