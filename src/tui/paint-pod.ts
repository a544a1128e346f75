/** Paints the page of a workload: charts at the left, composition and limits at the right, containers and what it all means below. */
import { cutEnd, cutMiddle, wrap } from '../view/cell-text.ts'
import { bytesCell } from '../view/compact.ts'
import type { Composition, CompositionPart } from '../view/composition.ts'
import type { DetailLine } from '../view/detail.ts'
import type { Chart, Curve, PodPage } from '../view/pod-page.ts'
import { bar, brailleLine } from '../view/sparkline.ts'
import { STYLE } from './grid.ts'
import type { Grid, Style } from './grid.ts'
import { paintSentences, SENTENCE_STYLES } from './paint-panes.ts'
import type { Rect } from './paint-panes.ts'
import { paintSection } from './paint-sheet.ts'

const inner = (at: Rect): Rect => ({ x: at.x + 1, y: at.y + 1, width: at.width - 2, height: at.height - 2 })
const CURVES: Readonly<Record<Curve['key'], Style>> = { used: STYLE.data, some: STYLE.warn, full: STYLE.victim, stall: STYLE.warn, high: STYLE.warn, max: STYLE.victim }
const SCALE = 6

export function paintChart(grid: Grid, at: Rect, chart: Chart): void {
  grid.box(at, cutEnd(chart.title, at.width - 8))
  const { x, y, width, height } = inner(at), size = { width: width - SCALE, height, min: 0, max: chart.full }
  // The limit last: where both fall into one row, it is the one that kills.
  for (const { at: value, key } of [...chart.rules].reverse()) grid.text({ x: x + SCALE, y: y + Math.min(height - 1, Math.floor((1 - value / chart.full) * height)), width: size.width }, '─'.repeat(size.width), key === 'max' ? STYLE.victim : STYLE.warn)
  for (const { key, values } of chart.curves) brailleLine(values, size).forEach((line, row) => [...line].forEach((char, column) => { if (char !== ' ') grid.text({ x: x + SCALE + column, y: y + row }, char, CURVES[key]) }))
  grid.textRight({ x, y, width: SCALE - 1 }, chart.fullText, STYLE.dim)
  if (height >= 3) grid.textRight({ x, y: y + height - 1, width: SCALE - 1 }, '0', STYLE.dim)
}

/** The first chart gets twice the height of the others; those that would be less than two rows high are left out. */
function paintCharts(grid: Grid, at: Rect, charts: readonly Chart[]): void {
  const count = Math.max(1, Math.min(charts.length, Math.floor(at.height / 4) - (at.height >= 16 ? 1 : 0))), shown = charts.slice(0, count), unit = Math.floor(at.height / (count + 1))
  let { y } = at
  shown.forEach((chart, i) => {
    const height = i === count - 1 ? at.y + at.height - y : i === 0 && count > 1 ? at.height - unit * (count - 1) : unit
    paintChart(grid, { ...at, y, height }, chart)
    y += height
  })
}

/** Of too many parts the smallest go; what they come to is worth more than those. */
function partsFor({ parts, facts }: Composition, height: number): { readonly parts: readonly CompositionPart[]; readonly facts: Composition['facts'] } {
  const told = facts.slice(0, Math.max(0, height - LEAST_PARTS)), kept = new Set(parts.toSorted((a, b) => b.bytes - a.bytes).slice(0, height - told.length))
  return { parts: parts.filter((part) => kept.has(part)), facts: told }
}
const LEAST_PARTS = 2

function paintComposition(grid: Grid, at: Rect, { composition }: PodPage): void {
  grid.box(at, composition.title)
  const { x, y, width, height } = inner(at), drawn = Math.max(4, Math.min(14, width - 22), Math.min(40, width - 40)), noteAt = 15 + drawn + 7, { parts, facts } = partsFor(composition, height)
  if (parts.length === 0) grid.text({ x: x + 1, y, width: width - 2 }, 'not sampled', STYLE.dim)
  parts.forEach(({ label, bytes, share, note }, i) => {
    const text = bar(share, drawn)
    grid.text({ x: x + 1, y: y + i, width: 13 }, label, STYLE.normal)
    for (let cell = 0; cell < drawn; cell++) grid.text({ x: x + 15 + cell, y: y + i }, text.charAt(cell), text.charAt(cell) === '·' ? STYLE.frame : label === 'anon' ? STYLE.data : label.startsWith('file') ? STYLE.good : STYLE.warn)
    grid.textRight({ x: x + 15 + drawn, y: y + i, width: 6 }, bytesCell(bytes))
    if (noteAt + note.length < width) grid.text({ x: x + noteAt, y: y + i }, note, STYLE.dim)
  })
  // Below the parts, after a blank line where there is one to spare.
  const from = y + Math.min(height - facts.length, parts.length + 1)
  facts.forEach(({ text, more, tone }, i) => { grid.text({ x: x + 1, y: from + i, width: width - 2 }, text.length + more.length <= width - 2 ? text + more : text, SENTENCE_STYLES[tone]) })
}

