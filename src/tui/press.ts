/** What each key does: a pure function from what is set and one key to what is set next, and perhaps a command. */
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import { SORT_KEYS, URGENCY } from '../view/select.ts'
import { CLEAR_FILTER, FOLD, translated } from './keymap.ts'
import type { KeySet } from './keymap.ts'
import { edit } from './line-editor.ts'
import { jumpToSpike, goTo, jumpToKill, pressTime } from './press-time.ts'
import { openTab } from './tabs.ts'
import { THEME_NAMES } from './theme.ts'
import { selectedIndex } from './ui.ts'
import type { Page, Prompt, Ui } from './ui.ts'

/** What only the program around the screen can do. */
export type Command =
  | { readonly do: 'quit' } | { readonly do: 'pause'; readonly paused: boolean } | { readonly do: 'speed'; readonly speed: number } | { readonly do: 'seek'; readonly tsNs: number }
  /** Live: stand still at the picture shown; be at the present again. */
  | { readonly do: 'hold' } | { readonly do: 'live' } | { readonly do: 'follow' } | { readonly do: 'copy' } | { readonly do: 'save' }

/** What the keys act on: the lists as they are shown, and what the source can do. */
export type Context = {
  /** Time of the picture. */
  readonly nowNs: number
  readonly rowKeys: readonly string[]
  /** Rows of the list of the open page (stalls). */
  readonly listKeys: readonly string[]
  /** Spikes, on their page: where Enter leads. */
  readonly spikes: readonly { readonly id: string; readonly memcgId: number; readonly atNs: number }[]
  /** Newest first. */
  readonly kills: readonly { readonly id: string; readonly tsNs: number }[]
  /** When tasks began to wait for memory, oldest first. */
  readonly pressureStarts: () => readonly number[]
  readonly pageLines: number
  /** Lines of the text page that is open. */
  readonly textLines: number
  /** blessed-contrib needs colour and braille. */
  readonly canCharts: boolean
  readonly canSave: boolean
  readonly keys?: KeySet
  /** Lines that up and down move; a notch of the wheel moves more than a key. */
  readonly lines?: number
  /** A recording, or what a live screen remembers. `live`: whether the picture follows the present; `oldestNs`: older moments are no longer kept. */
  readonly replay?: { readonly live?: 'following' | 'back'; readonly oldestNs?: number | undefined; readonly speed: number; readonly canSpeed: boolean; readonly canSeek: boolean; readonly stepNs: number; readonly momentOf: (text: string) => number | undefined }
}

export type Pressed = { readonly ui: Ui; readonly command?: Command }

const go = (ui: Ui, page: Page): Ui => ({ ...ui, page, back: [...ui.back, ui.page], scroll: 0, inFull: false })

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
    // Who looks at another row is no longer at the kill.
    return { ...ui, index, selected: context.rowKeys[index], atKill: undefined, followed: undefined }
  }
  if (ui.page === 'kills') {
    const at = context.kills.findIndex((kill) => kill.id === ui.kill)
    return { ...ui, kill: context.kills[clamp(Math.max(0, at) + by, context.kills.length)]?.id }
  }
  if (context.listKeys.length > 0) {
    const at = ui.picked === undefined ? 0 : Math.max(0, context.listKeys.indexOf(ui.picked))
    return { ...ui, picked: context.listKeys[clamp(at + by, context.listKeys.length)] }
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
  if (page !== undefined) return { ...ui, page, back: ui.back.slice(0, -1), scroll: 0, inFull: false }
  return ui.filter === '' ? { ...ui, tree: false } : { ...ui, filter: '' }
}

function enter(ui: Ui, context: Context): Pressed {
  if (ui.page === 'overview' && ui.atKill !== undefined) return { ui: { ...go(ui, 'case'), kill: ui.atKill } }
  if (ui.page === 'overview' && context.rowKeys.length > 0) return { ui: go({ ...ui, selected: context.rowKeys[selectedIndex(ui, context.rowKeys)] }, 'row') }
  if (ui.page === 'kills' && context.kills.length > 0) return { ui: go({ ...ui, kill: ui.kill ?? context.kills[0]?.id }, 'case') }
  if (ui.page === 'spikes') return jumpToSpike(ui, context)
  const kill = ui.page === 'case' && context.replay?.canSeek === true ? context.kills.find((candidate) => candidate.id === ui.kill) : undefined
  return kill === undefined ? { ui } : jumpToKill(ui, kill, context.replay?.oldestNs)
}

