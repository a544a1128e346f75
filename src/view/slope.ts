/** How steadily something grows: the median of the slopes between all pairs of seconds (Theil-Sen), which a spike among them does not move. Allocates nothing but its answer. */
import { medianOf } from '../base/median.ts'

/** Seconds looked at, at most, and known ones needed. */
export const SLOPE_SECONDS = 30
const LEAST_SECONDS = 10

export type Slope = { readonly perSecond: number; /** Share of pairs that grow. */ readonly agreement: number; /** Median distance from the line, as a share of the growth over all. */ readonly scatter: number }

/** The known points, and what is computed from them: filled anew for each series. */
const XS = new Float64Array(SLOPE_SECONDS), YS = new Float64Array(SLOPE_SECONDS), RESTS = new Float64Array(SLOPE_SECONDS), SLOPES = new Float64Array((SLOPE_SECONDS * (SLOPE_SECONDS - 1)) / 2)

function fillPoints(values: ArrayLike<number>): number {
  let points = 0
  for (let x = 0; x < Math.min(SLOPE_SECONDS, values.length); x++) {
    const y = values[x] ?? Number.NaN
    if (!Number.isNaN(y)) { XS[points] = x; YS[points++] = y }
  }
  return points
}

/** Median distance of the points from the line of this slope through their middle. */
function distanceFrom(perSecond: number, points: number): number {
  for (let i = 0; i < points; i++) RESTS[i] = (YS[i] ?? 0) - perSecond * (XS[i] ?? 0)
  const middle = medianOf(RESTS, points)
  for (let i = 0; i < points; i++) RESTS[i] = Math.abs((RESTS[i] ?? 0) - middle)
  return medianOf(RESTS, points)
}

/** Of one value a second, NaN where none is known. */
export function robustSlope(values: ArrayLike<number>): Slope | undefined {
  const points = fillPoints(values)
  if (points < LEAST_SECONDS) return undefined
  let pairs = 0, growing = 0
  for (let i = 0; i < points; i++) for (let j = i + 1; j < points; j++) {
    const slope = ((YS[j] ?? 0) - (YS[i] ?? 0)) / ((XS[j] ?? 0) - (XS[i] ?? 0))
    SLOPES[pairs++] = slope
    if (slope > 0) growing++
  }
  const perSecond = medianOf(SLOPES, pairs), growth = Math.abs(perSecond) * ((XS[points - 1] ?? 0) - (XS[0] ?? 0))
  return { perSecond, agreement: growing / pairs, scatter: growth === 0 ? Infinity : distanceFrom(perSecond, points) / growth }
}
