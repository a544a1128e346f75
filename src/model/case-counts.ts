/**
 * Kills that only the counters of the files saw: no probe, no kernel log. Who died is not known, but where, and often by whose limit. The
 * other witnesses speak within milliseconds, so a rise that is still nobody's after some seconds is a case of its own.
 */
import { dropFacts, openCase, touch } from './case-book.ts'
import { isBetweenReadings, near, roseAt, type CaseFacts, type EventRise } from './case-facts.ts'
import { childrenOf } from './case-snapshot.ts'
import type { KillCase } from './case.ts'
import { depthBelow } from './memcgs.ts'
import type { NodeModel } from './node.ts'

/** By then a probe or the log would have spoken, even from a bridge that was stalled. */
const ALONE_NS = 3e9

/** Is one of its victims in this memcg (or is its victim's memcg not known)? */
function explains(model: NodeModel, target: KillCase, rise: EventRise): boolean {
  if (!near(target.tsNs, rise.toNs) && !isBetweenReadings(rise, target.tsNs)) return false
  if (target.unseenVictims !== undefined) return target.countedMemcgId !== undefined && (depthBelow(model, rise.memcgId, target.countedMemcgId) !== undefined || depthBelow(model, target.countedMemcgId, rise.memcgId) !== undefined)
  return target.sentSignal === undefined && target.victims.some(({ memcgId }) => memcgId === undefined || depthBelow(model, rise.memcgId, memcgId) !== undefined)
}

/** Did a memcg below it rise at the same time? Then that one is where it happened: memory.events counts for all ancestors. */
const isAncestorsEcho = (model: NodeModel, rise: EventRise, others: readonly EventRise[]): boolean =>
  others.some((other) => other !== rise && other.memcgId !== rise.memcgId && roseAt(other, rise.toNs) && depthBelow(model, rise.memcgId, other.memcgId) !== undefined)

/** Opens cases for what no other witness told; `isEnd` when nothing more will come. */
export function openCounted(model: NodeModel, isEnd = false): void {
  const book = model.caseBook, waiting = book.unclaimed
  if (waiting.length === 0) return
  const due = waiting.filter((rise) => isEnd || model.nowNs - rise.toNs > ALONE_NS)
  if (due.length === 0) return
  const { cases } = model
  for (const rise of due) {
    waiting.splice(waiting.indexOf(rise), 1)
    if (isAncestorsEcho(model, rise, book.eventRises.filter(({ kills }) => kills > 0)) || cases.some((target) => explains(model, target, rise))) continue
    const facts = openCase(model, {})
    facts.rise = rise
    touch(model, facts)
  }
}

/** A late witness tells the whole story: the count is a part of it. */
export function claimCounted(model: NodeModel, facts: CaseFacts): void {
  for (const other of model.caseBook.open) {
    if (other !== facts && other.rise !== undefined && explains(model, facts.case, other.rise)) {
      dropFacts(model.caseBook, other)
      return
    }
  }
}

/** The case of a count; nothing when another witness has told it by now. */
export const riseAlone = (facts: CaseFacts): EventRise | undefined => (facts.decisions.length > 0 || facts.report !== undefined || facts.stroke !== undefined ? undefined : facts.rise)

/** Of all memcgs around it, only the one whose limit was hit counts `oom` for itself (memory.events.local). */
function holderOf(model: NodeModel, rise: EventRise): number | undefined {
  const holders = new Set(model.caseBook.eventRises.filter((other) => other.ooms > 0 && roseAt(other, rise.toNs) && depthBelow(model, other.memcgId, rise.memcgId) !== undefined).map(({ memcgId }) => memcgId)), [holder] = holders
  return holders.size === 1 ? holder : undefined
}

/** Writes what a count says into its case. */
export function mergeRise(model: NodeModel, target: KillCase, rise: EventRise): void {
  const memcg = model.memcgs.get(rise.memcgId), holder = holderOf(model, rise), held = holder === undefined ? undefined : model.memcgs.get(holder)
  target.tsNs = rise.toNs
  target.victims = []
  // The sweep of memory.oom.group kills the chosen one twice, and counts it twice.
  target.unseenVictims = rise.kills > 1 && (memcg?.limits?.oomGroup === true || held?.limits?.oomGroup === true) ? rise.kills - 1 : rise.kills
  target.countedMemcgId = rise.memcgId
  if (memcg !== undefined) target.countedPath = memcg.path
  if (held !== undefined) target.limit = { memcgId: held.id, path: held.path, ...(held.limits?.maxBytes === undefined ? {} : { limitBytes: held.limits.maxBytes }) }
  if (held !== undefined) {
    target.constraint = 3
    target.holderChildren ??= childrenOf(model, held, rise.fromNs)
  }
  target.witnesses = ['memory.events']
  target.closed = true
  const file = model.hello?.memcgVersion === 'v1' ? 'memory.oom_control' : 'memory.events', where = memcg?.path ?? `memcg ${rise.memcgId}`
  target.evidence = [{ fact: `oom_kill of ${where} rose by ${rise.kills} within ${Math.round((rise.toNs - rise.fromNs) / 1e6)} ms`, source: file }, ...(held === undefined ? [] : [{ fact: `oom of ${held.path} itself rose`, source: 'memory.events.local' }])]
}
