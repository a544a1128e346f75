/** The node's page as sections of tables: what its memory holds, how it is pressed, zones against their watermarks, free blocks, slab caches. */
import type { EventOf } from '../event/event.ts'
import type { History } from '../model/history.ts'
import type { NodeModel } from '../model/node.ts'
import { bytesCell, percentCell } from './compact.ts'
import type { DetailLine } from './detail.ts'
import { nextVictimLine } from './next-victim.ts'
import { nextVictimTable } from './next-victim-table.ts'
import { nodePage } from './node-page.ts'
import type { NodePage, RateLine, ZoneLine, ZoneState } from './node-page.ts'
import { rowOf } from './sheet.ts'
import type { Sheet, SheetRow, TableSection, TextSection, Tone } from './sheet.ts'
import { series, usageSeries } from './window.ts'

const SPARK_SECONDS = 60
/** PSI avg10 of the node from which on it is worth a look, and alarming. */
const PSI_WARN = 5, PSI_ALARM = 20
/** Share of memory that is not available from which on the same. */
const USED_WARN = 0.85, USED_ALARM = 0.95

const TONES: Readonly<Record<DetailLine['tone'], Tone>> = { plain: 'plain', strong: 'strong', urgent: 'alarm', differs: 'differs', quiet: 'quiet', advice: 'good' }
const graded = (value: number, [warn, alarm]: readonly [number, number]): Tone => (value >= alarm ? 'alarm' : value >= warn ? 'warn' : 'good')

function meaningSection(model: NodeModel, { lines }: NodePage): TextSection {
  const { memory } = model, said: { readonly text: string; readonly tone: Tone }[] = []
  if (memory !== undefined && memory.totalBytes > 0) {
    const share = 1 - memory.availableBytes / memory.totalBytes
    said.push({ text: `${bytesCell(memory.availableBytes)} of ${bytesCell(memory.totalBytes)} can be had without swapping (${Math.round(100 * (1 - share))} %); ${memory.swapTotalBytes === 0 ? 'there is no swap.' : `${bytesCell(memory.swapFreeBytes)} of ${bytesCell(memory.swapTotalBytes)} swap are free.`}`, tone: share >= USED_ALARM ? 'alarm' : share >= USED_WARN ? 'warn' : 'plain' })
  }
  said.push(...[...lines, ...nextVictimLine(model)].map(({ text, tone }) => ({ text, tone: TONES[tone] })))
  if (said.length === 0) said.push({ text: 'Nothing is told about the node yet.', tone: 'quiet' })
  return { kind: 'text', title: 'how the node is', span: 'full', lines: said }
}

function memoryRows(memory: EventOf<'node_memory'>, history: History, lastSecond: number): SheetRow[] {
  const { totalBytes } = memory, used = totalBytes - memory.availableBytes
  const row = (label: string, bytes: number, tone: Tone = 'data', of = totalBytes): SheetRow => rowOf([label, bytes === 0 ? '·' : bytesCell(bytes), { share: of === 0 ? 0 : bytes / of, tone }])
  return [
    row('not available', used, graded(used / totalBytes, [USED_WARN, USED_ALARM])), rowOf([' the last minute', '', { values: usageSeries(history, { lastSecond, seconds: SPARK_SECONDS }), full: totalBytes }]),
    row('anon', memory.anonBytes), row('file cache', memory.cachedBytes, 'good'), row(' shmem, tmpfs', memory.shmemBytes, 'differs'), row(' to be written', memory.dirtyBytes + memory.writebackBytes, 'warn'),
    row('slab', memory.slabBytes, 'data'), row(' reclaimable', memory.slabReclaimableBytes, 'good'), row('free', memory.freeBytes, 'quiet'),
    ...(memory.swapTotalBytes === 0 ? [] : [row('swap used', memory.swapTotalBytes - memory.swapFreeBytes, 'warn', memory.swapTotalBytes)]),
  ]
}

function memorySection(model: NodeModel): TableSection {
  const { memory } = model, lastSecond = Math.floor(model.nowNs / 1e9)
  return {
    kind: 'table', title: memory === undefined ? 'memory' : `memory: ${bytesCell(memory.totalBytes)}`, span: 'half', empty: '/proc/meminfo was not told.', rows: memory === undefined ? [] : memoryRows(memory, model.history, lastSecond),
    columns: [{ title: '', width: 16, weight: 100 }, { title: '', width: 6, align: 'right', weight: 95 }, { title: '', width: 6, grow: 60, weight: 50 }],
  }
}

function pressureRows(model: NodeModel): SheetRow[] {
  const { psi, history } = model, lastSecond = Math.floor(model.nowNs / 1e9) - 1
  if (psi === undefined) return [rowOf(['not available', '', ''], 'quiet')]
  const row = (label: string, centi: number, name: 'someUs' | 'fullUs'): SheetRow => {
    const values = series(history, name, { lastSecond, seconds: SPARK_SECONDS }).map((us) => us / 1e4), tone = graded(centi / 100, [PSI_WARN, PSI_ALARM])
    return rowOf([label, `${percentCell(centi / 100)} %`, { values, full: 100, tone }], 'plain', [undefined, tone === 'good' ? undefined : tone])
  }
  return [row('somebody waits', psi.someAvg10Centi, 'someUs'), row('everybody waits', psi.fullAvg10Centi, 'fullUs')]
}

