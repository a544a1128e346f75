/** From a scene and what the person has set to the picture: which page, which panes fit, where each one goes. */
import { plural } from '../base/text.ts'
import { isOomCase, isSelfTest } from '../model/case.ts'
import { cutEnd, wrap, wrapLine } from '../view/cell-text.ts'
import { OVERVIEW_COLUMNS } from '../view/columns.ts'
import type { DetailLine } from '../view/detail.ts'
import { ownerOf } from '../view/follow.ts'
import { KILL_COLUMNS } from '../view/kills-list.ts'
import type { KillRow } from '../view/kills-list.ts'
import { titleOf } from '../view/overview.ts'
import type { RowList } from '../view/select.ts'
import { isOfKill } from '../view/severity.ts'
import { toAscii } from './ascii.ts'
import { Grid, STYLE } from './grid.ts'
import { helpLines, isWinding } from './help.ts'
import type { Abilities } from './help.ts'
import { named } from './keymap.ts'
import { paintCasePage } from './paint-case.ts'
import { paintCommand } from './paint-command.ts'
import type { CommandPage } from './paint-command.ts'
import { paintChooser, paintSortMenu } from './paint-menus.ts'
import { paintDetail, paintKeys, paintTimeline } from './paint-panes.ts'
import { paintPodPage } from './paint-pod.ts'
import { paintSpikes } from './paint-spikes.ts'
import { paintStalls } from './paint-stalls.ts'
import { paintSheetPage } from './paint-tabs.ts'
import { paintOverviewTable, paintTable } from './paint-table.ts'
import { paintTop } from './paint-top.ts'
import type { Headline, ModeText } from './paint-top.ts'
import { cursorOf } from './scene.ts'
import type { Scene } from './scene.ts'
import { scrolled, selectedIndex } from './ui.ts'
import type { Ui } from './ui.ts'

const SMALLEST = { cols: 50, rows: 10 } as const

/** What a frame is made of besides the ui. */
export type Show = { /** `run`: its command. */ readonly command?: CommandPage | undefined; readonly scene: Scene; readonly mode: ModeText; readonly can: Abilities; readonly fault: string | undefined; readonly ascii: boolean }

export type Painted = {
  readonly grid: Grid
  /** The ui with scroll positions that follow the selection. */
  readonly ui: Ui
  /** What keys need to know about what was painted. */
  readonly pageLines: number
  readonly textLines: number
  /** The list of the open page, where it has one of its own. */
  readonly listKeys: readonly string[]
  /** The rows as filtered and sorted on the overview. */
  readonly rows: RowList
  /** First row and height of the part a page fills: where the charts go. */
  readonly body: { readonly y: number; readonly height: number }
}

export type Body = { readonly grid: Grid; readonly y: number; readonly height: number }
export type Result = { readonly ui: Ui; readonly pageLines: number; readonly textLines?: number; readonly listKeys?: readonly string[] }

type Keys = readonly (readonly [key: string, does: string])[]

const KEYS_LIVE: Keys = [['enter', 'open'], ['/', 'filter'], ['s', 'sort'], ['e', 'tree'], ['space', 'pause'], ['K', 'kills'], ['?', 'help'], ['q', 'quit'], ['[ ]', 'kill'], ['1-6', 'pages'], ['C', 'columns'], ['F', 'follow'], ['D', 'charts']]
const KEYS_REPLAY: Keys = [['space', 'play'], ['[ ]', 'kill'], ['enter', 'open'], ['K', 'kills'], ['h l', '1s'], ['H L', '10s'], ['t T', 'step'], ['?', 'help'], ['q', 'quit'], ['+ -', 'speed'], ['1-6', 'pages'], ['b', 'go to time'], ['/', 'filter'], ['e', 'tree'], ['s', 'sort']]
const KEYS_PAGE: Keys = [['esc', 'back'], ['j k', 'scroll'], ['[ ]', 'prev/next kill'], ['K', 'kills'], ['space', 'pause'], ['?', 'help'], ['q', 'quit']]
const KEYS_POD: Keys = [['esc', 'back'], ['< >', 'workload'], ['y', 'copy'], ['space', 'pause'], ['[ ]', 'kill'], ['K', 'kills'], ['?', 'help'], ['q', 'quit']]
const KEYS_POD_REPLAY: Keys = [['esc', 'back'], ['space', 'play'], ['h l', '1s'], ['H L', '10s'], ['t T', 'step'], ['[ ]', 'kill'], ['K', 'kills'], ['y', 'copy'], ['?', 'help'], ['q', 'quit'], ['< >', 'workload'], ['b', 'go to time']]
const KEYS_KILLS: Keys = [['enter', 'open'], ['esc', 'back'], ['[ ]', 'prev/next kill'], ['space', 'pause'], ['?', 'help'], ['q', 'quit']]

