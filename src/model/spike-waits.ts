/** What the tasks of a spike waited is known when the probes have printed once more: spikes that are just over, until then. */
import type { Memcg } from './node.ts'
import type { Spike } from './spike.ts'

/** The probes print their counters once a second. */
const PRINT_NS = 1.2e9
/** So many that are settled may stand at the head of the queue before it is cut. */
const MOST_SETTLED = 1024

type Waiting = { readonly spike: Spike; readonly memcg: Memcg; /** Up to its beginning. */ readonly waitedNs: number; isSettled: boolean }

export type SpikeWaits = {
  /** Soonest due first; a busy node ends thousands of spikes a second, so none is looked at before its time. */
  readonly queue: Waiting[]
  /** Of the queue: those before it are settled. */
  head: number
  readonly of: Map<Memcg, readonly Waiting[]>
  /** When the first of them is due. */
  settleAtNs: number
}

export const createSpikeWaits = (): SpikeWaits => ({ queue: [], head: 0, of: new Map(), settleAtNs: Infinity })

const dueNs = ({ spike: { endNs } }: Waiting): number => endNs + PRINT_NS

/** Of the model: the time, and whether probes count waits at all. */
type Now = { readonly nowNs: number; readonly hasCounters: boolean }

export function awaitPrint(waits: SpikeWaits, { spike, memcg, waitedNs }: Omit<Waiting, 'isSettled'>, now: Now): void {
  const one: Waiting = { spike, memcg, waitedNs, isSettled: false }
  waits.of.set(memcg, [...waits.of.get(memcg) ?? [], one])
  // One that is told late has its print already.
  if (now.nowNs >= dueNs(one)) {
    settle(waits, one, now)
    return
  }
  let at = waits.queue.length
  // They end nearly in order.
  while (at > waits.head && dueNs(waits.queue[at - 1] as Waiting) > dueNs(one)) at -= 1
  waits.queue.splice(at, 0, one)
  waits.settleAtNs = Math.min(waits.settleAtNs, dueNs(one))
}

/** What a memcg's tasks wait from here on is not that of its spikes that were over before. */
export function settleBefore(waits: SpikeWaits, { memcg, tsNs }: { readonly memcg: Memcg; readonly tsNs: number }, now: Now): void {
  for (const one of waits.of.get(memcg) ?? []) if (one.spike.endNs <= tsNs) settle(waits, one, now)
}

/** What its tasks waited until the probes' next print belongs to it; a memcg may be dead by then. */
export function settleDue(waits: SpikeWaits, now: Now): void {
  for (let one = waits.queue[waits.head]; one !== undefined && (one.isSettled || now.nowNs >= dueNs(one)); one = waits.queue[waits.head]) {
    if (!one.isSettled) settle(waits, one, now)
    waits.head += 1
  }
  if (waits.head > MOST_SETTLED || waits.head === waits.queue.length) {
    waits.queue.splice(0, waits.head)
    waits.head = 0
  }
  const next = waits.queue[waits.head]
  waits.settleAtNs = next === undefined ? Infinity : dueNs(next)
}

/** The stream is over: those that are not due will never be known. */
export function dropWaits(waits: SpikeWaits): void { Object.assign(waits, createSpikeWaits()) }

function settle(waits: SpikeWaits, one: Waiting, { hasCounters }: Now): void {
  if (hasCounters) one.spike.stallNs = (one.memcg.waitedNs ?? 0) - one.waitedNs
  one.isSettled = true
  const left = (waits.of.get(one.memcg) ?? []).filter((other) => other !== one)
  if (left.length === 0) waits.of.delete(one.memcg)
  else waits.of.set(one.memcg, left)
}
