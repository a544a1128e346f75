/** Times of the node as a person reads them: UTC, through the newest clock anchor, never through this machine's clock. */
import { wallMsAt } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import { clockCell } from './compact.ts'

/** Unix milliseconds of a monotonic time; nothing before the first anchor. */
export const wallOf = (model: NodeModel, tsNs: number): number | undefined => (model.anchor === undefined ? undefined : wallMsAt(model.anchor, tsNs))

/** `14:03:27` UTC, or `+12.3s` since boot's monotonic zero when no clock is known. */
export function timeOf(model: NodeModel, tsNs: number): string {
  const wall = wallOf(model, tsNs)
  return wall === undefined ? `+${(tsNs / 1e9).toFixed(1)}s` : clockCell(wall)
}

/** `14:03:27.4`: where steps are tenths of a second. */
export function tenthsOf(model: NodeModel, tsNs: number): string {
  const wall = wallOf(model, tsNs), date = new Date(wall ?? Number.NaN)
  return Number.isNaN(date.getTime()) ? timeOf(model, tsNs) : date.toISOString().slice(11, 21)
}

/** `42s`, `6m05s`, `2h03m`: a distance in time, exact to the second. */
export function distance(seconds: number): string {
  const whole = Math.round(Math.abs(seconds)), two = (n: number): string => String(n).padStart(2, '0')
  if (whole < 60) return `${whole}s`
  return whole < 3600 ? `${Math.floor(whole / 60)}m${two(whole % 60)}s` : `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`
}
