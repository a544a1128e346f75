/** Spikes as text for a terminal at 3 a.m.: the headline first, then who, then the highest, at most 80 columns. */
import { plural, sanitize } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'
import { cellText, cutEnd, cutMiddle, wrap } from './cell-text.ts'
import { cellOf, layout } from './columns.ts'
import type { Column } from './columns.ts'
import type { Lens } from './lens.ts'
import { summaryOf, toldSpikes } from './spike-facts.ts'
import type { SpikeSummary } from './spike-facts.ts'
import { heightSign, lengthText, spikeRow, SPIKE_COLUMNS } from './spikes-list.ts'
import type { SpikeRow } from './spikes-list.ts'
import { usageLossText } from './usage-loss.ts'

const COLUMNS = 80
/** Rows of the table of the highest, unless all are wanted. */
const HIGHEST = 20

/** A table as lines of text; its header first. */
export function tableText<Row>(columns: readonly Column<Row>[], rows: readonly Row[], cols = COLUMNS): string[] {
  const longestName = Math.max(8, ...rows.map((row) => { const name = columns.find(({ key }) => key === 'name')?.of(row); return typeof name === 'string' ? name.length : 0 }))
  const placed = layout(columns, { from: 2, cols, longestName })
  const line = (text: (column: Column<Row>) => string): string => {
    let out = ''
    for (const { column, x, width } of placed) {
      const cell = column.key === 'name' ? cutMiddle(text(column), width) : cutEnd(text(column), width)
      out = out.padEnd(x) + (column.align === 'right' ? cell.padStart(width) : cell)
    }
    return out.trimEnd()
  }
  return [line(({ title }) => title), ...rows.map((row) => line((column) => cellText(cellOf(column, row))))]
}

const round = (value: number): string => (value < 9.95 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0))

/** `101 spikes in 7 workloads; kubectl top would have shown 3.` */
export function spikesHeadline(summary: SpikeSummary): string {
  const { count, workloads, shownByTop, topKnown } = summary
  if (count === 0) return 'No spike: nothing rose by 4 MiB, a tenth of its base and a twentieth of its limit, and fell again within a minute.'
  const shown = topKnown === 0 ? 'what kubectl top would have shown is not known: no memory.stat was read' : `kubectl top would have shown ${shownByTop === 0 ? 'none' : shownByTop}${topKnown === count ? '' : ` of the ${topKnown} of which that is known`}${count > 1 && shownByTop === count ? ', all of them' : ''}`
  return `${plural(count, 'spike')} in ${plural(workloads, 'workload')}; ${shown}.`
}

/** What the numbers are worth, one sentence each. */
function footing(summary: SpikeSummary, model: NodeModel): string[] {
  const { byExactness: by, expectedShown: { least, most }, touched, count, omitted, topKnown } = summary, loss = usageLossText(model)
  const parts = [
    by['exact-height'] > 0 ? `${by['exact-height']} with the exact height (memory.peak, reset at each look)` : '', by['high-water'] > 0 ? `${by['high-water']} with the exact height by the high-water mark (~: the time to two seconds only)` : '',
    by.sampled > 0 ? `${by.sampled} at least as high as told (sampled; lower ones under an older high-water mark can be missing)` : '',
  ].filter((part) => part !== '')
  const lines = count === 0 ? [] : [`Heights: ${parts.join('; ')}.`]
  if (topKnown > 0) lines.push(`kubectl top is computed: working set, a look each 15 s. When the looks fall is not known and assumed; over all possibilities ${round(least) === round(most) ? round(most) : `${round(least)} to ${round(most)}`} of them would be seen on average.`)
  if (omitted > 0) lines.push(`${omitted} older spikes${model.covers === undefined ? '' : ', of any cgroup,'} are not kept.`)
  if (loss !== '') lines.push(`Facts are missing: ${loss}. ${touched === 0 ? 'There may be more spikes' : `${touched} of the spikes happened meanwhile (marked >), and there may be more`}.`)
  return lines
}

type Group = { readonly place: string; readonly rows: readonly SpikeRow[]; readonly highest: SpikeRow }

/** How much it matters: near the limit first, then by height. */
const weightOf = ({ limitPercent, heightBytes }: SpikeRow): number => Math.min(1000, Math.floor(limitPercent ?? 0)) * 2 ** 44 + Math.min(heightBytes, 2 ** 43)
const byWeight = (a: SpikeRow, b: SpikeRow): number => weightOf(b) - weightOf(a) || a.tsNs - b.tsNs