function sortBy(ui: Ui, step: number): Ui {
  const at = SORT_KEYS.indexOf(ui.sort.key)
  return { ...ui, sort: { key: SORT_KEYS[(at + step + SORT_KEYS.length) % SORT_KEYS.length] ?? URGENCY.key, inverted: false } }
}

/** Pressure, used, stall, OOM kills. */
const SORT_BY = { P: 'some', U: 'used', S: 'stall', O: 'oom' } as const

/** On the page of a workload: the one before or after, in the order of the overview. */
function neighbour(ui: Ui, by: -1 | 1, { rowKeys }: Context): Ui {
  const index = clamp(selectedIndex(ui, rowKeys) + by, rowKeys.length)
  return { ...ui, index, selected: rowKeys[index] ?? ui.selected, atKill: undefined, followed: undefined }
}

function inMenu(ui: Ui & { readonly menu: number }, key: string): Ui {
  const by = movement(key, SORT_KEYS.length)
  if (by !== undefined) return { ...ui, menu: clamp(ui.menu + by, SORT_KEYS.length) }
  if (key === 'enter') return { ...ui, menu: undefined, sort: { key: SORT_KEYS[ui.menu] ?? URGENCY.key, inverted: false } }
  return key === 'escape' || key === 's' || key === 'q' ? { ...ui, menu: undefined } : ui
}

/** Lines of the column chooser: the name is always shown. */
export const CHOOSABLE = OVERVIEW_COLUMNS.filter(({ key }) => key !== 'name')

function inChooser(ui: Ui & { readonly chooser: number }, key: string): Ui {
  const by = movement(key, CHOOSABLE.length), column = CHOOSABLE[ui.chooser]?.key
  if (by !== undefined) return { ...ui, chooser: clamp(ui.chooser + by, CHOOSABLE.length) }
  if (key === '*') return { ...ui, hidden: new Set() }
  if (key === 'space' && column !== undefined) {
    const hidden = new Set(ui.hidden)
    if (!hidden.delete(column)) hidden.add(column)
    return { ...ui, hidden }
  }
  return key === 'escape' || key === 'C' || key === 'q' || key === 'enter' ? { ...ui, chooser: undefined } : ui
}

/** The filter works while it is typed; Enter keeps it, Esc takes it away. A time is gone to by Enter only. */
function inPrompt(ui: Ui, prompt: Prompt, pressed: { readonly key: string; readonly context: Context }): Pressed {
  const { key, context } = pressed, isFilter = prompt.for === 'filter'
  if (key === 'enter') return isFilter ? { ui: { ...ui, prompt: undefined } } : goTo(ui, prompt.line.text, context)
  if (key === 'escape') return { ui: { ...ui, prompt: undefined, ...(isFilter ? { filter: '' } : {}) } }
  const line = edit(prompt.line, key)
  return { ui: { ...ui, prompt: { ...prompt, line }, ...(isFilter ? { filter: line.text } : {}) } }
}

/** Opens and closes what is below a cgroup of the tree. */
function fold(ui: Ui, key: string, context: Context): Ui {
  const row = context.rowKeys[selectedIndex(ui, context.rowKeys)]
  if (key === '*') return { ...ui, folded: new Set() }
  if (row === undefined) return ui
  const folded = new Set(ui.folded)
  if (key === 'left' || (key === FOLD && !folded.has(row))) folded.add(row)
  else folded.delete(row)
  return { ...ui, folded, selected: row }
}

function onOverview(ui: Ui, key: string, context: Context): Ui | undefined {
  if (ui.tree && (key === 'left' || key === 'right' || key === '*' || key === FOLD)) return fold(ui, key, context)
  switch (key) {
    case '/': return { ...ui, prompt: { for: 'filter', line: { text: ui.filter, cursor: ui.filter.length } } }
    case 's': return { ...ui, menu: Math.max(0, SORT_KEYS.indexOf(ui.sort.key)) }
    case '<': return sortBy(ui, -1)
    case '>': return sortBy(ui, 1)
    case 'I': return { ...ui, sort: { ...ui.sort, inverted: !ui.sort.inverted } }
    case 'P': case 'U': case 'S': case 'O': return { ...ui, sort: { key: SORT_BY[key], inverted: false } }
    case 'C': return { ...ui, chooser: 0 }
    case CLEAR_FILTER: return { ...ui, filter: '' }
    case 'e': return { ...ui, tree: !ui.tree, top: 0 }
    default: return undefined
  }
}

