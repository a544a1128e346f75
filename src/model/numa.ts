/** On which NUMA nodes the memory of a memcg lies: the newest reading of its memory.numa_stat, and those just before it. */
import type { EventOf } from '../event/event.ts'
import type { KillCase } from './case.ts'
import type { CaseFacts } from './case-facts.ts'
import { keepEarlier, sampleAt } from './earlier.ts'
import type { NodeModel } from './node.ts'

/** One reading; `tsNs` is when. One row per node. */
export type NumaSplit = { readonly tsNs: number; readonly nodes: EventOf<'memcg_numa'>[] }

/** As many as the bridge tells of (native/numa.h). */
export const MAX_NUMA_NODES = 64

export function applyNuma(model: NodeModel, event: EventOf<'memcg_numa'>): void {
  const memcg = model.memcgs.get(event.memcgId)
  // Keyframes repeat a reading under its own time; a stream that runs backwards tells nothing newer.
  if (memcg === undefined || (memcg.numa !== undefined && event.readNs < memcg.numa.tsNs)) return
  if (memcg.numa?.tsNs !== event.readNs) {
    memcg.earlierNuma = keepEarlier(memcg.earlierNuma, memcg.numa, event.readNs)
    memcg.numa = { tsNs: event.readNs, nodes: [] }
  }
  const { nodes } = memcg.numa, at = nodes.findIndex(({ numaNode }) => numaNode === event.numaNode)
  if (at >= 0) nodes[at] = event
  else if (nodes.length < MAX_NUMA_NODES) nodes.push(event)
}

/** Older than this it says nothing about a decision. What does not change is not told again until a keyframe, and its age is said. */
const NUMA_NEAR_NS = 30e9

/** Where the memory of the victim's own memcg lay before the decision; taken once: the samples after it show the freed memory. */
export function takeVictimNuma(model: NodeModel, facts: CaseFacts): KillCase['victimNuma'] {
  if (facts.victimNuma !== undefined) return facts.victimNuma
  const memcg = model.memcgs.get(facts.case.victims[0]?.memcgId ?? 0), { tsNs } = facts.case, split = memcg === undefined ? undefined : sampleAt(memcg.numa, memcg.earlierNuma, tsNs)
  if (memcg === undefined || split === undefined || tsNs - split.tsNs > NUMA_NEAR_NS) return undefined
  return (facts.victimNuma = {
    path: memcg.path, readNs: split.tsNs,
    nodes: split.nodes.map(({ numaNode, anonBytes, fileBytes }) => ({ numaNode, ...(anonBytes === undefined ? {} : { anonBytes }), ...(fileBytes === undefined ? {} : { fileBytes }) })),
  })
}
