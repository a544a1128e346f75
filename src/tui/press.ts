/** What each key does: a pure function from what is set and one key to what is set next, and perhaps a command. */
import { SORT_KEYS, URGENCY } from '../view/select.ts'
import { edit } from './line-editor.ts'
import { selectedIndex } from './ui.ts'
import type { Page, Ui } from './ui.ts'

/** What only the program around the screen can do. */
export type Command = { readonly do: 'quit' } | { readonly do: 'pause'; readonly paused: boolean } | { readonly do: 'speed'; readonly speed: number } | { readonly do: 'seek'; readonly tsNs: number }

/** What the keys act on: the lists as they are shown, and what the source can do. */
export type Context = {
  readonly rowKeys: readonly string[]
  /** Newest first. */
  readonly kills: readonly { readonly id: string; readonly tsNs: number }[]
  readonly pageLines: number
  /** Lines of the text page that is open. */
  readonly textLines: number
  /** blessed-contrib needs colour and braille. */
  readonly canCharts: boolean
  readonly replay?: { readonly speed: number; readonly canSpeed: boolean; readonly canSeek: boolean }
}

export type Pressed = { readonly ui: Ui; readonly command?: Command }

export const SPEEDS: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16, 30, 60]

const go = (ui: Ui, page: Page): Ui => ({ ...ui, page, back: [...ui.back, ui.page], scroll: 0 })

/** Lines a movement key moves; Infinity = to the end. */
function movement(key: string, page: number): number | undefined {
  switch (key) {
    case 'up': case 'k': case 'C-p': return -1
    case 'down': case 'j': case 'C-n': return 1
    case 'pageup': case 'C-b': return -page
    case 'pagedown': case 'C-f': return page
    case 'C-u': return -Math.ceil(page / 2)
    case 'C-d': return Math.ceil(page / 2)
    case 'g': case 'home': return -Infinity
    case 'G': case 'end': return Infinity
    default: return undefined
  }
}
const clamp = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value))

function move(ui: Ui, by: number, context: Context): Ui {
  if (ui.page === 'overview') {
    const index = clamp(selectedIndex(ui, context.rowKeys) + by, context.rowKeys.length)
    return { ...ui, index, selected: context.rowKeys[index] }
  }
  if (ui.page === 'kills') {
    const at = context.kills.findIndex((kill) => kill.id === ui.kill)
    return { ...ui, kill: context.kills[clamp(Math.max(0, at) + by, context.kills.length)]?.id }
  }
  return { ...ui, scroll: Math.max(0, Math.min(Math.max(0, context.textLines - context.pageLines), ui.scroll + by)) }
}

/** `[` to the kill before, `]` to the one after; from elsewhere the newest. Kills are listed newest first. */
function stepKill(ui: Ui, by: -1 | 1, context: Context): Ui {
  if (context.kills.length === 0) return ui
  const at = context.kills.findIndex((kill) => kill.id === ui.kill), inside = ui.page === 'case' || ui.page === 'kills'
  const kill = context.kills[!inside || at < 0 ? 0 : clamp(at - by, context.kills.length)]?.id
  return inside ? { ...ui, kill, scroll: 0 } : { ...go(ui, 'case'), kill }
}

function escape(ui: Ui): Ui {
  const page = ui.back.at(-1)
  if (page !== undefined) return { ...ui, page, back: ui.back.slice(0, -1), scroll: 0 }
  return ui.filter === '' ? ui : { ...ui, filter: '' }
}

function enter(ui: Ui, context: Context): Pressed {
  if (ui.page === 'overview' && context.rowKeys.length > 0) return { ui: go({ ...ui, selected: context.rowKeys[selectedIndex(ui, context.rowKeys)] }, 'row') }
  if (ui.page === 'kills' && context.kills.length > 0) return { ui: go({ ...ui, kill: ui.kill ?? context.kills[0]?.id }, 'case') }
  const kill = ui.page === 'case' && context.replay?.canSeek === true ? context.kills.find((candidate) => candidate.id === ui.kill) : undefined
  // A second before the decision: what led to it is worth more than what is left.
  return kill === undefined ? { ui } : { ui: { ...ui, page: 'overview', back: [], scroll: 0, paused: true }, command: { do: 'seek', tsNs: kill.tsNs - 1e9 } }
}

