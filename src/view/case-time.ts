/** When a case happened: through the stream's clock anchor of then, or in the words of the kernel log it was read from. */
import { bootNsAt, formatWall, wallMsAt } from '../base/time.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

export type CaseTime = {
  readonly wallMs?: number | undefined
  /** CLOCK_BOOTTIME. */
  readonly bootNs?: number | undefined
  /** How the log writes it, where that is no date: without year or zone. */
  readonly stamp?: string | undefined
  /** Instead of the boot id at the beginning of the case's id. */
  readonly idPrefix?: string | undefined
}

export type CaseClock = (target: KillCase) => CaseTime

export const anchorClock = (model: NodeModel): CaseClock => ({ tsNs }) =>
  model.anchor === undefined ? {} : { wallMs: wallMsAt(model.anchor, tsNs), bootNs: bootNsAt(model.anchor, tsNs) }

/** RFC 3339; else the log's own words; else the time since boot. */
export function timeText({ wallMs, bootNs, stamp }: CaseTime, tsNs: number): string {
  const wall = wallMs === undefined ? undefined : formatWall(wallMs)
  if (wall !== undefined) return wall
  return stamp ?? (bootNs === undefined && tsNs < 1e9 ? 'time not in the log' : `${((bootNs ?? tsNs) / 1e9).toFixed(3)} s after boot`)
}
