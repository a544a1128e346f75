/** The node's memory pressure over minutes to days, second by second, with the kills: what the bar at the bottom shows. */
import { HISTORY_SECONDS } from '../model/history.ts'
import { isOomCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { secondOf } from '../model/rates.ts'

/** Longest span kept live; a recording is kept whole. */
export const TIMELINE_SECONDS = 3600
/** Beyond a week the oldest seconds are let go. */
const MOST_SECONDS = 7 * 86_400
/** Spans the bar may show live: the smallest that holds everything seen. */
const SPANS_S = [120, 300, 900, 1800, TIMELINE_SECONDS]

/** PSI some, per cent of the second, that each of the eight block heights begins at: equal heights mean equal pressure at any time. */
export const PRESSURE_STEPS = [0, 0.5, 1, 2, 5, 10, 20, 40] as const

/** What accrued is spread over the seconds before it was read: so many of them may still grow. */
const LATE_SECONDS = 3

/** PSI some of one second in per cent. Silence after the newest reading is zero (unchanged is not sent); before the first it is unknown. */
function percentAt({ history }: NodeModel, second: number): number {
  const value = secondOf(history.someUs, history.newestSecond, second) / 1e4
  return Number.isNaN(value) && history.someUs.length > 0 && second > history.newestSecond ? 0 : value
}

/** Remembers one pressure value per second for longer than the model's own history. Fed at every frame. */
export class Timeline {
  private readonly seconds: number
  private readonly percent: Float32Array
  private firstSecond = -1
  private lastSecond = -1

  constructor(seconds = TIMELINE_SECONDS) {
    this.seconds = Math.max(TIMELINE_SECONDS, Math.min(MOST_SECONDS, Math.ceil(seconds)))
    this.percent = new Float32Array(this.seconds).fill(Number.NaN)
  }

  /** Copies the seconds the model has closed since the last call. Time running backwards (a seek) starts over. */
  feed(model: NodeModel): void {
    const newest = Math.floor(model.nowNs / 1e9) - 1
    if (newest < 0 || newest === this.lastSecond) return
    if (newest < this.lastSecond) this.reset()
    const from = Math.max(this.lastSecond + 1 - LATE_SECONDS, newest - HISTORY_SECONDS + 1, 0)
    for (let second = this.lastSecond + 1; this.lastSecond >= 0 && second < Math.min(from, newest + 1) && second - this.lastSecond <= this.seconds; second++) this.percent[second % this.seconds] = Number.NaN
    for (let second = from; second <= newest; second++) {
      const value = percentAt(model, second)
      this.percent[second % this.seconds] = value
      if (!Number.isNaN(value) && this.firstSecond < 0) this.firstSecond = second
    }
    this.lastSecond = newest
  }

  /** The picture for `columns` cells: from when to when, the largest pressure of each cell, which kills fall where. */
  columns(model: NodeModel, wanted: Wanted): TimelineColumns {
    const { columns } = wanted, { startSecond, endSecond } = wanted.range === undefined ? this.recent(model, wanted.nowNs) : whole(wanted.range), span = endSecond - startSecond
    const at = (second: number): number => Math.min(columns - 1, Math.max(0, Math.floor(((second - startSecond) / span) * columns)))
    const percent = new Array<number>(columns).fill(Number.NaN)
    for (let second = Math.max(Math.floor(startSecond), this.firstSecond, this.lastSecond - this.seconds + 1, 0); this.firstSecond >= 0 && second <= Math.min(endSecond, this.lastSecond); second++) {
      const value = this.percent[second % this.seconds] ?? Number.NaN, x = at(second)
      if (!Number.isNaN(value) && !((percent[x] ?? Number.NaN) >= value)) percent[x] = value
    }
    const inside = (tsNs: number): boolean => tsNs / 1e9 >= startSecond && tsNs / 1e9 <= endSecond + 1
    return {
      startNs: startSecond * 1e9, endNs: endSecond * 1e9, percent: spread(percent, columns / span),
      kills: model.cases.filter((killCase) => isOomCase(killCase) && killCase.victims.length > 0 && inside(killCase.tsNs)).map((killCase) => at(killCase.tsNs / 1e9)),
      triggers: model.recent.filter((event) => event.kind === 'psi_trigger' && inside(event.tsNs)).map((event) => at(event.tsNs / 1e9)),
    }
  }

  /** The smallest of the usual spans that ends now and holds everything seen. */
  private recent(model: NodeModel, nowNs: number): Seconds {
    const endSecond = Math.max(0, Math.floor(nowNs / 1e9))
    const oldestKill = model.cases.find((killCase) => killCase.tsNs >= nowNs - TIMELINE_SECONDS * 1e9 && killCase.tsNs <= nowNs)
    const first = Math.min(this.firstSecond < 0 ? endSecond : this.firstSecond, oldestKill === undefined ? endSecond : Math.floor(oldestKill.tsNs / 1e9))
    return { startSecond: endSecond - (SPANS_S.find((seconds) => seconds >= endSecond - first) ?? TIMELINE_SECONDS), endSecond }
  }

  private reset(): void {
    this.percent.fill(Number.NaN)
    this.firstSecond = -1
    this.lastSecond = -1
  }
}

/** `range`: exactly this stretch (a recording); without it, what led up to now. */
type Wanted = { readonly columns: number; readonly nowNs: number; readonly range?: Range | undefined }
export type Range = { readonly startNs: number; readonly endNs: number }
type Seconds = { readonly startSecond: number; readonly endSecond: number }

/** Not rounded: a recording of ten seconds must not be drawn a second off. */
const whole = ({ startNs, endNs }: Range): Seconds => ({ startSecond: startNs / 1e9, endSecond: Math.max(endNs, startNs + 1e9) / 1e9 })

export type TimelineColumns = { readonly startNs: number; readonly endNs: number; readonly percent: readonly number[]; readonly kills: readonly number[]; readonly triggers: readonly number[] }

/** With more cells than seconds, a second fills all its cells instead of leaving holes that look like missing data. */
function spread(percent: readonly number[], cellsPerSecond: number): number[] {
  const reach = Math.ceil(cellsPerSecond) - 1
  return percent.map((value, x) => {
    for (let back = 0; back <= reach && Number.isNaN(value); back++) value = percent[x - back] ?? Number.NaN
    return value
  })
}

/** 1..8 for the height of a pressure, 0 = not known. */
export function stepOf(percent: number): number {
  let step = 0
  while (percent >= (PRESSURE_STEPS[step] ?? Infinity)) step += 1
  return step
}
