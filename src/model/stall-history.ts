/** What the tasks of one memcg waited for in the last two minutes, second by second: time, number, latency and pages freed, in fixed typed arrays. */
import { COUNTERS, STALLS } from '../event/kinds.ts'
import { NS_PER_SECOND } from '../base/time.ts'
import { HISTORY_SECONDS } from './history.ts'

/** Latency classes of the heat map: class 0 holds everything below 2^(FIRST+1) ns (8 µs), each next one twice as much, the last everything above. */
export const HEAT_CLASSES = 20
const FIRST_BUCKET = 12
/** Shortest wait of a class, ns. */
export const heatFromNs = (heatClass: number): number => (heatClass === 0 ? 0 : 2 ** (FIRST_BUCKET + heatClass))

/** About 15 KiB; kept for so many memcgs, those that waited last. */
export const MAX_STALL_HISTORIES = 512

export type StallHistory = {
  newestSecond: number
  /** By index of STALLS, then slot: nanoseconds waited and waits ended in the second. */
  readonly waitedNs: Float32Array
  readonly waits: Float32Array
  /** Pages freed by the reclaim they waited for. */
  readonly freedPages: Float32Array
  /** Waits by slot, then latency class, of all kinds that have a histogram. */
  readonly heat: Float32Array
}

const create = (): StallHistory => ({
  newestSecond: -1, waitedNs: new Float32Array(STALLS.length * HISTORY_SECONDS), waits: new Float32Array(STALLS.length * HISTORY_SECONDS),
  freedPages: new Float32Array(HISTORY_SECONDS), heat: new Float32Array(HEAT_CLASSES * HISTORY_SECONDS),
})

/** Of a memcg that waits; the memcg whose last wait is longest ago gives up its place. */
function historyOf(stalls: Map<number, StallHistory>, memcgId: number): StallHistory {
  const known = stalls.get(memcgId)
  if (known !== undefined) return known
  if (stalls.size >= MAX_STALL_HISTORIES) {
    let oldest: number | undefined, second = Infinity
    for (const [id, history] of stalls) if (history.newestSecond < second) { oldest = id; second = history.newestSecond }
    if (oldest !== undefined) stalls.delete(oldest)
  }
  const made = create()
  stalls.set(memcgId, made)
  return made
}

function clearSlot(history: StallHistory, slot: number): void {
  for (let kind = 0; kind < STALLS.length; kind++) history.waitedNs[kind * HISTORY_SECONDS + slot] = history.waits[kind * HISTORY_SECONDS + slot] = 0
  history.freedPages[slot] = 0
  history.heat.fill(0, slot * HEAT_CLASSES, (slot + 1) * HEAT_CLASSES)
}

/** Makes room for the second and returns its slot, or -1 when it is no longer kept. */
function slotOf(history: StallHistory, tsNs: number): number {
  const second = Math.floor(tsNs / NS_PER_SECOND)
  if (second > history.newestSecond) {
    if (history.newestSecond >= 0) for (let s = Math.max(history.newestSecond + 1, second - HISTORY_SECONDS + 1); s <= second; s++) clearSlot(history, s % HISTORY_SECONDS)
    history.newestSecond = second
  } else if (history.newestSecond - second >= HISTORY_SECONDS) return -1
  return second % HISTORY_SECONDS
}

type Series = 'waitedNs' | 'waits' | 'freedPages'
/** Which counter counts what: series and index of STALLS; those by target are another view of the same waits. */
const MEANING: readonly (readonly [Series, number] | undefined)[] = COUNTERS.map((name) => {
  if (name.startsWith('memcg_reclaim_target') || name.startsWith('kswapd')) return undefined
  const kind = STALLS.findIndex((stall) => name.startsWith(stall))
  return kind < 0 ? undefined : [name.endsWith('_ns') ? 'waitedNs' : name.endsWith('_count') ? 'waits' : 'freedPages', kind]
})

/** Adds what a counter rose by; of `over_high` only what is not reclaim that is counted already. */
export function addWaits(stalls: Map<number, StallHistory>, { counter, key, tsNs }: { readonly counter: number; readonly key: number; readonly tsNs: number }, amount: number): void {
  const meaning = MEANING[counter]
  if (meaning === undefined || amount <= 0) return
  const history = historyOf(stalls, key), slot = slotOf(history, tsNs), [series, kind] = meaning
  if (slot < 0) return
  const i = series === 'freedPages' ? slot : kind * HISTORY_SECONDS + slot
  history[series][i] = (history[series][i] ?? 0) + amount
}

/** Adds what a histogram rose by since `before`; a bucket that fell began again. */
export function addLatencies(stalls: Map<number, StallHistory>, { key, tsNs, buckets: now }: { readonly key: number; readonly tsNs: number; readonly buckets: readonly number[] }, before: readonly number[] | undefined): void {
  let history: StallHistory | undefined, slot = -1
  for (let bucket = 0; bucket < now.length; bucket++) {
    const value = now[bucket] ?? 0, was = before?.[bucket] ?? 0, amount = value < was ? value : value - was
    if (amount === 0) continue
    history ??= historyOf(stalls, key)
    if (slot < 0) slot = slotOf(history, tsNs)
    if (slot < 0) return
    const i = slot * HEAT_CLASSES + Math.max(0, Math.min(HEAT_CLASSES - 1, bucket - FIRST_BUCKET))
    history.heat[i] = (history.heat[i] ?? 0) + amount
  }
}

/** Slot of a second, or -1 when nothing was recorded for it. */
export function stallSlot(history: StallHistory, second: number): number {
  const age = history.newestSecond - second
  return age < 0 || age >= HISTORY_SECONDS || second < 0 ? -1 : second % HISTORY_SECONDS
}

/** What its tasks waited for `kind` in one second, ns. */
export const waitedIn = (history: StallHistory, kind: number, slot: number): number => history.waitedNs[kind * HISTORY_SECONDS + slot] ?? 0
export const waitsIn = (history: StallHistory, kind: number, slot: number): number => history.waits[kind * HISTORY_SECONDS + slot] ?? 0
export const heatIn = (history: StallHistory, slot: number, heatClass: number): number => history.heat[slot * HEAT_CLASSES + heatClass] ?? 0
