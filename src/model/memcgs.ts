/** Births, deaths and numbers of memcgs. The dead are remembered (bounded), because a container is gone 12 ms after its kill and the case is read later. */
import { COUNTERS } from '../event/kinds.ts'
import type { EventOf } from '../event/event.ts'
import { keepEarlier } from './earlier.ts'
import { accrue, createHistory, dropHistory, recordUsage } from './history.ts'
import type { Memcg, NodeModel } from './node.ts'
import { endByDeath } from './rise-stack.ts'
import { watchUsage } from './spike-watch.ts'
import { addReclaim, createReclaimHistory, type ReclaimSeries } from './reclaim-history.ts'
import { addWaits } from './stall-history.ts'

/** Unless a person wants another number. */
export const MAX_TOMBSTONES = 4096
/** The newest dead keep their two minutes of history and their samples; the older ones only their newest facts, or a week of churn would cost 100 MiB. */
const TOMBSTONES_WITH_HISTORY = 256

/** Ends a path that a probe could not give whole: bpftrace's strings end at 199 bytes (native/watch.c appends it). */
const CUT = '…'

/** A memcg that was gone before anybody looked has the cut path of its probe: the kernel's log may know the rest. */
export function completePath(model: NodeModel, memcg: Memcg, logged: string): void {
  if (!memcg.path.endsWith(CUT)) return
  // Inside a cgroup namespace the kernel's path begins further up.
  const at = logged.indexOf(memcg.path.slice(0, -CUT.length))
  if (at < 0) return
  memcg.path = logged.slice(at)
  model.population += 1
}

const newMemcg = (event: EventOf<'memcg_birth'>): Memcg => ({
  id: event.memcgId, parentId: event.parentId, path: event.path, bornNs: event.tsNs, lastSeenNs: event.tsNs, history: createHistory(), killCount: 0,
})

function add(model: NodeModel, event: EventOf<'memcg_birth'>): Memcg {
  const memcg = newMemcg(event)
  model.memcgs.set(memcg.id, memcg)
  model.population += 1
  return memcg
}

/** A memcg exists: new, known already (every keyframe repeats it), or an id the kernel uses again. */
export function applyBirth(model: NodeModel, event: EventOf<'memcg_birth'>): void {
  const known = model.memcgs.get(event.memcgId)
  if (known === undefined) {
    add(model, event)
    return
  }
  if (known.diedNs !== undefined) {
    // A walk that began before the death may report it afterwards.
    if (event.tsNs <= known.diedNs) return
    forgetTombstone(model, known.id)
    if (known.path !== event.path) {
      add(model, event)
      return
    }
    delete known.diedNs
    model.population += 1
  }
  // On v1 a cgroup can be renamed below its parent. Anything else is an id used again by one whose death nobody saw.
  if (known.path !== event.path && (known.parentId !== event.parentId || model.hello?.memcgVersion !== 'v1')) {
    add(model, event)
    return
  }
  if (known.path !== event.path || known.parentId !== event.parentId) model.population += 1
  known.path = event.path
  known.parentId = event.parentId
  known.bornNs = Math.min(known.bornNs, event.tsNs)
  known.lastSeenNs = Math.max(known.lastSeenNs, event.tsNs)
}

function forgetTombstone(model: NodeModel, id: number): void {
  const at = model.tombstones.indexOf(id)
  if (at >= 0) model.tombstones.splice(at, 1)
}

function forgetSamples(memcg: Memcg): void {
  dropHistory(memcg.history)
  for (const key of ['earlierUsage', 'earlierStat', 'numa', 'earlierNuma', 'reclaim', 'watch'] as const) Reflect.deleteProperty(memcg, key)
}