/** Levels without a limit stand there as far as the composition does not need their room. */
function levelsFor({ levels, composition: { parts, facts } }: PodPage, height: number): PodPage['levels'] {
  return levels.length + 3 + parts.length + facts.length + 2 <= height ? levels : levels.filter(({ high, max }) => max !== 'max' || (high !== 'max' && high !== ''))
}

function paintLevels(grid: Grid, at: Rect, levels: PodPage['levels']): void {
  grid.box(at, 'limits, from the inside out')
  const { x, y, width, height } = inner(at), hasHigh = levels.some(({ high }) => high !== 'max' && high !== ''), name = Math.max(8, width - (hasHigh ? 26 : 20))
  const line = (row: number, cells: readonly string[], style: Style, mark: string): void => {
    grid.text({ x, y: row }, mark, style)
    grid.text({ x: x + 1, y: row, width: name }, cutMiddle(cells[0] ?? '', name), style)
    cells.slice(1).forEach((text, i) => { grid.textRight({ x: x + 2 + name + i * 6, y: row, width: 5 }, text, style) })
  }
  line(y, ['LEVEL', 'USED', ...(hasHigh ? ['HIGH'] : []), 'MAX', '%'], STYLE.dim, ' ')
  const short = (label: string): string => (label.length <= name ? label : label.replace(/^container "(.*)"$/, '$1'))
  levels.slice(0, height - 1).forEach((level, i) => line(y + 1 + i, [short(level.label), level.used, ...(hasHigh ? [level.high] : []), level.max, level.share], level.binds ? STYLE.alert : STYLE.normal, level.binds ? '>' : ' '))
}

/** Those who would die next, where the charts keep their room; further ones only on a large screen. */
const victimLines = ({ victims }: PodPage, total: number): number => (victims === undefined || total < 30 ? 0 : 3 + Math.min(victims.rows.length, total < 50 ? 4 : 8))

/** The limit stands last and is never half a number: what is in front of it goes first. */
function lastParts(subtitle: string, room: number): string {
  const parts = subtitle.split(' · ')
  while (parts.length > 1 && parts.join(' · ').length > room) parts.shift()
  return cutEnd(parts.join(' · '), Math.max(0, room))
}

/** Everything below the headline. `lines` say in sentences what the numbers mean. */
export function paintPodPage(grid: Grid, at: { readonly y: number; readonly height: number }, what: { readonly page: PodPage; readonly name: string; readonly lines: readonly DetailLine[] }): void {
  const { page, lines } = what, width = grid.cols
  const x = grid.text({ x: 1, y: at.y }, cutMiddle(what.name, Math.max(24, width - page.subtitle.length - 4)), STYLE.bold)
  grid.text({ x: x + 2, y: at.y }, lastParts(page.subtitle, width - x - 3), STYLE.dim)
  const top = at.y + 1, total = at.height - 1, beside = page.containers.rows.length > 1 && width >= 100, prose = beside ? Math.floor(width * 0.58) : width
  const said = lines.reduce((sum, { text }) => sum + wrap(text, prose - 6).length, 0), below = total < 12 ? Math.min(total, said + 2) : Math.min(Math.max(said, beside ? page.containers.rows.length + 1 : 0) + 2, Math.max(5, Math.floor(total * (total >= 24 ? 0.34 : 0.42))))
  const victims = victimLines(page, total), above = total - below - victims, right = width >= 70 ? Math.floor(width * (width >= 100 ? 0.42 : 0.45)) : 0
  if (above >= 4) {
    paintCharts(grid, { x: 0, y: top, width: width - right, height: above }, page.charts)
    const shown = levelsFor(page, above), levels = right === 0 ? 0 : Math.min(shown.length + 3, Math.max(0, above - 4))
    if (right > 0) paintComposition(grid, { x: width - right, y: top, width: right, height: above - levels }, page)
    if (levels >= 4) paintLevels(grid, { x: width - right, y: top + above - levels, width: right, height: levels }, shown)
  }
  if (page.victims !== undefined && victims > 0) paintSection(grid, { x: 0, y: top + above, width, height: victims }, page.victims)
  if (beside) paintSection(grid, { x: 0, y: top + above + victims, width: width - prose, height: below }, page.containers)
  const at2 = { x: width - prose, y: top + above + victims, width: prose, height: below }
  grid.box(at2, 'what this means')
  paintSentences(grid, { x: at2.x + 2, y: at2.y + 1, width: at2.width - 4, height: at2.height - 2 }, lines)
}