function sortBy(ui: Ui, step: number): Ui {
  const at = SORT_KEYS.indexOf(ui.sort.key)
  return { ...ui, sort: { key: SORT_KEYS[(at + step + SORT_KEYS.length) % SORT_KEYS.length] ?? URGENCY.key, inverted: false } }
}

function inMenu(ui: Ui & { readonly menu: number }, key: string): Ui {
  const by = movement(key, SORT_KEYS.length)
  if (by !== undefined) return { ...ui, menu: clamp(ui.menu + by, SORT_KEYS.length) }
  if (key === 'enter') return { ...ui, menu: undefined, sort: { key: SORT_KEYS[ui.menu] ?? URGENCY.key, inverted: false } }
  return key === 'escape' || key === 's' || key === 'q' ? { ...ui, menu: undefined } : ui
}

/** The filter works while it is typed; Enter keeps it, Esc takes it away. */
function inEditor(ui: Ui & { readonly editor: NonNullable<Ui['editor']> }, key: string): Ui {
  if (key === 'enter') return { ...ui, editor: undefined }
  if (key === 'escape') return { ...ui, editor: undefined, filter: '' }
  const editor = edit(ui.editor, key)
  return { ...ui, editor, filter: editor.text }
}

function onOverview(ui: Ui, key: string): Ui | undefined {
  switch (key) {
    case '/': return { ...ui, editor: { text: ui.filter, cursor: ui.filter.length } }
    case 's': return { ...ui, menu: Math.max(0, SORT_KEYS.indexOf(ui.sort.key)) }
    case '<': return sortBy(ui, -1)
    case '>': return sortBy(ui, 1)
    case 'I': return { ...ui, sort: { ...ui.sort, inverted: !ui.sort.inverted } }
    default: return undefined
  }
}

function inReplay(key: string, context: Context): Command | undefined {
  if (context.replay?.canSpeed !== true || (key !== '+' && key !== '-' && key !== '=')) return undefined
  const { speed } = context.replay
  const next = key === '-' ? SPEEDS.findLast((candidate) => candidate < speed) : SPEEDS.find((candidate) => candidate > speed)
  return next === undefined ? undefined : { do: 'speed', speed: next }
}

const open = (ui: Ui, page: Page): Ui => (ui.page === page ? escape(ui) : go(ui, page))

/** One key. Keys without a meaning here change nothing. */
export function press(ui: Ui, key: string, context: Context): Pressed {
  if (key === 'C-c') return { ui, command: { do: 'quit' } }
  if (ui.editor !== undefined) return { ui: inEditor({ ...ui, editor: ui.editor }, key) }
  if (ui.menu !== undefined) return { ui: inMenu({ ...ui, menu: ui.menu }, key) }
  const by = movement(key, Math.max(1, context.pageLines - 1))
  if (by !== undefined) return { ui: move(ui, by, context) }
  switch (key) {
    case 'q': return { ui, command: { do: 'quit' } }
    case 'escape': case 'backspace': return { ui: escape(ui) }
    case 'enter': return enter(ui, context)
    case 'space': return { ui: { ...ui, paused: !ui.paused }, command: { do: 'pause', paused: !ui.paused } }
    case '?': return { ui: open(ui, 'help') }
    case 'K': return { ui: { ...open(ui, 'kills'), kill: ui.kill ?? context.kills[0]?.id } }
    case 'D': return { ui: context.canCharts ? open(ui, 'charts') : ui }
    case '[': return { ui: stepKill(ui, -1, context) }
    case ']': return { ui: stepKill(ui, 1, context) }
    default: {
      const command = inReplay(key, context)
      return command === undefined ? { ui: (ui.page === 'overview' ? onOverview(ui, key) : undefined) ?? ui } : { ui, command }
    }
  }
}

