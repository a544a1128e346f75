/** Paints the case file of a kill: which panes fit, how tall each one may be, and what is in them. */
import { cutEnd, cutMiddle, wrap } from '../view/cell-text.ts'
import type { CandidateLine, CasePage } from '../view/case-page.ts'
import { mostTelling } from '../view/case-plots.ts'
import type { Plot } from '../view/case-plots.ts'
import { bytesCell } from '../view/compact.ts'
import type { DetailLine } from '../view/detail.ts'
import { bar, brailleArea, sparkline } from '../view/sparkline.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'
import { paintSentences } from './paint-panes.ts'
import type { Rect } from './paint-panes.ts'

const inner = (at: Rect): Rect => ({ x: at.x + 2, y: at.y + 1, width: at.width - 4, height: at.height - 2 })

/** Text in columns given by their right (or, when negative, left) edges. */
function columns(grid: Grid, at: { readonly x: number; readonly y: number }, cells: readonly (readonly [text: string, width: number])[], style: Style): void {
  let x = at.x
  for (const [text, width] of cells) {
    if (width < 0) grid.text({ x, y: at.y, width: -width }, cutMiddle(text, -width), style)
    else grid.textRight({ x, y: at.y, width }, text, style)
    x += Math.abs(width) + 1
  }
}

/** The holder first when not all fit: it is what the page is about. */
function paintLimits(grid: Grid, at: Rect, page: CasePage): void {
  grid.box(at, 'chain of limits, from the inside out')
  const { x, y, width, height } = inner(at), name = Math.max(8, width - 31)
  columns(grid, { x, y }, [['LEVEL', -name], ['USED', 5], ['HIGH', 5], ['MAX', 5], ['USED%', 5]], STYLE.dim)
  const room = height - 1, lines = page.limits.length <= room ? page.limits : page.limits.filter((line, i) => line.isHolder || i >= page.limits.length - room + 1).slice(0, room)
  lines.forEach((line, i) => {
    const style = line.isHolder ? STYLE.alarm : STYLE.normal
    columns(grid, { x, y: y + 1 + i }, [[line.label, -name], [line.used, 5], [line.high, 5], [line.max, 5], [line.share, 5]], style)
    if (line.isHolder) grid.text({ x: x + name + 26, y: y + 1 + i, width: 5 }, '< OOM', style)
  })
  if (page.limitsNote !== '' && lines.length < room) grid.text({ x, y: y + height - 1, width }, page.limitsNote, STYLE.frame)
}

const PART_STYLES: Readonly<Record<string, Style>> = { anon: STYLE.data, 'file cache': STYLE.good, shmem: STYLE.differs, 'to be written': STYLE.warn }

type BarLine = { readonly label: string; readonly bytes: number; readonly share: number; readonly note?: string }

function paintBar(grid: Grid, at: Rect, line: BarLine, style: Style): void {
  const { x, y, width } = at, drawn = Math.max(4, width - 22), text = bar(line.share, drawn)
  grid.text({ x, y, width: 13 }, cutMiddle(line.label, 13), STYLE.normal)
  for (let cell = 0; cell < text.length; cell++) grid.text({ x: x + 14 + cell, y }, text.charAt(cell), text.charAt(cell) === '·' ? STYLE.frame : style)
  grid.textRight({ x: x + 15 + drawn, y, width: 5 }, bytesCell(line.bytes))
  // Only where the bar leaves room for it.
  if (line.note !== undefined && line.note !== '' && line.share < 0.05) grid.text({ x: x + 18, y, width: drawn - 5 }, line.note, STYLE.frame)
}

/** As many of those who filled it as there is room made for. */
const CONTRIBUTORS = 4

/** By kind, and below it by whom, as far as there is room. */
function paintParts(grid: Grid, at: Rect, page: CasePage): void {
  grid.box(at, page.partsTitle)
  const { x, y, width, height } = inner(at), line = (row: number): Rect => ({ x, y: y + row, width, height: 1 })
  if (page.parts.length === 0) grid.text({ x, y, width }, 'not known: neither the kernel log nor a sample told', STYLE.dim)
  page.parts.slice(0, height).forEach((part, i) => paintBar(grid, line(i), part, PART_STYLES[part.label] ?? STYLE.victim))
  const from = Math.max(1, page.parts.length), listed = page.contributors.length === 0 ? 0 : 1 + Math.min(CONTRIBUTORS, page.contributors.length), isFree = page.events !== '' && from + listed < height
  if (isFree) grid.text({ x, y: y + height - 1, width }, cutEnd(page.events, width), STYLE.dim)
  const room = height - from - 1 - (isFree ? 1 : 0)
  if (page.contributors.length === 0 || room < 1) return
  grid.text({ x, y: y + from, width }, 'by whom', STYLE.dim)
  page.contributors.slice(0, room).forEach((contributor, i) => paintBar(grid, line(from + 1 + i), contributor, STYLE.data))
}

