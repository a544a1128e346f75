/** The overview as plain text, for where there is no terminal: how the node is, what is urgent and doubtful, every workload, the newest kills. */
import { formatWall } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import { wrap } from '../view/cell-text.ts'
import { timeOf, wallOf } from '../view/clock.ts'
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import { KILL_COLUMNS } from '../view/kills-list.ts'
import type { KillRow } from '../view/kills-list.ts'
import type { Lens } from '../view/lens.ts'
import { listOf, selectRows, URGENCY } from '../view/select.ts'
import type { Story } from '../view/story.ts'
import { toAscii } from './ascii.ts'
import { Grid } from './grid.ts'
import { paintOverviewTable, paintTable } from './paint-table.ts'
import { sceneOf } from './scene.ts'
import type { Scene } from './scene.ts'

/** More are told by `oomscope kills`. */
const MOST_KILLS = 20

export type SnapshotOptions = { readonly lens: Lens; readonly model: NodeModel; readonly story: Story; readonly cols: number; readonly ascii: boolean }

/** Nothing is selected: a row that stands out would mean something. */
const NONE = { index: -1, top: 0 }

function workloads({ rows }: Scene, cols: number): Grid {
  const grid = new Grid(cols, rows.length + 1)
  paintOverviewTable(grid, { y: 0, height: grid.rows, from: 2 }, { ...NONE, rows: listOf(selectRows(rows, { filter: '', sort: URGENCY })), columns: OVERVIEW_COLUMNS, sort: URGENCY })
  return grid
}

function kills(rows: readonly KillRow[], cols: number): Grid {
  const grid = new Grid(cols, rows.length + 1)
  paintTable<KillRow>(grid, { y: 0, height: grid.rows, from: 2 }, { ...NONE, rows, columns: KILL_COLUMNS })
  return grid
}

function asLines(grid: Grid, ascii: boolean): string[] {
  if (ascii) toAscii(grid)
  return grid.lines()
}

/** Sentences wrapped, never cut: nobody can widen what is printed. */
function sentences({ status }: Scene, cols: number): string[] {
  const { alert, calm, doubts } = status, mark = alert === undefined ? '' : alert.severity === 2 ? '!! ' : '! '
  const said = [`${mark}${alert === undefined ? calm : `${alert.name} ${alert.says}`}`, ...(doubts.length === 0 ? [] : [`? not certain: ${doubts.join(' · ')}`])]
  return said.flatMap((text) => wrap(text, cols))
}

/** Lines without a control character: what names hold goes through the same cells as on the screen. */
export function snapshotLines({ lens, model, story, cols, ascii }: SnapshotOptions): string[] {
  const scene = sceneOf({ lens, model, story }), wall = wallOf(model, model.nowNs), newest = scene.kills.filter(({ tsNs }) => tsNs <= model.nowNs).slice(0, MOST_KILLS)
  const when = (wall === undefined ? undefined : formatWall(wall)) ?? timeOf(model, model.nowNs), head = new Grid(cols, 1)
  const prose = [...wrap(`oomscope  ${[...scene.status.parts.map(({ long }) => long), when].join(' · ')}`, cols), ...sentences(scene, cols)]
  return [
    ...prose.flatMap((text) => { head.fill({ x: 0, y: 0, width: cols }, 0, ' '); head.text({ x: 0, y: 0 }, text); return asLines(head, ascii) }), '',
    ...(scene.rows.length === 0 ? [] : asLines(workloads(scene, cols), ascii)), '',
    ...(newest.length === 0 ? ['No kill seen.'] : asLines(kills(newest, cols), ascii)),
  ]
}