const LOOK_BACK: Keys = [['h H', 'look back']], TO_LIVE: Keys = [['end', 'live']]
const TO_PANE: Keys = [['^]', 'the command']]

/** Space lets a recording go on. */
const spaced = (keys: Keys, can: Abilities): Keys => named(can.keys, isWinding(can) ? keys.map(([key, does]) => [key, key === 'space' ? 'play' : does] as const) : keys)

function overviewKeys(can: Abilities): Keys {
  const keys = can.live === 'back' ? [...TO_LIVE, ...KEYS_REPLAY] : can.seek && can.live === undefined ? KEYS_REPLAY : can.seek ? [...KEYS_LIVE, ...LOOK_BACK] : KEYS_LIVE
  return named(can.keys, can.command === true ? [...TO_PANE, ...keys] : keys).filter(([key]) => (key !== 'D' || can.charts) && (key !== '+ -' || can.speed))
}

/** Heights of the panes below the table for a screen of so many rows. */
const panes = (rows: number): { readonly detail: number; readonly timeline: number } =>
  ({ detail: rows >= 40 ? 9 : rows >= 34 ? 8 : rows >= 28 ? 6 : 0, timeline: rows >= 16 ? 3 : 0 })

const PROMPTS = { filter: '/', time: 'go to: ' } as const

function promptBar(grid: Grid, ui: Ui, count: string): void {
  const y = grid.rows - 1, { prompt } = ui
  if (prompt === undefined) return
  const { line } = prompt, aside = prompt.for === 'filter' ? count : '14:03:20  -5m  +30s', room = grid.cols - aside.length - PROMPTS[prompt.for].length - 5, from = Math.max(0, line.cursor - room + 1)
  const x = grid.text({ x: 1, y }, PROMPTS[prompt.for], STYLE.key)
  grid.text({ x, y, width: room }, line.text.slice(from), STYLE.normal)
  grid.fill({ x: x + line.cursor - from, y, width: 1 }, STYLE.replay)
  grid.textRight({ x: grid.cols - aside.length - 1, y, width: aside.length }, aside, STYLE.dim)
}

/** Whom the selection goes after. */
function following({ followed }: Ui, rows: RowList): Keys {
  if (followed === undefined) return []
  return [['F', rows.keys.includes(followed.key) ? `follows ${cutEnd(followed.name, 32)}` : `waits for the next ${cutEnd(ownerOf(followed.name), 32)}`]]
}

