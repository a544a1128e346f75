/** The fold: one event into the model. Pure of clock, file and environment; the frequent rows allocate nothing. */
import { bootNsAt, wallMsAt, type ClockAnchor } from '../base/time.ts'
import type { Event, EventOf } from '../event/event.ts'
import { HISTOGRAMS } from '../event/kinds.ts'
import { openCounted } from './case-counts.ts'
import { createCaseBook, noteCounted, settleCases } from './case-book.ts'
import { applyDecisionRow, applyTracerEnd } from './case-decisions.ts'
import { applyEventRise, applyExit, applyKmsg, applyLateLimits, applyReap, applySignal, applyVictimCommand } from './case-witnesses.ts'
import { keepEarlier } from './earlier.ts'
import { createGaps, noteGap, noteSilence } from './gaps.ts'
import { accrue, createHistory, recordAnon, recordUsage } from './history.ts'
import { applyBirth, applyCounter, applyDeath, applyEvents, applyPsi, applyUsage, buryUnseen, isAfterFirstKeyframe, MAX_TOMBSTONES, rise } from './memcgs.ts'
import { createNameBook, learnName, learnStatus, noteNameLife, type NameBook } from './names.ts'
import type { NodeModel } from './node.ts'
import { applyNodeFact, applyVmstat } from './node-facts.ts'
import { applyNuma } from './numa.ts'
import { addLatencies } from './stall-history.ts'
import { createSpikeBook } from './spike.ts'
import { settleDue } from './spike-waits.ts'
import { endWatches, watchStat } from './spike-watch.ts'
import { applyProcessRow, buryUnseenProcesses, createProcessTable } from './processes.ts'

export const MAX_RECENT = 2000, MAX_NOTICES = 200
const MAX_TESTIMONIES = 10_000, MAX_COSTS = 121, MAX_TRACER_STATES = 32

/** `tombstones` dead cgroups are remembered; a `nameBook` of another fold of the same stream is shared: its names are known from the beginning, and only the other forgets them. */
export type ModelOptions = { readonly tombstones?: number | undefined; readonly nameBook?: NameBook | undefined }

/** A node of which nothing is known yet. */
export function createModel({ tombstones = MAX_TOMBSTONES, nameBook: shared }: ModelOptions = {}): NodeModel {
  const caseBook = createCaseBook(), nameBook = shared ?? createNameBook(tombstones)
  const model: NodeModel = {
    nowNs: 0, history: createHistory(), memcgs: new Map(), population: 0, stalls: new Map(), rungs: new Map(), nameBook, names: nameBook.names, ownsNames: shared === undefined, statuses: nameBook.statuses, testimonies: [], recent: [], recentFromNs: Number.NEGATIVE_INFINITY,
    health: { losses: new Map(), corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0, notices: [], selftests: new Map(), tracerStates: [], costs: [] },
    spikes: createSpikeBook(), gaps: createGaps(), hasCounters: false, vmstats: [], zones: new Map(), slabs: [],
    clocksNs: [], tombstones: [], mostTombstones: tombstones, caseBook,
    processes: createProcessTable(),
    get cases() {
      settleCases(model)
      return caseBook.cases
    },
  }
  return model
}

/** Folds one event in. */
export function applyEvent(model: NodeModel, event: Event): void {
  // Before the clock moves on: after a long silence what was gathered would no longer be merged.
  if (event.tsNs >= model.caseBook.settleAtNs) settleCases(model)
  if (event.tsNs > model.nowNs) {
    // Before the first keyframe there is only the head of a stream, which is as old as the stream.
    if (model.clocksNs.length > 0) noteSilence(model.gaps, model.nowNs, event.tsNs)
    model.nowNs = event.tsNs
    if (event.tsNs >= model.spikes.waits.settleAtNs) settleDue(model.spikes.waits, model)
  }
  switch (event.kind) {
    case 'memcg_usage': applyUsage(model, event); break
    case 'memcg_stat': applyStat(model, event); break
    case 'memcg_psi': applyPsi(model, event); break
    case 'memcg_events': applyMemcgEvents(model, event); break
    case 'counter':
      applyCounter(model, event)
      if (event.tsNs < model.caseBook.countersUntilNs) noteCounted(model)
      break
    case 'histogram': applyHistogram(model, event); break
    case 'node_memory': applyNodeMemory(model, event); break
    case 'node_psi': applyNodePsi(model, event); break
    case 'node_vmstat': applyVmstat(model, event); break
    case 'memcg_limits': applyLimits(model, event); break
    case 'memcg_birth': {
      const before = model.memcgs.get(event.memcgId)
      applyBirth(model, event)
      // Every keyframe names every memcg again.
      if (before === undefined || before.diedNs !== undefined || before !== model.memcgs.get(event.memcgId)) noteNameLife(model, event)
      break
    }
    case 'memcg_death':
      applyDeath(model, event)
      noteNameLife(model, event)
      break
    default: applyRare(model, event)
  }
}