function bury(model: NodeModel, memcg: Memcg, tsNs: number): void {
  if (memcg.diedNs !== undefined) return
  memcg.diedNs = tsNs
  model.population += 1
  endByDeath(model, memcg, tsNs)
  model.tombstones.push(memcg.id)
  if (model.tombstones.length > TOMBSTONES_WITH_HISTORY) {
    const old = model.memcgs.get(model.tombstones[model.tombstones.length - 1 - TOMBSTONES_WITH_HISTORY] ?? 0)
    if (old !== undefined) forgetSamples(old)
  }
  if (model.tombstones.length > model.mostTombstones) model.memcgs.delete(model.tombstones.shift() ?? 0)
}

export function applyDeath(model: NodeModel, event: EventOf<'memcg_death'>): void {
  const known = model.memcgs.get(event.memcgId)
  if (known !== undefined) bury(model, known, event.tsNs)
  else {
    // Born and dead between two walks: still worth a name in a case.
    bury(model, add(model, { ...event, kind: 'memcg_birth', parentId: 0 }), event.tsNs)
  }
}

/** A keyframe names every memcg that exists: one that the last two did not name died unseen. */
export function buryUnseen(model: NodeModel): void {
  const [oldest] = model.clocksNs
  if (oldest === undefined || model.clocksNs.length < 3) return
  for (const memcg of model.memcgs.values()) if (memcg.diedNs === undefined && memcg.lastSeenNs < oldest) bury(model, memcg, memcg.lastSeenNs)
}

/** Hot: the most frequent row of all. */
export function applyUsage(model: NodeModel, event: EventOf<'memcg_usage'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined) return
  memcg.earlierUsage = keepEarlier(memcg.earlierUsage, memcg.usage, event.tsNs)
  memcg.usage = event
  memcg.lastSeenNs = event.tsNs
  recordUsage(memcg.history, event.tsNs, Math.max(event.currentBytes, event.windowPeakBytes ?? 0))
  watchUsage(model, memcg, event)
}

/** What a rising file rose by since the reading before; 0 when it restarted. */
export const rise = (before: number | undefined, now: number | undefined): number => (before === undefined || now === undefined ? 0 : Math.max(0, now - before))

export function applyPsi(model: NodeModel, event: EventOf<'memcg_psi'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined) return
  const before = memcg.psi
  memcg.psi = event
  if (before === undefined || before.tsNs >= event.tsNs) return
  const span = { fromNs: before.tsNs, toNs: event.tsNs }
  accrue(memcg.history, 'someUs', rise(before.someTotalUs, event.someTotalUs), span)
  accrue(memcg.history, 'fullUs', rise(before.fullTotalUs, event.fullTotalUs), span)
}

/** Returns what oom_kill, and oom of the memcg itself, rose by: the witness that no probe and no log can lose. */
export function applyEvents(model: NodeModel, event: EventOf<'memcg_events'>): { readonly kills: number; readonly ooms: number; readonly fromNs: number } | undefined {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined) return undefined
  const before = memcg.events
  memcg.events = event
  memcg.lastSeenNs = event.tsNs
  if (before === undefined || before.tsNs >= event.tsNs) return undefined
  const span = { fromNs: before.tsNs, toNs: event.tsNs }
  if (event.high !== undefined) accrue(memcg.history, 'highEvents', rise(before.high, event.high), span)
  if (event.max !== undefined) accrue(memcg.history, 'maxEvents', rise(before.max, event.max), span)
  const kills = rise(before.oomKill, event.oomKill), ooms = rise(before.localOom, event.localOom)
  return kills + ooms === 0 ? undefined : { kills, ooms, fromNs: before.tsNs }
}

/** Which counters are time its own tasks waited; `throttled` happens inside reclaim and is counted there. */
const WAITS: ReadonlySet<number> = new Set((['memcg_reclaim_ns', 'direct_reclaim_ns', 'over_high_ns', 'compaction_ns'] as const).map((name) => COUNTERS.indexOf(name)))
const MEMCG_RECLAIM_NS = COUNTERS.indexOf('memcg_reclaim_ns'), OVER_HIGH_NS = COUNTERS.indexOf('over_high_ns')
const FIRST_NODE_COUNTER = COUNTERS.indexOf('kswapd_wake_count')
const TARGET_COUNTERS = 3
const RECLAIM_SERIES: readonly ReclaimSeries[] = ['stalledNs', 'attempts', 'reclaimedPages']