function paintOverview(body: Body, ui: Ui, show: Show, rows: RowList): Result {
  const { grid } = body, { scene } = show, place = panes(grid.rows)
  const index = selectedIndex(ui, rows.keys), row = rows.at(index), count = rows.keys.length
  // A node with few workloads leaves room to say more about the one that is selected.
  const spare = Math.max(0, Math.min(6, body.height - place.detail - place.timeline - count - 3))
  const detail = row === undefined || place.detail === 0 ? 0 : place.detail + spare, height = body.height - detail - place.timeline
  const top = scrolled(ui.top, index, { height: height - 1, count })
  paintOverviewTable(grid, { y: body.y, height, from: 2 }, { rows, columns: ui.hidden.size === 0 ? OVERVIEW_COLUMNS : OVERVIEW_COLUMNS.filter(({ key }) => !ui.hidden.has(key)), index, top, sort: ui.sort })
  if (count === 0) grid.text({ x: 2, y: body.y + 2 }, ui.filter === '' ? 'No cgroups seen yet.' : `Nothing matches /${cutEnd(ui.filter, 40)}  (esc clears the filter)`, STYLE.dim)
  if (row !== undefined && detail > 0) {
    paintDetail(grid, { x: 0, y: body.y + height, width: grid.cols, height: detail }, { row, lines: scene.detailOf(row), first: scene.rows[0] === row })
  }
  if (place.timeline > 0) paintTimeline(grid, body.y + height + detail, scene.timelineOf(grid.cols), { timeAt: scene.timeAt, cursorNs: cursorOf(scene) })
  const matches = `${count} of ${ui.tree ? scene.treeRows().length : scene.rows.length}`, keys = overviewKeys(show.can)
  if (ui.prompt !== undefined) promptBar(grid, ui, matches)
  else if (ui.filter !== '') paintKeys(grid, [[`/${cutEnd(ui.filter, 24)}`, matches], ['esc', 'clear'], ...following(ui, rows), ...keys])
  else paintKeys(grid, ui.followed !== undefined ? [...following(ui, rows), ...keys] : ui.tree ? [['e', 'list'], ['left right', 'close, open'], ['*', 'open all'], ...keys.filter(([key]) => key !== 'e' && key !== 'h l' && key !== 'left right')] : keys)
  if (ui.menu !== undefined) paintSortMenu(grid, ui.menu)
  if (ui.chooser !== undefined) paintChooser(grid, ui.chooser, ui.hidden)
  return { ui: { ...ui, top, index }, pageLines: height - 1 }
}

/** The most urgent, what contradicts the declaration, and the rest; last what the panes show as well. */
function sentencesOf(lines: readonly DetailLine[], promises: readonly DetailLine[]): readonly DetailLine[] {
  const own = lines.filter(({ isInPane }) => isInPane !== true), isQuiet = ({ tone }: DetailLine): boolean => tone === 'quiet'
  return [...own.slice(0, 1), ...promises.filter((line) => !isQuiet(line)), ...own.slice(1), ...promises.filter(isQuiet), ...lines.filter(({ isInPane }) => isInPane === true)]
}

function paintRow(body: Body, ui: Ui, show: Show): Result {
  const { grid, y, height } = body, { scene } = show, row = scene.rows.find((candidate) => candidate.key === ui.selected) ?? (ui.tree ? scene.treeRows().find((candidate) => candidate.key === ui.selected) : undefined)
  const page = row === undefined ? undefined : scene.podPage(row), timeline = height >= 30 ? 3 : 0
  paintKeys(grid, named(show.can.keys, !isWinding(show.can) ? KEYS_POD : show.can.live === 'back' ? [...TO_LIVE, ...KEYS_POD_REPLAY] : KEYS_POD_REPLAY))
  if (row === undefined || page === undefined) { grid.text({ x: 2, y: y + 1 }, `It is gone: its cgroups were removed.${ui.followed === undefined ? '' : ' The next one will be shown.'}`, STYLE.dim); return { ui, pageLines: height } }
  paintPodPage(grid, { y, height: height - timeline }, { page, name: titleOf(row), lines: sentencesOf(scene.detailOf(row), page.promises) })
  if (timeline > 0) paintTimeline(grid, y + height - timeline, scene.timelineOf(grid.cols), { timeAt: scene.timeAt, cursorNs: cursorOf(scene) })
  return { ui, pageLines: height }
}

function paintKills(body: Body, ui: Ui, show: Show): Result {
  const { grid, y } = body, { kills, timelineOf, timeAt } = show.scene, timeline = panes(grid.rows).timeline
  paintKeys(grid, spaced(KEYS_KILLS, show.can))
  if (kills.length === 0) { grid.text({ x: 2, y: y + 1 }, 'No kill seen so far.', STYLE.dim); return { ui, pageLines: 1 } }
  const index = Math.max(0, kills.findIndex((kill) => kill.id === ui.kill)), said = grid.cols < 100 && body.height >= 16 ? 6 : 4, height = body.height - timeline - said
  const top = scrolled(ui.killTop, index, { height: height - 1, count: kills.length }), kill = kills[index]
  paintTable<KillRow>(grid, { y, height, from: 1 }, { rows: kills, columns: KILL_COLUMNS, index, top, targetOf: ({ id }) => ({ what: 'kill', key: id }) })
  grid.fill({ x: 0, y: y + height, width: grid.cols }, STYLE.frame, '─')
  const sentence = wrap(kill?.sentence ?? '', grid.cols - 4), room = said - 1
  sentence.slice(0, room).forEach((text, i) => { grid.text({ x: 2, y: y + height + 1 + i }, i === room - 1 && sentence.length > room ? cutEnd(`${text} …`, grid.cols - 4) : text) })
  if (timeline > 0) paintTimeline(grid, y + height + said, timelineOf(grid.cols), { timeAt, selectedNs: kill?.tsNs, cursorNs: cursorOf(show.scene) })
  return { ui: { ...ui, killTop: top, kill: kill?.id }, pageLines: height - 1 }
}

