/** What the person has set: page, selection, order, filter. Plain data; press.ts changes it, painters read it. */
import type { Followed } from '../view/follow.ts'
import { URGENCY } from '../view/select.ts'
import type { Sort } from '../view/select.ts'
import type { Line } from './line-editor.ts'
import type { ThemeName } from './theme.ts'

export type Page = 'overview' | 'row' | 'kills' | 'case' | 'help' | 'command' | 'charts' | 'health' | 'stalls' | 'node' | 'spikes'

/** A line being typed in the last row: a filter (works while it is typed) or a time to go to. */
export type Prompt = { readonly for: 'filter' | 'time'; readonly line: Line }

export type Ui = {
  readonly page: Page
  /** Where Esc leads from here. */
  readonly back: readonly Page[]
  /** Key of the selected row; absent until the person moves: then the most urgent row is it, whichever that is. */
  readonly selected?: string | undefined
  /** Where the selected row stood last: its neighbour takes over when it is gone. */
  readonly index: number
  readonly top: number
  readonly sort: Sort
  readonly filter: string
  readonly prompt?: Prompt | undefined
  /** Line of the sort menu, while it is open. */
  readonly menu?: number | undefined
  /** Line of the column chooser, while it is open. */
  readonly chooser?: number | undefined
  /** Keys of columns that the person does not want. */
  readonly hidden: ReadonlySet<string>
  readonly theme: ThemeName
  readonly mouse: boolean
  /** The workload that the selection goes after when it dies. */
  readonly followed?: Followed | undefined
  /** The overview as the tree of cgroups; `folded` are the keys whose children are hidden. */
  readonly tree: boolean
  readonly folded: ReadonlySet<string>
  /** Case id selected in the list of kills or shown as a page. */
  readonly kill?: string | undefined
  /** In replay: the kill at whose moment the picture stands, because the person went there. */
  readonly atKill?: string | undefined
  /** The cgroup whose row is to be selected in the next picture, because the person went to a moment of it. */
  readonly seekMemcgId?: number | undefined
  readonly killTop: number
  /** Key of the row selected in the list of the open page (stalls); absent: its first. */
  readonly picked?: string | undefined
  readonly pickedTop: number
  /** The stalls of each cgroup instead of each workload. */
  readonly byCgroup: boolean
  /** The page of a kill shows its evidence in full instead of the picture. */
  readonly inFull: boolean
  /** First line shown of a page of text. */
  readonly scroll: number
  readonly paused: boolean
  /** Live: the picture stands still because of a pause, not of a jump; going on then means the present. */
  readonly held?: boolean
  /** An answer to the last key, until the next one. */
  readonly message?: string | undefined
}

export const START: Ui = { page: 'overview', back: [], index: 0, top: 0, sort: URGENCY, filter: '', tree: false, folded: new Set(), hidden: new Set(), theme: 'dark', mouse: false, killTop: 0, pickedTop: 0, byCgroup: false, inFull: false, scroll: 0, paused: false }

/** First visible line so that `index` is on screen and as little as possible moves. */
export function scrolled(top: number, index: number, view: { readonly height: number; readonly count: number }): number {
  const last = Math.max(0, view.count - view.height)
  const wanted = index < top ? index : index >= top + view.height ? index - view.height + 1 : top
  return Math.max(0, Math.min(last, wanted))
}

/** Where the selected row stands now; a vanished one leaves its place to its neighbour. */
export function selectedIndex(ui: Ui, keys: readonly string[]): number {
  if (keys.length === 0) return 0
  const index = ui.selected === undefined ? 0 : keys.indexOf(ui.selected)
  return index >= 0 ? index : Math.min(ui.index, keys.length - 1)
}
