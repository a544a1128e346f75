/** Every spike as one row, newest first: when, whose, how high over what, how long, what it cost, and what kubectl top showed meanwhile. */
import type { NodeModel } from '../model/node.ts'
import type { Exactness, Spike } from '../model/spike.ts'
import { cellText } from './cell-text.ts'
import { timeOf, wallOf } from './clock.ts'
import { countCell } from './compact.ts'
import type { Column } from './columns.ts'
import type { Lens } from './lens.ts'
import { levelLabel, named, placeLabel } from './lens.ts'
import { madeOf, toldSpikes } from './spike-facts.ts'
import { isUsageLost } from './usage-loss.ts'

export type SpikeRow = {
  /** Stays the same while the spike is remembered. */
  readonly id: string
  /** CLOCK_MONOTONIC; it began at or after this. */
  readonly tsNs: number
  readonly time: string
  readonly place: string
  readonly baseBytes: number
  readonly peakBytes: number
  readonly heightBytes: number
  readonly exactness: Exactness
  /** How long it lasted at least and at most. */
  readonly leastNs: number
  readonly mostNs: number
  readonly limitBytes: number | undefined
  /** Peak as per cent of the limit. */
  readonly limitPercent: number | undefined
  readonly kubectlTopBytes: number | undefined
  /** kubectl top showed nothing of it; absent when that is not known. */
  readonly isMissed: boolean | undefined
  readonly stallMs: number | undefined
  readonly madeOf: string | undefined
  /** Facts were lost during it, or nobody knows when: its numbers may be too low. */
  readonly isTouched: boolean
  readonly spike: Spike
}

/** `payments/api-7d9f:api`: the container too, because a pod may have several. */
export function workloadLabel(lens: Lens, model: NodeModel, path: string): string {
  const workload = named(model, lens.workloadOf(path)), place = placeLabel(lens, model, path)
  if (workload.podUid === undefined || workload.level !== 'container') return place
  return `${place}:${levelLabel(workload, path).replace(/^container "(.*)"$/, '$1')}`
}

/** Only a high-water mark tells of it, which is read once a second or later. */
export const isTimeVague = ({ exactness, leastNs }: Pick<Spike, 'exactness' | 'leastNs'>): boolean => exactness === 'high-water' && leastNs === 0

/** `12:00:03.120`, with `~` where it is known to two seconds only. */
function timeText(model: NodeModel, spike: Spike): string {
  const { startNs } = spike, wall = wallOf(model, startNs), date = new Date(wall ?? Number.NaN), isClear = !isTimeVague(spike)
  return `${isClear ? '' : '~'}${Number.isNaN(date.getTime()) || !isClear ? timeOf(model, startNs) : date.toISOString().slice(11, 23)}`
}

/** Whether a row's numbers may be too low because facts are missing: from the spike itself, or because nobody knows from where. */
export function spikeRow(lens: Lens, model: NodeModel, spike: Spike): SpikeRow {
  const { startNs, endNs, leastNs, baseBytes, peakBytes, exactness, limit, kubectlTopBytes, isShownByTop, stallNs, memcgId } = spike
  return {
    id: `${memcgId}-${startNs}-${baseBytes}`, tsNs: startNs, time: timeText(model, spike), place: workloadLabel(lens, model, spike.path), baseBytes, peakBytes, heightBytes: peakBytes - baseBytes, exactness,
    leastNs, mostNs: endNs - startNs, limitBytes: limit?.bytes, limitPercent: limit === undefined || limit.bytes === 0 ? undefined : (100 * peakBytes) / limit.bytes,
    kubectlTopBytes, isMissed: isShownByTop === undefined ? undefined : !isShownByTop, stallMs: stallNs === undefined ? undefined : stallNs / 1e6, madeOf: madeOf(spike), isTouched: spike.isTouched || isUsageLost(model), spike,
  }
}

/** What a row is made of besides its spike, and what a spike may still learn. */
type Made = { readonly row: SpikeRow; readonly names: number; readonly anchor: NodeModel['anchor']; readonly isLost: boolean; readonly stallNs: number | undefined; readonly peakBytes: number; readonly exactness: Exactness }
const MADE = new WeakMap<Spike, Made>()