/** Lines of text, scrolled; a line that is a heading (no blank in front, followed by indented ones) is bold. */
function paintText(body: Body, ui: Ui, lines: readonly string[]): Result {
  const { grid, y, height } = body
  const wrapped = lines.flatMap((line) => wrapLine(line, grid.cols))
  const top = Math.max(0, Math.min(ui.scroll, wrapped.length - height))
  for (let i = 0; i < height; i++) {
    const line = wrapped[top + i]
    if (line === undefined) break
    const heading = !line.startsWith(' ') && line !== '' && wrapped[top + i + 1]?.startsWith(' ') === true
    grid.text({ x: 0, y: y + i, width: grid.cols }, line, heading ? STYLE.bold : STYLE.normal)
  }
  if (wrapped.length > height) grid.textRight({ x: grid.cols - 14, y: grid.rows - 1, width: 13 }, `${top + 1}-${Math.min(wrapped.length, top + height)}/${wrapped.length}`, STYLE.dim)
  return { ui: { ...ui, scroll: top }, pageLines: height, textLines: wrapped.length }
}

const caseKeys = (can: Abilities, inFull: boolean): Keys => [
  ['esc', 'back'], ['[ ]', 'prev/next kill'], ...(can.seek ? [['enter', 'to its moment'] as const] : []), ['tab', inFull ? 'picture' : 'evidence'], ['y', 'copy'], ...(can.save ? [['E', 'export'] as const] : []),
  ...(inFull ? [['j k', 'scroll'] as const] : []), ['?', 'help'], ['q', 'quit'], ['K', 'kills'],
]

function paintCase(body: Body, ui: Ui, show: Show): Result {
  const { kills } = show.scene, kill = kills.find((candidate) => candidate.id === ui.kill), { grid } = body
  paintKeys(grid, named(show.can.keys, caseKeys(show.can, ui.inFull)), ui.inFull ? 16 : 0)
  if (kill === undefined) { grid.text({ x: 2, y: body.y + 1 }, kills.length === 0 ? 'No kill seen so far.' : 'This kill is no longer remembered.', STYLE.dim); return { ui, pageLines: 1 } }
  if (ui.inFull) return paintText({ grid, y: body.y + 1, height: body.height - 1 }, ui, show.scene.caseLines(kill))
  paintCasePage(grid, body, show.scene.casePage(kill))
  return { ui, pageLines: 1 }
}

function paintPage(body: Body, ui: Ui, show: Show, rows: RowList): Result {
  switch (ui.page) {
    case 'overview': return paintOverview(body, ui, show, rows)
    case 'row': return paintRow(body, ui, show)
    case 'kills': return paintKills(body, ui, show)
    case 'case': return paintCase(body, ui, show)
    case 'node': return paintSheetPage(body, ui, { show, sheet: show.scene.nodeSheet() })
    case 'spikes': return paintSpikes(body, ui, show)
    case 'stalls': return paintStalls(body, ui, show)
    case 'health': return paintSheetPage(body, ui, { show, sheet: show.scene.healthPage() })
    case 'command': return show.command === undefined ? { ui, pageLines: 1 } : paintCommand(body, ui, show.command)
    case 'help': paintKeys(body.grid, spaced(KEYS_PAGE, show.can), 16); return paintText(body, ui, helpLines(show.can))
    case 'charts': paintKeys(body.grid, spaced(KEYS_PAGE.filter(([key]) => key !== 'j k'), show.can)); return { ui, pageLines: body.height }
  }
}

