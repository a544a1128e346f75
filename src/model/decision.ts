/**
 * The probe rows of one decision, joined by the thread that took it. oom_lock is held from oom_begin to oom_end, so a thread's
 * decisions never overlap; rows of one CPU keep their order, but a row may still arrive after younger ones.
 */
import type { Event, EventOf } from '../event/event.ts'

/** Rows that carry the deciding thread's id. */
export type DecisionEvent = Extract<Event, { readonly kind: 'oom_memcg_enter' | 'oom_begin' | 'oom_limit' | 'oom_candidate' | 'oom_pick' | 'oom_kill' | 'oom_group' | 'oom_end' | 'mark_victim' }>

export type Decision = {
  readonly tid: number
  /** Times of the oldest and newest row, the wait for oom_lock not counted. */
  fromNs: number
  toNs: number
  enter?: EventOf<'oom_memcg_enter'>
  begin?: EventOf<'oom_begin'>
  limit?: EventOf<'oom_limit'>
  end?: EventOf<'oom_end'>
  group?: EventOf<'oom_group'>
  readonly candidates: Map<number, EventOf<'oom_candidate'>>
  candidatesOmitted: number
  readonly picks: EventOf<'oom_pick'>[]
  readonly kills: EventOf<'oom_kill'>[]
  readonly marks: EventOf<'mark_victim'>[]
}

/** Kept per decision: the best-scored, among which is whoever is picked. */
export const MAX_CANDIDATES = 2048
/** dump_header() writes thousands of lines to a serial console while oom_lock is held. */
const LONGEST_NS = 60e9
/** Rows of one decision without its begin and end (tracer started or died in the middle) are this close. */
const LOOSE_NS = 1e9
/** Without oom_begin there is only mark_victim: the sweep of memory.oom.group marks one after the other. */
const MARK_GAP_NS = 100e6

export const newDecision = (event: DecisionEvent): Decision =>
  ({ tid: event.tid, fromNs: event.tsNs, toNs: event.tsNs, candidates: new Map(), candidatesOmitted: 0, picks: [], kills: [], marks: [] })

const beginNs = (d: Decision): number | undefined => d.begin?.tsNs ?? (d.end === undefined ? undefined : d.end.tsNs - d.end.durationNs)
/** Nothing from inside out_of_memory() except, perhaps, marks. */
const isBare = (d: Decision): boolean => d.begin === undefined && d.end === undefined && d.limit === undefined && d.group === undefined && d.picks.length + d.kills.length + d.candidates.size === 0
/** Only oom_memcg_enter so far: the thread waits for oom_lock, or found room and went away. */
const isOnlyEnter = (d: Decision): boolean => d.enter !== undefined && d.marks.length === 0 && isBare(d)

/** Was this decision only seen through mark_victim? Then two marks of one thread may be two decisions. */
export const isOnlyMarks = (d: Decision): boolean => d.enter === undefined && isBare(d)

function fitsInside(d: Decision, tsNs: number): boolean {
  const from = beginNs(d), to = d.end?.tsNs
  if (from !== undefined && tsNs < from) return false
  if (to !== undefined) return tsNs <= to
  return from !== undefined ? tsNs - from < LONGEST_NS : tsNs - d.toNs < LOOSE_NS && d.fromNs - tsNs < LOOSE_NS
}

function fits(d: Decision, event: DecisionEvent): boolean {
  const { tsNs } = event
  switch (event.kind) {
    case 'oom_memcg_enter':
      return d.enter === undefined && d.begin?.memcgId !== 0 && tsNs <= d.fromNs && d.fromNs - tsNs < LONGEST_NS
    case 'oom_begin':
      if (d.begin !== undefined) return false
      if (isOnlyEnter(d)) return tsNs >= d.toNs && tsNs - d.toNs < LONGEST_NS
      return d.end === undefined ? tsNs <= d.fromNs && d.toNs - tsNs < LONGEST_NS : tsNs <= d.fromNs && tsNs >= d.end.tsNs - d.end.durationNs - LOOSE_NS
    case 'oom_end':
      if (d.end !== undefined || isOnlyEnter(d)) return false
      return d.begin === undefined ? tsNs >= d.toNs && tsNs - event.durationNs <= d.fromNs : tsNs >= d.toNs && tsNs - event.durationNs - LOOSE_NS < d.begin.tsNs && d.begin.tsNs <= tsNs
    case 'mark_victim':
      return isOnlyMarks(d) ? Math.abs(tsNs - d.toNs) < MARK_GAP_NS && d.marks.some((m) => m.victimTid === event.victimTid) : fitsInside(d, tsNs)
    default:
      return !(isOnlyEnter(d) && tsNs < d.toNs) && fitsInside(d, tsNs)
  }
}

function add(d: Decision, event: DecisionEvent): void {
  if (event.kind !== 'oom_memcg_enter') {
    const fresh = isOnlyEnter(d)
    d.fromNs = fresh ? event.tsNs : Math.min(d.fromNs, event.tsNs)
    d.toNs = fresh ? event.tsNs : Math.max(d.toNs, event.tsNs)
  }
  switch (event.kind) {
    case 'oom_memcg_enter': d.enter = event; break
    case 'oom_begin': d.begin = event; break
    case 'oom_limit': d.limit = event; break
    case 'oom_end': d.end = event; break
    case 'oom_group': d.group = event; break
    case 'oom_pick': insert(d.picks, event); break
    case 'oom_kill': insert(d.kills, event); break
    case 'mark_victim': insert(d.marks, event); break
    case 'oom_candidate':
      d.candidates.set(event.pid, event)
      if (d.candidates.size >= 2 * MAX_CANDIDATES) keepBest(d)
      break
  }
}

/** Half of them go at once: to look for the worst one at every row would be quadratic in the node's processes. */
function keepBest(d: Decision): void {
  const worst = [...d.candidates.values()].sort((a, b) => b.pointsPages - a.pointsPages).slice(MAX_CANDIDATES)
  for (const { pid } of worst) d.candidates.delete(pid)
  d.candidatesOmitted += worst.length
}

/** Keeps a short list in order of time, whatever the order of arrival. */
function insert<E extends { readonly tsNs: number }>(list: E[], event: E): void {
  const at = list.findIndex((e) => e.tsNs > event.tsNs)
  if (at < 0) list.push(event)
  else list.splice(at, 0, event)
}

/** Finds the decision a row belongs to among the thread's recent ones (newest last), or starts one. */
export function joinDecision(recent: Decision[], event: DecisionEvent): Decision {
  for (let i = recent.length - 1; i >= 0; i--) {
    const d = recent[i]
    if (d !== undefined && d.tid === event.tid && fits(d, event)) {
      add(d, event)
      return d
    }
  }
  const d = newDecision(event)
  add(d, event)
  recent.push(d)
  return d
}

/** Once begin and end are known, loose pieces of the same thread in between are parts of it. Returns what was taken in. */
export function absorb(recent: Decision[], d: Decision): Decision[] {
  if (beginNs(d) === undefined) return []
  const pieces = recent.filter((p) => p !== d && p.tid === d.tid && beginNs(p) === undefined && !isOnlyEnter(p) && fitsInside(d, p.fromNs) && fitsInside(d, p.toNs))
  for (const piece of pieces) {
    recent.splice(recent.indexOf(piece), 1)
    for (const event of [piece.enter, piece.limit, piece.group, ...piece.candidates.values(), ...piece.picks, ...piece.kills, ...piece.marks]) if (event !== undefined) add(d, event)
  }
  return pieces
}