/** A shorter one tells nothing. */
const BAR_LEAST = 4
const FATES = { killed: 'KILLED', chosen: 'CHOSEN', exempt: 'exempt', '': '' } as const

/** What there is room for and something to say in. */
type Shape = { readonly wide: boolean; readonly places: boolean }

function candidateCells(line: CandidateLine, rank: number, { wide, places }: Shape): (readonly [string, number])[] {
  return [[rank === 0 ? '#' : String(rank), 3], [rank === 0 ? 'PID' : String(line.pid), 8], [line.command, -15], ...(places ? [[line.place, wide ? -16 : -15] as const] : []), [line.rss, 6], ...(wide ? [[line.swap, 5] as const, [line.pgtables, 8] as const] : []), [line.adj, 5], [line.points, 9]]
}
const HEADER: CandidateLine = { pid: 0, command: 'COMMAND', place: 'CONTAINER', rss: 'RSS', swap: 'SWAP', pgtables: 'PGTABLES', adj: 'ADJ', points: 'POINTS', share: 0, fate: '' }

function paintCandidates(grid: Grid, at: Rect, page: CasePage): void {
  grid.box(at, cutEnd(page.candidatesTitle, at.width - 8))
  const { x, y, width, height } = inner(at), shape = { wide: width >= 100, places: page.candidates.filter(({ place }) => place !== '-').length > 1 }, used = candidateCells(HEADER, 0, shape).reduce((sum, [, cells]) => sum + Math.abs(cells) + 1, 0), left = width - used - 7, drawn = left < BAR_LEAST ? 0 : left
  if (page.candidates.length === 0) return
  columns(grid, { x, y }, candidateCells(HEADER, 0, shape), STYLE.dim)
  const room = height - 1, all = page.candidates.length + page.omitted, shown = page.candidates.slice(0, all > room ? room - 1 : room)
  shown.forEach((line, i) => {
    const style = line.fate === 'killed' ? STYLE.alarm : line.fate === 'exempt' ? STYLE.dim : STYLE.normal, row = y + 1 + i, text = bar(line.share, drawn)
    columns(grid, { x, y: row }, candidateCells(line, i + 1, shape), style)
    for (let cell = 0; cell < text.length; cell++) grid.text({ x: x + used + cell, y: row }, text.charAt(cell), text.charAt(cell) === '·' ? STYLE.frame : line.fate === 'killed' ? STYLE.victim : STYLE.dim)
    grid.text({ x: x + width - 6, y: row, width: 6 }, FATES[line.fate], line.fate === 'killed' ? STYLE.kill : STYLE.dim)
  })
  if (all > shown.length) grid.text({ x: x + 4, y: y + height - 1, width }, `and ${all - shown.length} more: tab shows them`, STYLE.dim)
}

const PLOT_STYLES: Readonly<Record<Plot['key'], Style>> = { used: STYLE.data, anon: STYLE.data, some: STYLE.warn, full: STYLE.victim, stall: STYLE.warn, refaults: STYLE.differs, high: STYLE.warn, max: STYLE.victim }
const LABEL = 14, RANGE = 17
/** Taller tells no more. */
const MOST_TALL = 10

function paintPlots(grid: Grid, at: Rect, page: CasePage): void {
  grid.box(at, `the ${page.seconds} s before`)
  const { x, y, width, height } = inner(at), drawn = width - LABEL - RANGE
  // The axis is in the frame when its row is needed for a curve.
  const shown = mostTelling(page.plots, height), room = height > shown.length ? height - 1 : height, tall = Math.max(1, Math.min(MOST_TALL, Math.floor(room / shown.length)))
  // Usage is what the page is about: rows that do not go round are its.
  const first = Math.min(MOST_TALL, room - tall * (shown.length - 1))
  shown.forEach((plot, i) => {
    const own = i === 0 ? first : tall, row = y + (i === 0 ? 0 : first + (i - 1) * tall), lines = own === 1 ? [sparkline(plot.values, drawn, plot.full)] : brailleArea(plot.values, { width: drawn, height: own, max: plot.full })
    grid.text({ x, y: row, width: LABEL }, plot.label)
    lines.forEach((line, part) => { grid.text({ x: x + LABEL, y: row + part }, line, PLOT_STYLES[plot.key]) })
    grid.textRight({ x: x + width - RANGE, y: row, width: RANGE }, plot.range)
  })
  const axis = y + first + (shown.length - 1) * tall
  grid.text({ x: x + LABEL, y: axis }, `-${page.seconds} s`, STYLE.dim)
  grid.text({ x: x + LABEL + Math.floor(drawn / 2) - 2, y: axis }, `-${page.seconds / 2} s`, STYLE.dim)
  grid.text({ x: x + LABEL + drawn - 3, y: axis }, '0 X', STYLE.kill)
}