const open = (ui: Ui, page: Page): Ui => (ui.page === page ? escape(ui) : go(ui, page))

/** Keys of the page of stalls. */
function onStalls(ui: Ui, key: string): Pressed | undefined {
  switch (key) {
    case 'tab': return { ui: { ...ui, inFull: !ui.inFull } }
    case 'e': return { ui: { ...ui, byCgroup: !ui.byCgroup, picked: undefined } }
    default: return undefined
  }
}

/** Keys of the page of a kill. */
function onCase(ui: Ui, key: string, context: Context): Pressed | undefined {
  switch (key) {
    case 'tab': return { ui: { ...ui, inFull: !ui.inFull, scroll: 0 } }
    case 'y': return { ui, command: { do: 'copy' } }
    case 'E': case 'C-s': return context.canSave ? { ui, command: { do: 'save' } } : undefined
    default: return undefined
  }
}

function anywhere(ui: Ui, key: string, context: Context): Pressed {
  switch (key) {
    case 'q': return { ui, command: { do: 'quit' } }
    case 'escape': case 'backspace': return { ui: escape(ui) }
    case 'enter': return enter(ui, context)
    case 'space': return { ui: { ...ui, paused: !ui.paused, atKill: undefined }, command: { do: 'pause', paused: !ui.paused } }
    case '?': case 'f1': return { ui: open(ui, 'help') }
    case 'm': return { ui: { ...ui, mouse: !ui.mouse, message: ui.mouse ? 'mouse off: the terminal selects text again' : 'mouse on: click, wheel, and the bar of time' } }
    case 'F': return ui.page === 'overview' || ui.page === 'row' ? { ui, command: { do: 'follow' } } : { ui }
    case 'x': return { ui: { ...ui, theme: THEME_NAMES[(THEME_NAMES.indexOf(ui.theme) + 1) % THEME_NAMES.length] ?? 'dark' } }
    case 'K': return { ui: { ...open(ui, 'kills'), kill: ui.kill ?? context.kills[0]?.id } }
    case 'D': return { ui: context.canCharts ? open(ui, 'charts') : ui }
    case '[': return { ui: stepKill(ui, -1, context) }
    case ']': return { ui: stepKill(ui, 1, context) }
    default: return { ui: tab(ui, key, context) }
  }
}

/** A digit: the list of kills begins at its newest. */
function tab(ui: Ui, key: string, context: Context): Ui {
  const opened = openTab(ui, key)
  return opened === undefined ? ui : opened.page === 'kills' ? { ...opened, kill: opened.kill ?? context.kills[0]?.id } : opened
}

/** One key. Keys without a meaning here change nothing. */
export function press(before: Ui, pressed: string, context: Context): Pressed {
  const ui = before.message === undefined ? before : { ...before, message: undefined }
  if (pressed === 'C-c') return { ui, command: { do: 'quit' } }
  if (ui.prompt !== undefined) return inPrompt(ui, ui.prompt, { key: pressed, context })
  const key = translated(context.keys ?? 'oomscope', pressed)
  if (ui.menu !== undefined) return { ui: inMenu({ ...ui, menu: ui.menu }, key) }
  if (ui.chooser !== undefined) return { ui: inChooser({ ...ui, chooser: ui.chooser }, key) }
  // Of the two meanings of End the one that leads back to the present is wanted more; G is the last row, too.
  const by = key === 'end' && context.replay?.live === 'back' ? undefined : movement(key, Math.max(1, context.pageLines - 1))
  if (by !== undefined) return { ui: move(ui, Math.abs(by) === 1 ? by * (context.lines ?? 1) : by, context) }
  const overview = ui.page === 'overview' ? onOverview(ui, key, context) : undefined
  if (overview !== undefined) return { ui: overview }
  if (ui.page === 'row' && key === 'y') return { ui, command: { do: 'copy' } }
  if (ui.page === 'row' && (key === '<' || key === '>')) return { ui: neighbour(ui, key === '<' ? -1 : 1, context) }
  return (ui.page === 'case' ? onCase(ui, key, context) : ui.page === 'stalls' ? onStalls(ui, key) : undefined) ?? pressTime(ui, key, context) ?? anywhere(ui, key, context)
}
