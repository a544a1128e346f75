/** Which row is selected when the rows have changed: that of the followed workload's heir, of the kill or of the spike whose moment it is. */
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

function stillFollowing(ui: Ui, scene: Scene, model: NodeModel): Ui {
  const heir = ui.followed === undefined ? undefined : heirOf(ui.followed, scene.rows, bornIn(model))
  if (heir === undefined || heir === ui.followed) return ui
  return { ...ui, selected: heir.key, followed: heir, message: `${heir.name} has come in its place` }
}

/** At the moment of a kill the row of its victim is the one to look at. */
function atKill(ui: Ui, scene: Scene): Ui {
  const kill = ui.atKill === undefined ? undefined : scene.kills.find((candidate) => candidate.id === ui.atKill), ids = kill?.killCase.victims.map(({ memcgId }) => memcgId)
  const row = ids === undefined ? undefined : scene.rows.find(({ memcgIds }) => ids.some((id) => id !== undefined && memcgIds.includes(id)))
  return row === undefined ? ui : { ...ui, selected: row.key }
}

/** At the moment of a spike the row of its workload is the one to look at. */
function atMemcg(ui: Ui, scene: Scene): Ui {
  const { seekMemcgId } = ui
  if (seekMemcgId === undefined) return ui
  const row = scene.rows.find(({ memcgIds }) => memcgIds.includes(seekMemcgId))
  return { ...ui, seekMemcgId: undefined, ...(row === undefined ? {} : { selected: row.key }) }
}

/** To be asked whenever the rows have changed. */
export const selectedIn = (ui: Ui, scene: Scene, model: NodeModel): Ui => atMemcg(atKill(stillFollowing(ui, scene, model), scene), scene)
