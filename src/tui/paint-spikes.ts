/** Paints the page of spikes: how many and how many kubectl top would have shown, each as a row, the selected one in sentences, all of them on the timeline. */
import { wrap } from '../view/cell-text.ts'
import type { SpikeRow } from '../view/spikes-list.ts'
import { SPIKE_COLUMNS } from '../view/spikes-list.ts'
import { isWinding } from './help.ts'
import { STYLE } from './grid.ts'
import type { Body, Result, Show } from './paint.ts'
import { paintKeys, paintSentences, paintTimeline } from './paint-panes.ts'
import { paintTable } from './paint-table.ts'
import { cursorOf } from './scene.ts'
import { tabKeys } from './tabs.ts'
import { scrolled } from './ui.ts'
import type { Ui } from './ui.ts'

const DETAIL = 8

export function paintSpikes(body: Body, ui: Ui, show: Show): Result {
  const { grid } = body, { scene } = show, { rows, headline } = scene.spikes(), timeline = grid.rows >= 16 ? 3 : 0, said = wrap(headline, grid.cols - 2)
  paintKeys(grid, [...(show.can.seek && rows.length > 0 ? [['enter', 'to its moment'] as const] : []), ...tabKeys(ui.page), ['space', isWinding(show.can) ? 'play' : 'pause'], ['?', 'help'], ['q', 'quit']])
  said.forEach((text, i) => { grid.text({ x: 1, y: body.y + i }, text, STYLE.bold) })
  const index = Math.max(0, rows.findIndex(({ id }) => id === ui.picked)), row = rows[index], y = body.y + said.length
  const detail = row === undefined ? 0 : Math.min(DETAIL, Math.max(4, Math.floor(grid.rows / 4))), height = body.height - said.length - timeline - detail
  const top = scrolled(ui.pickedTop, index, { height: height - 1, count: rows.length })
  if (row !== undefined) {
    paintTable<SpikeRow>(grid, { y, height, from: 1 }, { rows, columns: SPIKE_COLUMNS, index, top, targetOf: ({ id }) => ({ what: 'item', key: id }) })
    const at = { x: 0, y: y + height, width: grid.cols, height: detail }
    grid.box(at, `${row.time} UTC`)
    paintSentences(grid, { x: 2, y: at.y + 1, width: at.width - 3, height: detail - 2 }, scene.spikeSentences(row))
  }
  if (timeline > 0) paintTimeline(grid, body.y + body.height - timeline, scene.timelineOf(grid.cols), { timeAt: scene.timeAt, cursorNs: cursorOf(scene), spikes: rows, selectedSpikeNs: row?.tsNs })
  return { ui: { ...ui, pickedTop: top, picked: ui.picked === undefined ? undefined : row?.id }, pageLines: Math.max(1, height - 1), listKeys: rows.map(({ id }) => id) }
}