type Frequent = 'memcg_usage' | 'memcg_stat' | 'memcg_psi' | 'memcg_events' | 'counter' | 'histogram' | 'node_memory' | 'node_psi' | 'node_vmstat' | 'memcg_limits' | 'memcg_birth' | 'memcg_death'

function applyRare(model: NodeModel, event: Exclude<Event, { readonly kind: Frequent }>): void {
  switch (event.kind) {
    case 'oom_memcg_enter': case 'oom_begin': case 'oom_limit': case 'oom_candidate': case 'oom_pick': case 'oom_kill': case 'oom_group': case 'oom_end': case 'mark_victim':
      applyDecisionRow(model, event)
      break
    case 'process': case 'process_command': case 'process_memory': case 'process_end':
      applyProcessRow(model, event)
      if (event.kind === 'process_command') applyVictimCommand(model, event)
      break
    case 'node_zone': case 'node_buddy': case 'node_slab': applyNodeFact(model, event); break
    case 'memcg_oomd': {
      const memcg = model.memcgs.get(event.memcgId)
      if (memcg !== undefined) memcg.oomd = event
      break
    }
    case 'memcg_numa': applyNuma(model, event); break
    case 'kmsg': applyKmsg(model, event); break
    case 'task_exit': applyExit(model, event); break
    case 'oom_reap': applyReap(model, event); break
    case 'signal': applySignal(model, event); break
    case 'stall': case 'psi_trigger': keepRecent(model, event); break
    case 'testimony':
      model.testimonies.push(event)
      if (model.testimonies.length > MAX_TESTIMONIES) model.testimonies.shift()
      break
    case 'workload': learnName(model, event); break
    case 'container_status': learnStatus(model.nameBook, event); break
    default: applyStream(model, event)
  }
}

/** The bridge has a dozen places, questions and tests each; a hostile stream may invent any number. */
const MAX_KEYS = 64

function keepFew<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size < MAX_KEYS || map.has(key)) map.set(key, value)
}

/** What the stream says about itself. */
function applyStream(model: NodeModel, event: Extract<Event, { readonly kind: 'hello' | 'schema' | 'clock' | 'rung' | 'loss' | 'tracer' | 'selftest' | 'notice' | 'cost' | 'sampling' }>): void {
  switch (event.kind) {
    case 'hello':
      // Each file of a recording begins with the first hello of its stream: more is known of the clocks by then.
      if (model.hello?.bootId !== event.bootId) delete model.anchor
      model.anchor ??= { tsNs: event.tsNs, wallMs: event.wallMs, bootNs: event.bootNs }
      model.hello = event
      break
    case 'clock': applyClock(model, event); break
    case 'rung': keepFew(model.rungs, event.question, event); break
    case 'loss': keepFew(model.health.losses, event.where, { count: event.count, detail: event.detail }); break
    case 'tracer':
      model.health.tracer = event
      keepTracerState(model, event)
      if (event.state === 'exited' || event.state === 'restarted' || event.state === 'absent') applyTracerEnd(model)
      break
    case 'selftest': keepFew(model.health.selftests, event.test, event); break
    case 'notice':
      model.health.notices.push({ tsNs: event.tsNs, from: event.from, text: event.text })
      if (model.health.notices.length > MAX_NOTICES) model.health.notices.shift()
      break
    case 'cost':
      model.health.cost = event
      model.health.costs.push(event)
      if (model.health.costs.length > MAX_COSTS) model.health.costs.shift()
      break
    case 'sampling': model.health.sampling = event; break
    case 'schema': break
  }
}

function keepTracerState({ health }: NodeModel, event: EventOf<'tracer'>): void {
  const last = health.tracerStates.at(-1)
  if (last?.tsNs === event.tsNs && last.state === event.state) return
  health.tracerStates.push(event)
  if (health.tracerStates.length > MAX_TRACER_STATES) health.tracerStates.shift()
}

/** Two readings of two clocks differ by less than this even when nothing happened; a suspend or a step of the wall clock is more. */
const BOOT_JITTER_NS = 1e6, WALL_JITTER_MS = 2

/** A wall clock that is set all the time must not fill the memory. */
const MAX_ANCHORS = 256