const pressureSection = (model: NodeModel): TableSection => ({
  kind: 'table', title: 'pressure (PSI, of 10 s; 60 s beside it)', span: 'half', empty: '', rows: pressureRows(model),
  columns: [{ title: '', width: 15, weight: 100 }, { title: '', width: 7, align: 'right', weight: 95 }, { title: '', width: 6, grow: 60, weight: 50 }],
})

const RATE_TONES: Readonly<Record<RateLine['tone'], Tone>> = { quiet: 'quiet', plain: 'plain', urgent: 'alarm' }

/** Two rates a line: they are many and short. */
function ratesSection({ rates }: NodePage): TableSection {
  const half = Math.ceil(rates.length / 2), rows = rates.slice(0, half).map((left, i) => {
    const right = rates[half + i]
    return rowOf([left.label, left.text, right?.label ?? '', right?.text ?? ''], 'plain', [RATE_TONES[left.tone], RATE_TONES[left.tone], right === undefined ? undefined : RATE_TONES[right.tone], right === undefined ? undefined : RATE_TONES[right.tone]])
  })
  return {
    kind: 'table', title: 'reclaim of the node, per second (mean of 10 s)', span: 'half', empty: '', rows,
    columns: [{ title: '', width: 18, grow: 22, weight: 100 }, { title: '', width: 6, align: 'right', weight: 95 }, { title: '', width: 20, grow: 24, weight: 90 }, { title: '', width: 6, align: 'right', weight: 85 }],
  }
}

const ZONE_WORDS: Readonly<Record<ZoneState, readonly [words: string, tone: Tone]>> = {
  ample: ['kswapd sleeps', 'good'], resting: ['kswapd may rest', 'plain'], kswapd: ['kswapd reclaims', 'warn'], direct: ['allocations wait', 'alarm'], reserved: ['reserved', 'quiet'],
}

/** The bar reaches to the high watermark three quarters of the way: what matters is how far free memory is from it, not from the whole zone. */
const zoneShare = ({ freeBytes, marks }: ZoneLine): number => (marks.highBytes === 0 ? 0 : Math.min(1, (0.75 * freeBytes) / marks.highBytes))

function zonesSection({ zones }: NodePage): TableSection {
  return {
    kind: 'table', title: 'zones: free memory against the watermarks (high is at three quarters of the bar)', span: 'full', empty: 'Zones are not told in this stream.',
    columns: [
      { title: 'ZONE', width: 8, grow: 16, weight: 100 }, { title: 'STATE', width: 16, weight: 95 }, { title: 'FREE', width: 5, align: 'right', weight: 94 }, { title: 'MIN', width: 5, align: 'right', weight: 90 },
      { title: 'LOW', width: 5, align: 'right', weight: 89 }, { title: 'HIGH', width: 5, align: 'right', weight: 88 }, { title: 'SIZE', width: 5, align: 'right', weight: 70 }, { title: '', width: 10, grow: 60, weight: 50 },
    ],
    rows: zones.map((zone) => { const [words, tone] = ZONE_WORDS[zone.state]; return rowOf([zone.label, words, zone.free, zone.min, zone.low, zone.high, zone.managed, { share: zoneShare(zone), tone }], zone.state === 'reserved' ? 'quiet' : 'plain', [undefined, tone]) }),
  }
}

/** `node 0 DMA` and `node 0 DMA32` must not end alike: rather a column of sizes falls. */
const zoneWidth = (lines: readonly { readonly label: string }[]): number => Math.min(16, Math.max(8, ...lines.map(({ label }) => label.length)))

function buddySection({ buddy, orders }: NodePage): TableSection {
  return {
    kind: 'table', title: 'free blocks by size', span: 'full', empty: 'Free blocks are not told in this stream.',
    columns: [{ title: 'ZONE', width: zoneWidth(buddy), grow: 16, weight: 100 }, ...orders.map((title, order) => ({ title, width: 5, align: 'right' as const, weight: 90 - order })), { title: 'LARGEST', width: 7, align: 'right', weight: 95 }],
    rows: buddy.map(({ label, cells, largest }) => rowOf([label, ...cells, largest])),
  }
}

const SLABS_SHOWN = 10

function slabSection({ slabs, slabsAbsent }: NodePage): TableSection {
  return {
    kind: 'table', title: 'largest slab caches', span: 'full', empty: `${slabsAbsent ?? 'None'}.`,
    columns: [{ title: 'CACHE', width: 16, grow: 28, weight: 100 }, { title: 'SIZE', width: 5, align: 'right', weight: 95 }, { title: 'OBJECTS', width: 7, align: 'right', weight: 70 }, { title: 'IN USE', width: 6, align: 'right', weight: 80 }, { title: '', width: 8, grow: 60, weight: 50 }],
    rows: slabs.slice(0, SLABS_SHOWN).map(({ name, size, objects, used, share }) => rowOf([name, size, objects, used, { share }])),
  }
}

export function nodeSheet(model: NodeModel): Sheet {
  const page = nodePage(model)
  return [meaningSection(model, page), memorySection(model), pressureSection(model), ratesSection(page), nextVictimTable(model), zonesSection(page), buddySection(page), slabSection(page)]
}