/** A list asks for tens of thousands of them in every scene, and hardly any has changed. */
function rowOf(lens: Lens, model: NodeModel, { spike, isLost }: { readonly spike: Spike; readonly isLost: boolean }): SpikeRow {
  const { anchor, nameBook: { version: names } } = model, { stallNs, peakBytes, exactness } = spike, before = MADE.get(spike)
  if (before !== undefined && before.names === names && before.anchor === anchor && before.isLost === isLost && before.stallNs === stallNs && before.peakBytes === peakBytes && before.exactness === exactness) return before.row
  const row = spikeRow(lens, model, spike)
  MADE.set(spike, { row, names, anchor, isLost, stallNs, peakBytes, exactness })
  return row
}

/** Newest first. */
export function spikeRows(lens: Lens, model: NodeModel): SpikeRow[] {
  const isLost = isUsageLost(model)
  return toldSpikes(model).map((spike) => rowOf(lens, model, { spike, isLost })).toReversed()
}

const tenths = (value: number): string => value.toFixed(value < 9.95 ? 1 : 0)
const msText = (ns: number): string => (ns < 999.5e6 ? `${Math.round(ns / 1e6)}ms` : `${tenths(ns / 1e9)}s`)

/** `<100ms` between two looks, else `0.3-0.5s`; one number when both are nearly the same. */
export function lengthText({ leastNs, mostNs }: Pick<SpikeRow, 'leastNs' | 'mostNs'>): string {
  if (leastNs === 0) return `<${msText(mostNs)}`
  return leastNs >= 0.9 * mostNs ? msText(mostNs) : mostNs < 999.5e6 ? `${Math.round(leastNs / 1e6)}-${msText(mostNs)}` : `${tenths(leastNs / 1e9)}-${msText(mostNs)}`
}

/** One character before the height: `=` exact, `>` at least. */
export const heightSign = ({ exactness, isTouched }: Pick<SpikeRow, 'exactness' | 'isTouched'>): string => (exactness === 'sampled' || isTouched ? '>' : '=')

export const SPIKE_COLUMNS: readonly Column<SpikeRow>[] = [
  { key: 'time', title: 'TIME', unit: 'text', width: 12, align: 'left', weight: 100, help: 'it began at or after this, UTC; ~ = known to two seconds only', of: (row) => row.time },
  { key: 'name', title: 'WORKLOAD', unit: 'text', width: 14, grow: 60, align: 'left', weight: 98, help: 'namespace/pod:container, else service or cgroup path', of: (row) => row.place },
  { key: 'base', title: 'BASE', unit: 'bytes', width: 5, align: 'right', weight: 60, help: 'usage before it', of: (row) => row.baseBytes },
  { key: 'sign', title: '', unit: 'text', width: 1, align: 'right', weight: 94, help: '= exact height; > at least so high (sampled, or facts were lost)', of: heightSign },
  { key: 'peak', title: 'PEAK', unit: 'bytes', width: 5, align: 'right', weight: 95, glued: true, help: 'highest usage', of: (row) => row.peakBytes },
  { key: 'limit', title: 'LIM%', unit: 'percent', width: 5, align: 'right', weight: 85, help: 'the peak as per cent of the limit, its own or the nearest above', of: (row) => row.limitPercent },
  { key: 'length', title: 'LENGTH', unit: 'text', width: 9, align: 'right', weight: 80, help: 'at least to at most; <100ms = between two looks', of: lengthText },
  { key: 'top', title: 'k.TOP', unit: 'bytes', width: 5, align: 'right', weight: 90, help: 'the highest kubectl top would have shown meanwhile, looking each 15 s', of: (row) => row.kubectlTopBytes },
  { key: 'seen', title: 'SEEN', unit: 'text', width: 4, align: 'left', weight: 88, help: 'kubectl top showed it: a look fell into it and found at least half of its height', of: (row) => (row.isMissed === undefined ? '?' : row.isMissed ? 'no' : 'yes') },
  { key: 'stall', title: 'STALL', unit: 'text', width: 5, align: 'right', weight: 70, help: 'time its tasks waited in reclaim or throttling meanwhile', of: (row) => (row.stallMs === undefined ? '-' : row.stallMs < 0.5 ? '·' : `${countCell(Math.round(row.stallMs))}ms`) },
  { key: 'made', title: 'MADE OF', unit: 'text', width: 7, grow: 16, align: 'left', weight: 50, help: 'what grew; ? = memory.stat was not read while it lasted', of: (row) => cellText(row.madeOf ?? '?') },
]