const newestOf = (anchor: ClockAnchor, most: number): ClockAnchor => {
  const { before, ...joined } = anchor
  return before === undefined || most === 1 ? joined : { ...joined, before: newestOf(before, most - 1) }
}

/** There is a new anchor only when a clock jumped, and it says nothing of the time before: a case's time must not depend on how far the recording was read. */
function applyClock(model: NodeModel, event: EventOf<'clock'>): void {
  const { tsNs, wallMs, bootNs } = event, { anchor } = model
  const isAsBefore = anchor !== undefined && Math.abs(bootNs - bootNsAt(anchor, tsNs)) < BOOT_JITTER_NS && Math.abs(wallMs - wallMsAt(anchor, tsNs)) < WALL_JITTER_MS
  if (anchor === undefined) model.anchor = { tsNs, wallMs, bootNs }
  else if (!isAsBefore && tsNs >= anchor.tsNs) model.anchor = { tsNs, wallMs, bootNs, before: newestOf(anchor, MAX_ANCHORS - 1) }
  model.clocksNs.push(event.tsNs)
  if (model.clocksNs.length > 3) model.clocksNs.shift()
  buryUnseen(model)
  buryUnseenProcesses(model)
  openCounted(model)
}

/** What stood between the newest event and this time could not be read. */
export function applyDamage(model: NodeModel, untilNs: number): void {
  noteGap(model.gaps, { fromNs: model.nowNs, toNs: Math.max(model.nowNs, untilNs), why: 'damage' })
}

/** The stream is over: what waited for more waits no longer. Safe to call at any end. */
export function endOfStream(model: NodeModel): void {
  openCounted(model, true)
  endWatches(model)
}

/** Half of them go at once: to shift a long list at every stall would cost more than all else here. */
function keepRecent(model: NodeModel, event: NodeModel['recent'][number]): void {
  model.recent.push(event)
  if (model.recent.length < 2 * MAX_RECENT) return
  model.recentFromNs = model.recent[MAX_RECENT]?.tsNs ?? model.nowNs
  model.recent.splice(0, MAX_RECENT)
}

function applyStat(model: NodeModel, event: EventOf<'memcg_stat'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined) return
  const before = memcg.stat
  memcg.earlierStat = keepEarlier(memcg.earlierStat, before, event.tsNs)
  memcg.stat = event
  memcg.lastSeenNs = event.tsNs
  watchStat(memcg, event)
  if (event.anonBytes !== undefined) recordAnon(memcg.history, event.tsNs, event.anonBytes)
  if (before === undefined || before.tsNs >= event.tsNs) return
  const refaults = rise(before.workingsetRefaultAnon, event.workingsetRefaultAnon) + rise(before.workingsetRefaultFile, event.workingsetRefaultFile)
  // A series is two minutes of numbers: only for those to whom it happens.
  if (refaults > 0) accrue(memcg.history, 'refaults', refaults, { fromNs: before.tsNs, toNs: event.tsNs })
}

function applyLimits(model: NodeModel, event: EventOf<'memcg_limits'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  if (memcg === undefined) return
  memcg.limits = event
  applyLateLimits(model, event.memcgId)
}

function applyMemcgEvents(model: NodeModel, event: EventOf<'memcg_events'>): void {
  const rise = applyEvents(model, event)
  if (rise !== undefined) applyEventRise(model, { memcgId: event.memcgId, fromNs: rise.fromNs, toNs: event.tsNs, kills: rise.kills, ooms: rise.ooms })
}

function applyHistogram(model: NodeModel, event: EventOf<'histogram'>): void {
  const memcg = model.memcgs.get(event.key)
  if (memcg === undefined || event.histogram >= HISTOGRAMS.length) return
  memcg.histograms ??= new Map()
  const before = memcg.histograms.get(event.histogram)
  memcg.histograms.set(event.histogram, event.buckets)
  // As with counters: what reading begins with accrued before.
  if (before !== undefined || isAfterFirstKeyframe(model, event.tsNs)) addLatencies(model.stalls, event, before)
}

function applyNodeMemory(model: NodeModel, event: EventOf<'node_memory'>): void {
  model.memory = event
  recordUsage(model.history, event.tsNs, event.totalBytes - event.availableBytes)
}

function applyNodePsi(model: NodeModel, event: EventOf<'node_psi'>): void {
  const before = model.psi
  model.psi = event
  if (before === undefined || before.tsNs >= event.tsNs) return
  const span = { fromNs: before.tsNs, toNs: event.tsNs }
  accrue(model.history, 'someUs', Math.max(0, event.someTotalUs - before.someTotalUs), span)
  accrue(model.history, 'fullUs', Math.max(0, event.fullTotalUs - before.fullTotalUs), span)
}
