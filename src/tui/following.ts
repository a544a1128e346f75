/** Keeps the selection on the workload that the person follows, also when its successor has another name. */
import type { NodeModel } from '../model/node.ts'
import { heirOf } from '../view/follow.ts'
import type { OverviewRow } from '../view/overview.ts'
import type { Scene } from './scene.ts'
import { selectedIndex } from './ui.ts'
import type { Ui } from './ui.ts'

const bornIn = (model: NodeModel) => (row: OverviewRow): number => model.memcgs.get(row.selfId)?.bornNs ?? 0

/** Follows the selected workload; the second time, nobody any more. A branch of the tree is a place, not a workload. */
export function toggleFollowing(ui: Ui, scene: Scene, model: NodeModel): Ui {
  if (ui.followed !== undefined) return { ...ui, followed: undefined, message: `no longer following ${ui.followed.name}` }
  const row = scene.rows.find(({ key }) => key === ui.selected) ?? (ui.selected === undefined && !ui.tree ? scene.rows[selectedIndex(ui, scene.rows.map(({ key }) => key))] : undefined)
  return row === undefined ? { ...ui, message: 'only a workload of the list can be followed' } : { ...ui, selected: row.key, followed: { key: row.key, name: row.name, bornNs: bornIn(model)(row) } }
}

/** To be asked whenever the rows have changed. */
export function stillFollowing(ui: Ui, scene: Scene, model: NodeModel): Ui {
  const heir = ui.followed === undefined ? undefined : heirOf(ui.followed, scene.rows, bornIn(model))
  if (heir === undefined || heir === ui.followed) return ui
  return { ...ui, selected: heir.key, followed: heir, message: `${heir.name} has come in its place` }
}
