/** The charts page: memory, pressure and waiting of the node over two minutes, drawn by blessed-contrib. Loaded only when it is opened. */
import contrib from 'blessed-contrib'
import type { Widgets } from 'blessed'
import { HISTORY_SECONDS } from '../model/history.ts'
import type { NodeModel } from '../model/node.ts'
import { largest, series, usageSeries } from '../view/window.ts'

/** An open page of charts; a new size needs a new one (contrib keeps the canvas of its first size). */
export type Charts = { readonly update: (model: NodeModel) => void; readonly close: () => void }

/** One less than is kept: the newest second is not over. */
const SECONDS = HISTORY_SECONDS - 1

type Chart = { readonly title: string; readonly of: (model: NodeModel, lastSecond: number) => { readonly values: readonly number[]; readonly full: number } }

const span = (lastSecond: number): { readonly lastSecond: number; readonly seconds: number } => ({ lastSecond, seconds: SECONDS })
const atLeast = (values: readonly number[], least: number): number => Math.max(least, (largest(values) ?? 0) * 1.1)

/** Waiting of all tasks of the node, ms in each second: the sum over the cgroups in which they waited. */
function stallMs(model: NodeModel, lastSecond: number): number[] {
  const sum = new Array<number>(SECONDS).fill(0)
  for (const memcg of model.memcgs.values()) {
    if (memcg.counters === undefined) continue
    series(memcg.history, 'stallNs', span(lastSecond)).forEach((ns, i) => { if (!Number.isNaN(ns)) sum[i] = (sum[i] ?? 0) + ns / 1e6 })
  }
  return sum
}

const CHARTS: readonly Chart[] = [
  { title: 'memory used (GiB)', of: (model, last) => {
    const values = usageSeries(model.history, span(last)).map((bytes) => bytes / 2 ** 30)
    return { values, full: model.memory === undefined ? atLeast(values, 0.1) : model.memory.totalBytes / 2 ** 30 }
  } },
  { title: 'PSI some (% of each second)', of: (model, last) => {
    const values = series(model.history, 'someUs', span(last)).map((us) => us / 1e4)
    return { values, full: Math.min(100, atLeast(values, 5)) }
  } },
  { title: 'waiting for reclaim (ms in each second)', of: (model, last) => {
    const values = stallMs(model, last)
    return { values, full: atLeast(values, 10) }
  } },
]

/** contrib.line draws no gaps: unknown seconds at the left are left out, those between are drawn as the value before them. */
function known(values: readonly number[]): number[] {
  const first = values.findIndex((value) => !Number.isNaN(value))
  let last = 0
  return first < 0 ? [] : values.slice(first).map((value) => (last = Number.isNaN(value) ? last : value))
}

export function openCharts(screen: Widgets.Screen, body: { readonly y: number; readonly height: number }): Charts {
  const height = Math.floor(body.height / CHARTS.length)
  const lines = CHARTS.map((chart, i) => {
    const line = contrib.line({
      top: body.y + i * height, left: 0, width: '100%', height, label: ` ${chart.title} `, showLegend: false, wholeNumbersOnly: false,
      // maxY is set before data: without it contrib scans all points for every point.
      maxY: 1, minY: 0, style: { line: 'cyan', text: 'white', baseline: 'white' }, border: { type: 'line' },
    } as never) as unknown as Widgets.BoxElement & { options: { maxY: number }; setData(data: readonly object[]): void }
    screen.append(line)
    line.emit('attach')
    return { chart, line }
  })
  return {
    update: (model) => {
      const last = Math.floor(model.nowNs / 1e9) - 1
      for (const { chart, line } of lines) {
        const { values, full } = chart.of(model, last), y = known(values)
        line.options.maxY = full
        if (y.length > 0) line.setData([{ title: '', x: y.map((_, i) => (i === y.length - 1 ? 'now' : `-${y.length - 1 - i}s`)), y, style: { line: 'cyan' } }])
      }
    },
    close: () => { for (const { line } of lines) line.detach() },
  }
}
