/** Reasons that lie in where and how fast it was needed: neighbours, NUMA nodes, contiguous pages, a spike. */
import { formatBytes } from '../base/bytes.ts'
import { workloadIn } from '../identity/workload.ts'
import type { Evidence, KillCase } from '../model/case.ts'
import { agoText } from '../model/case-snapshot.ts'
import type { NodeModel } from '../model/node.ts'
import { workloadText } from './names.ts'
import { fullBytes, percent, type Reason, type ReasonName, type ReasonRule } from './reason.ts'

/** The largest user below the limit is not whoever died. */
function neighbour(model: NodeModel, target: KillCase, name: ReasonName): Reason | undefined {
  const victim = target.victims[0]?.path ?? target.picked?.path, [largest] = target.contributors, full = fullBytes(target)
  if (victim === undefined || largest === undefined || full === undefined || target.contributors.length < 2) return undefined
  const inside = (path: string): boolean => victim === path || victim.startsWith(`${path}/`), own = target.contributors.find(({ path }) => inside(path))
  if (inside(largest.path) || own === undefined || largest.bytes <= own.bytes) return undefined
  const told = (of: { readonly path: string; readonly bytes: number }): string => `${workloadText(workloadIn(model, of.path), of.path)} ${formatBytes(of.bytes)}`
  return {
    name, text: `${told(largest)} of it (${percent(largest.bytes / full)}), the victim's ${workloadText(workloadIn(model, own.path), own.path)} ${formatBytes(own.bytes)}`,
    evidence: target.contributors.slice(0, 5).map(({ path, bytes }) => ({ fact: `${path} used ${bytes} bytes`, source: target.contributorsFrom === 'kmsg' ? 'kernel log' : 'memory.current, sampled before' })),
  }
}

export const otherContainer: ReasonRule = ({ model, target, finding }) => (finding.cause === 'pod-limit' ? neighbour(model, target, 'other-container') : undefined)
export const otherPod: ReasonRule = ({ model, target, finding }) => (finding.cause === 'slice-limit' ? neighbour(model, target, 'other-pod') : undefined)

/** Only of the node: charging a memcg never fails for want of contiguous pages. */
export const fragmentation: ReasonRule = ({ target, finding }) => {
  const { order } = target
  if (finding.cause !== 'node' || order === undefined || order < 1) return undefined
  const free = target.composition?.['freeBytes']
  return { name: 'fragmentation', text: `the allocation wanted ${2 ** order} contiguous pages (order ${order})${free === undefined ? '' : `; ${formatBytes(free)} was free, but not in one piece`}`, evidence: [{ fact: `order ${order}`, source: target.witnesses.includes('probe') ? 'probe oom_begin' : 'kernel log' }] }
}

/** Where the victim's memory lay: one that was bound shows it. Not asked for without `--numa`. */
function victimSplit(model: NodeModel, { tsNs, victimNuma }: KillCase): { readonly text: string; readonly evidence: readonly Evidence[] } {
  const fullest = victimNuma?.nodes.toSorted((a, b) => (b.anonBytes ?? 0) - (a.anonBytes ?? 0) || a.numaNode - b.numaNode)[0], all = victimNuma?.nodes.reduce((sum, { anonBytes = 0 }) => sum + anonBytes, 0) ?? 0
  if (victimNuma === undefined || fullest?.anonBytes === undefined || all === 0) return { text: '', evidence: [] }
  const kind = model.hello?.memcgVersion === 'v1' ? 'anon and shmem' : 'anon', ago = agoText(tsNs - victimNuma.readNs)
  const facts = victimNuma.nodes.map(({ numaNode, anonBytes, fileBytes }) => `node ${numaNode} ${kind} ${anonBytes ?? '?'} bytes, file ${fileBytes ?? '?'} bytes`)
  return {
    text: `; of the victim's cgroup ${formatBytes(fullest.anonBytes)} of ${formatBytes(all)} ${kind} lay on node ${fullest.numaNode}, ${ago}`,
    evidence: [{ fact: `${victimNuma.path}: ${facts.join('; ')}`, source: `memory.numa_stat, read ${ago}` }],
  }
}

export const numaNodeEmpty: ReasonRule = ({ model, target, finding }) => {
  if (finding.cause !== 'numa') return undefined
  const free = target.composition?.['freeBytes'], split = victimSplit(model, target)
  return { name: 'numa-node-empty', text: `the NUMA nodes that the task may use were empty${free === undefined ? '' : ` while ${formatBytes(free)} was free on the machine`}${split.text}`, evidence: [{ fact: `constraint ${target.constraint}`, source: target.witnesses.includes('probe') ? 'probe oom_pick' : 'kernel log' }, ...split.evidence] }
}

const MUCH = 0.3

/** From well below the limit to it within a second: slower samples never saw it. */
export const fastSpike: ReasonRule = ({ target }) => {
  const limit = target.limit?.limitBytes, before = target.growth?.secondBeforeBytes
  if (limit === undefined || before === undefined || limit - before < limit * MUCH) return undefined
  return { name: 'fast-spike', text: `it grew from ${formatBytes(before)} to the limit within about a second`, evidence: [{ fact: `usage ${before} bytes in the second before`, source: 'memory.current, sampled' }] }
}