/** Frame and one curve. */
const PLOTS_LEAST = 3
/** Usage, pressure, the full limit. */
const CURVES_LEAST = 3
const plotsLeast = ({ plots }: CasePage): number => (plots.length === 0 ? 0 : Math.min(CURVES_LEAST, plots.length) + 2)

const ALL_OF_IT = ' tab: all of it '

type Heights = { readonly verdict: number; readonly limits: number; readonly candidates: number; readonly plots: number }

/** Least heights first, what is left to the verdict, the candidates, the limits, and the rest to the plots; what has no room is left out from the end. */
function heightsOf(total: number, page: CasePage, { verdictLines, sentenceLines }: { readonly verdictLines: number; readonly sentenceLines: number }): Heights {
  const wanted = {
    verdict: verdictLines + 2, candidates: page.candidates.length === 0 ? 2 : Math.min(page.candidates.length + page.omitted, 12) + 3,
    limits: Math.max(page.limits.length + 1 + (page.limitsNote === '' ? 0 : 1), Math.max(1, page.parts.length) + (page.contributors.length === 0 ? 0 : 1 + Math.min(CONTRIBUTORS, page.contributors.length)) + (page.events === '' ? 0 : 1)) + 2, plots: page.plots.length === 0 ? 0 : 2 * page.plots.length + 3,
  }
  const sentence = Math.min(verdictLines, sentenceLines)
  const least = { verdict: Math.min(wanted.verdict, Math.min(sentence, 5) + 2), candidates: Math.min(wanted.candidates, 6), limits: Math.min(wanted.limits, 5), plots: plotsLeast(page) }
  const heights = { verdict: 0, candidates: 0, limits: 0, plots: 0 }
  let left = total
  for (const part of ['verdict', 'candidates', 'limits', 'plots'] as const) if (least[part] <= left) { heights[part] = least[part]; left -= least[part] }
  // Without their axis the last seconds need a row less.
  if (heights.plots === 0 && least.plots > left && left >= PLOTS_LEAST) { heights.plots = left; left = 0 }
  for (const part of ['verdict', 'candidates', 'limits', 'plots'] as const) {
    if (heights[part] === 0) continue
    const more = Math.max(0, Math.min(left, wanted[part] - heights[part]))
    heights[part] += more
    left -= more
  }
  heights[heights.plots === 0 ? 'verdict' : 'plots'] += left
  return heights
}

type Verdict = { readonly lines: readonly DetailLine[]; readonly heights: Heights; /** Something of it is not here. */ readonly isCut: boolean }

/** The shorter first sentence only where the whole one would take the room of the curves. */
function verdictFor(total: number, page: CasePage, width: number): Verdict {
  const of = (lines: readonly DetailLine[], isBrief: boolean): Verdict => {
    const rows = lines.map(({ text }) => wrap(text, width - 6).length), verdictLines = rows.reduce((sum, count) => sum + count, 0), heights = heightsOf(total, page, { verdictLines, sentenceLines: rows[0] ?? 0 })
    return { lines, heights, isCut: isBrief || verdictLines > heights.verdict - 2 }
  }
  const whole = of(page.verdict, false)
  return page.brief === undefined || whole.heights.plots >= plotsLeast(page) ? whole : of([page.brief, ...page.verdict.slice(1)], true)
}

/** The page below its headline. */
export function paintCasePage(grid: Grid, at: { readonly y: number; readonly height: number }, page: CasePage): void {
  const width = grid.cols, { lines, heights, isCut } = verdictFor(at.height, page, width)
  let { y } = at
  const verdict = { x: 0, y, width, height: heights.verdict }
  grid.box(verdict, cutEnd(page.verdictTitle, width - 8))
  paintSentences(grid, inner(verdict), lines)
  if (isCut && heights.verdict > 0) grid.textRight({ x: 0, y: y + heights.verdict - 1, width: width - 2 }, ALL_OF_IT, STYLE.dim)
  y += heights.verdict
  if (heights.limits > 0) {
    const beside = width >= 100, left = beside ? Math.floor(width * 0.5) : width
    paintLimits(grid, { x: 0, y, width: left, height: heights.limits }, page)
    if (beside) paintParts(grid, { x: left, y, width: width - left, height: heights.limits }, page)
    y += heights.limits
  }
  if (heights.candidates > 0) paintCandidates(grid, { x: 0, y, width, height: heights.candidates }, page)
  y += heights.candidates
  if (heights.plots > 0 && page.plots.length > 0) paintPlots(grid, { x: 0, y, width, height: heights.plots }, page)
}