function groupsOf(rows: readonly SpikeRow[]): Group[] {
  const byPlace = new Map<string, SpikeRow[]>()
  for (const row of rows) {
    const list = byPlace.get(row.spike.path)
    if (list === undefined) byPlace.set(row.spike.path, [row])
    else list.push(row)
  }
  const groups = [...byPlace.values()].map((list) => ({ place: list[0]?.place ?? '', rows: list, highest: list.toSorted(byWeight)[0] as SpikeRow }))
  return groups.sort((a, b) => byWeight(a.highest, b.highest))
}

const longest = (rows: readonly SpikeRow[]): SpikeRow => rows.reduce((a, b) => (b.mostNs > a.mostNs ? b : a))
const largest = (values: readonly (number | undefined)[]): number | undefined => values.reduce<number | undefined>((max, value) => (value !== undefined && (max === undefined || value > max) ? value : max), undefined)
/** All that the tasks of one memcg waited, each time once: the wait of a spike on top of another is also the other's. In the order they began. */
function waitOf(rows: readonly SpikeRow[]): number | undefined {
  let untilNs = 0, waitedMs: number | undefined
  for (const { tsNs, mostNs, stallMs } of rows) {
    if (stallMs === undefined || tsNs + mostNs <= untilNs) continue
    untilNs = tsNs + mostNs
    waitedMs = (waitedMs ?? 0) + stallMs
  }
  return waitedMs
}

const GROUP_COLUMNS: readonly Column<Group>[] = [
  { key: 'name', title: 'WORKLOAD', unit: 'text', width: 14, grow: 60, align: 'left', weight: 100, help: '', of: (group) => group.place },
  { key: 'count', title: 'SPIKES', unit: 'count', width: 6, align: 'right', weight: 95, help: '', of: (group) => group.rows.length },
  { key: 'shown', title: 'SEEN', unit: 'text', width: 4, align: 'right', weight: 90, help: '', of: (group) => (group.rows.every(({ isMissed }) => isMissed === undefined) ? '?' : String(group.rows.filter(({ isMissed }) => isMissed === false).length)) },
  { key: 'sign', title: '', unit: 'text', width: 1, align: 'right', weight: 84, help: '', of: (group) => heightSign(group.highest) },
  { key: 'peak', title: 'HIGHEST', unit: 'bytes', width: 7, align: 'right', weight: 85, glued: true, help: '', of: (group) => group.highest.peakBytes },
  { key: 'limit', title: 'LIM%', unit: 'percent', width: 5, align: 'right', weight: 80, help: '', of: (group) => group.highest.limitPercent },
  { key: 'top', title: 'k.TOP', unit: 'bytes', width: 5, align: 'right', weight: 75, help: '', of: (group) => largest(group.rows.map(({ kubectlTopBytes }) => kubectlTopBytes)) },
  { key: 'length', title: 'LONGEST', unit: 'text', width: 9, align: 'right', weight: 60, help: '', of: (group) => lengthText(longest(group.rows)) },
  { key: 'stall', title: 'STALL', unit: 'text', width: 7, align: 'right', weight: 50, help: '', of: (group) => { const ms = waitOf(group.rows); return ms === undefined ? '-' : ms < 0.5 ? '·' : formatDuration(ms * 1e6) } },
]

/** Everything, without a trailing newline. `all`: every spike in order of time instead of the highest. */
export function spikesText(lens: Lens, model: NodeModel, options: { readonly all: boolean }): string {
  const spikes = toldSpikes(model), rows = spikes.map((spike) => spikeRow(lens, model, spike)), summary = summaryOf(spikes, model.spikes.omitted), hidden = rows.length - HIGHEST
  const lines = [...wrap(sanitize(spikesHeadline(summary)), COLUMNS), '', ...footing(summary, model).flatMap((text) => wrap(cellText(sanitize(text)), COLUMNS))]
  if (rows.length === 0) return lines.join('\n').trimEnd()
  lines.push('', ...tableText(GROUP_COLUMNS, groupsOf(rows)))
  const shown = options.all ? rows : rows.toSorted(byWeight).slice(0, HIGHEST)
  lines.push('', hidden > 0 && !options.all ? `  the ${HIGHEST} nearest to their limits; --all lists every one, --json tells all about each` : '  each of them; --json tells all about each', ...tableText(SPIKE_COLUMNS, shown))
  return lines.join('\n')
}
