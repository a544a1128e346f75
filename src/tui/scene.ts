/** Everything a frame shows, taken from the model at one moment: a picture that a pause can hold while the model goes on. */
import type { NodeModel } from '../model/node.ts'
import { timeOf } from '../view/clock.ts'
import { detailOf } from '../view/detail.ts'
import type { DetailLine } from '../view/detail.ts'
import { killRows } from '../view/kills-list.ts'
import type { KillRow } from '../view/kills-list.ts'
import type { Lens } from '../view/lens.ts'
import { overviewRows } from '../view/overview.ts'
import type { OverviewRow } from '../view/overview.ts'
import { statusOf } from '../view/status-line.ts'
import type { Status } from '../view/status-line.ts'
import type { Timeline, TimelineColumns } from '../view/timeline.ts'

export type Scene = {
  readonly nowNs: number
  readonly time: string
  readonly rows: readonly OverviewRow[]
  readonly kills: readonly KillRow[]
  readonly status: Status
  readonly timeAt: (tsNs: number) => string
  readonly detailOf: (row: OverviewRow) => readonly DetailLine[]
  readonly caseLines: (kill: KillRow) => readonly string[]
  readonly timelineOf: (columns: number) => TimelineColumns
}

export function sceneOf(lens: Lens, model: NodeModel, timeline: Timeline): Scene {
  const rows = overviewRows(lens, model), { nowNs } = model
  return {
    nowNs, rows, time: timeOf(model, nowNs), kills: killRows(lens, model), status: statusOf(lens, model, rows),
    timeAt: (tsNs) => timeOf(model, tsNs), detailOf: (row) => detailOf(model, row),
    caseLines: (kill) => lens.caseLines(kill.killCase, model),
    timelineOf: (columns) => timeline.columns(model, { columns, nowNs }),
  }
}
