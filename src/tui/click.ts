/** What the mouse does: a click is worth the keys that lead to the same. */
import type { Hit } from './hits.ts'
import { hitAt } from './hits.ts'
import type { MouseEvent } from './mouse.ts'
import { press } from './press.ts'
import type { Context, Pressed } from './press.ts'
import { jump } from './press-time.ts'
import { togglePane } from './stage.ts'
import { selectedIndex } from './ui.ts'
import type { Ui } from './ui.ts'

/** Lines that one notch of the wheel moves. */
const NOTCH = 3

/** A first click selects, a second one opens. */
function onRow(ui: Ui, key: string, context: Context): Pressed {
  const index = context.rowKeys.indexOf(key)
  if (index < 0) return { ui }
  if (context.rowKeys[selectedIndex(ui, context.rowKeys)] === key && ui.selected !== undefined) return press(ui, 'enter', context)
  return { ui: { ...ui, index, selected: key, atKill: undefined, followed: undefined } }
}

function onTime(ui: Ui, hit: Hit & { readonly target: { readonly what: 'time' } }, { x, context }: { readonly x: number; readonly context: Context }): Pressed {
  const { startNs, endNs } = hit.target
  if (context.replay?.canSeek !== true) return { ui }
  const jumped = jump(ui, startNs + ((x - hit.x + 0.5) / hit.width) * (endNs - startNs))
  // From a list the moment is what is looked at.
  return ui.page === 'kills' || ui.page === 'spikes' ? { ...jumped, ui: { ...jumped.ui, page: 'overview', back: [] } } : jumped
}

function onTarget(ui: Ui, hit: Hit, { x, context }: { readonly x: number; readonly context: Context }): Pressed {
  const { target } = hit
  switch (target.what) {
    case 'row': return onRow(ui, target.key, context)
    case 'kill': return ui.kill === target.key ? press(ui, 'enter', context) : { ui: { ...ui, kill: target.key } }
    case 'item': return ui.picked === target.key ? press(ui, 'enter', context) : { ui: { ...ui, picked: target.key } }
    case 'column': return { ui: { ...ui, sort: ui.sort.key === target.key ? { ...ui.sort, inverted: !ui.sort.inverted } : { key: target.key, inverted: false } } }
    case 'time': return onTime(ui, { ...hit, target }, { x, context })
    case 'menu': return ui.menu !== undefined ? press({ ...ui, menu: target.index }, 'enter', context) : press({ ...ui, chooser: target.index }, 'space', context)
    case 'inside': return { ui }
    case 'key': return press(ui, target.key, context)
    case 'pane': return { ui: togglePane(ui) }
  }
}

/** A click beside an open menu closes it, one beside a line being typed accepts it. */
export function point(before: Ui, event: MouseEvent, { hits, context }: { readonly hits: readonly Hit[]; readonly context: Context }): Pressed {
  if (event.does !== 'click') return press(before, event.does, { ...context, lines: NOTCH })
  const hit = hitAt(hits, event.x, event.y), ui = before.message === undefined ? before : { ...before, message: undefined }
  if (ui.prompt !== undefined) return press(ui, ui.prompt.for === 'filter' ? 'enter' : 'escape', context)
  const isMenu = hit?.target.what === 'menu' || hit?.target.what === 'inside'
  if ((ui.menu !== undefined || ui.chooser !== undefined) && !isMenu) return press(ui, 'escape', context)
  return hit === undefined ? { ui } : onTarget(ui, hit, { x: event.x, context })
}