/** A source that has ended, or the kill at whose moment the picture stands. */
function headlineOf({ fault, scene }: Show, ui: Ui): Headline | undefined {
  if (fault !== undefined) return { text: fault }
  const wanted = ui.page === 'case' ? ui.kill : ui.page === 'overview' ? ui.atKill : undefined, index = wanted === undefined ? -1 : scene.kills.findIndex((kill) => kill.id === wanted)
  return index < 0 ? undefined : { text: `${killTitle(scene, index)}${ui.page === 'case' ? '' : '   enter: case'}` }
}

/** `KILL 2 of 3   14:01:12   python3 (pid 48213) killed   batch/etl-0`: the number counts from the oldest. */
function killTitle({ kills }: Scene, index: number): string {
  const kill = kills[index]
  return kill === undefined ? '' : `${isSelfTest(kill.killCase) ? 'SELF-TEST' : isOomCase(kill.killCase) ? 'KILL' : 'SIGNAL'} ${kills.length - index} of ${kills.length}   ${kill.time}   ${kill.died}   ${kill.place}`
}

/** What the OOM killer did, and what else is in the list: signals that processes sent, rounds of the OOM killer without a kill, self-tests. */
function killsText(kills: readonly KillRow[]): string {
  const dead = kills.filter(({ killCase, victims }) => isOomCase(killCase) && victims > 0).length, more = kills.length - dead
  return `${plural(dead, 'kill')}${more === 0 ? '' : ` and ${plural(more, 'more case')}`}`
}

/** The right side of row 1: what happened last, or in replay what is still to come. */
function asidesOf({ scene }: Show): string[] {
  const { kills, range, liveNs, progress, nowNs, status } = scene
  if (liveNs !== undefined) {
    const later = kills.filter((kill) => kill.tsNs > nowNs), next = later.at(-1)
    return next === undefined ? [] : [`${killsText(later)} since, next ${next.time}: press ]`, `${killsText(later)} since: press ]`]
  }
  if (range === undefined) return status.lastKill === undefined || status.alert !== undefined && isOfKill(status.alert.says) ? [] : [status.lastKill]
  const reading = progress < 1 ? `, ${Math.floor(100 * progress)}% looked through` : '', next = kills.findLast((kill) => kill.tsNs > nowNs)
  const counted = killsText(kills), all = `${counted} in this recording${reading}`, short = `${counted}${reading}`
  return next === undefined ? [all, short] : [`${all}, next ${next.time}: press ]`, `${short}, next: press ]`]
}

/** The whole screen. */
export function paint(show: Show, ui: Ui, size: { readonly cols: number; readonly rows: number }): Painted {
  const grid = new Grid(size.cols, size.rows), rows = show.scene.select(ui)
  if (size.cols < SMALLEST.cols || size.rows < SMALLEST.rows) {
    wrap(`needs ${SMALLEST.cols}x${SMALLEST.rows}, has ${size.cols}x${size.rows}`, size.cols).forEach((text, y) => { grid.text({ x: 0, y }, text) })
    return { grid, ui, pageLines: 1, textLines: 0, listKeys: [], rows, body: { y: 0, height: 0 } }
  }
  const y = paintTop(grid, show.scene.status, { mode: show.mode, headline: headlineOf(show, ui), asides: asidesOf(show), doubts: ui.page !== 'health' && ui.page !== 'command' && (ui.page !== 'case' || size.rows >= 36) }), body = { grid, y, height: size.rows - y - 1 }
  const result = paintPage(body, ui, show, rows)
  if (ui.message !== undefined) {
    grid.fill({ x: 0, y: size.rows - 1, width: size.cols }, STYLE.alert, ' ')
    grid.text({ x: 1, y: size.rows - 1 }, cutEnd(ui.message, size.cols - 2), STYLE.alert)
  }
  if (show.ascii) toAscii(grid)
  return { grid, ui: result.ui, pageLines: result.pageLines, textLines: result.textLines ?? 0, listKeys: result.listKeys ?? [], rows, body: { y: body.y, height: body.height } }
}