function recordReclaim(memcg: Memcg, event: EventOf<'counter'>, amount: number): void {
  const byTarget = event.counter < TARGET_COUNTERS, name = RECLAIM_SERIES[event.counter % TARGET_COUNTERS]
  if (event.counter >= 2 * TARGET_COUNTERS || name === undefined) return
  if (memcg.reclaim === undefined || (byTarget && !memcg.reclaim.byTarget)) memcg.reclaim = createReclaimHistory(byTarget)
  if (memcg.reclaim.byTarget === byTarget) addReclaim(memcg.reclaim, name, { tsNs: event.tsNs, amount })
}

/** A cumulative counter of a probe, made monotone across restarts of the tracer. */
export function applyCounter(model: NodeModel, event: EventOf<'counter'>): void {
  if (event.counter >= FIRST_NODE_COUNTER) return
  const memcg = model.memcgs.get(event.key)
  if (memcg === undefined) return
  memcg.counters ??= new Float64Array(FIRST_NODE_COUNTER)
  memcg.rawCounters ??= newRawCounters()
  const raw = memcg.rawCounters[event.counter] ?? Number.NaN
  const firstSight = Number.isNaN(raw), amount = firstSight || event.value < raw ? event.value : event.value - raw
  memcg.rawCounters[event.counter] = event.value
  memcg.counters[event.counter] = (memcg.counters[event.counter] ?? 0) + amount
  // Reading may begin at a keyframe, whose counters accrued long before: they are no rate of this second.
  if (firstSight && !isAfterFirstKeyframe(model, event.tsNs)) return
  recordReclaim(memcg, event, amount)
  const isWait = WAITS.has(event.counter), waitedNs = isWait ? waitOnce(memcg.rawCounters, event.counter, amount) : amount
  addWaits(model.stalls, event, waitedNs)
  model.hasCounters = true
  if (!isWait) return
  memcg.waitedNs = (memcg.waitedNs ?? 0) + waitedNs
  const span = { fromNs: event.tsNs, toNs: event.tsNs }
  accrue(memcg.history, 'stallNs', waitedNs, span)
  accrue(model.history, 'stallNs', waitedNs, span)
}

/** One slot more than there are counters: reclaim not yet set off against `over_high`. */
function newRawCounters(): Float64Array {
  const raw = new Float64Array(FIRST_NODE_COUNTER + 1).fill(Number.NaN)
  raw[FIRST_NODE_COUNTER] = 0
  return raw
}

/** mem_cgroup_handle_over_high() reclaims before it sleeps, so its time contains reclaim that was counted already: counted once. */
function waitOnce(raw: Float64Array, counter: number, amountNs: number): number {
  const countedNs = raw[FIRST_NODE_COUNTER] ?? 0
  if (counter === MEMCG_RECLAIM_NS) raw[FIRST_NODE_COUNTER] = countedNs + amountNs
  if (counter !== OVER_HIGH_NS) return amountNs
  raw[FIRST_NODE_COUNTER] = 0
  return Math.max(0, amountNs - countedNs)
}

const KEYFRAME_SPREAD_NS = 1e9

export const isAfterFirstKeyframe = (model: NodeModel, tsNs: number): boolean => {
  const first = model.clocksNs[0]
  return first !== undefined && (model.clocksNs.length > 1 || tsNs - first > KEYFRAME_SPREAD_NS)
}

/** How far a memcg is below another one: 0 for itself, nothing when it is not inside. */
export function depthBelow(model: NodeModel, ancestorId: number, memcgId: number): number | undefined {
  const MAX_DEPTH = 64
  let depth = 0
  for (let memcg = model.memcgs.get(memcgId); memcg !== undefined && depth < MAX_DEPTH; memcg = model.memcgs.get(memcg.parentId), depth += 1) if (memcg.id === ancestorId) return depth
  return undefined
}
