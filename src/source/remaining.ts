/** What is left to watch a node with when probes are not to be had: files, and who may read them. */
import type { NodeFacts } from './node-facts.ts'
import { QUESTION_TITLES } from './probe-ladder.ts'
import type { Question, Witness } from './probe-ladder.ts'

/** What the bridge reads without a tracer, in words; empty when nothing tells of a kill or of a cgroup. */
export function remainingRungs(node: NodeFacts): string[] {
  const left = [...(node.kmsg ? ['kernel log'] : []), ...(node.memcg === undefined || node.memcgReason !== undefined ? [] : ['cgroup files'])]
  return left.length > 0 && node.psi ? [...left, 'pressure (PSI)'] : left
}

/** Why the files that are left cannot be read, for those that cannot. */
export function missingRungs(node: NodeFacts): string[] {
  const cgroups = node.memcg === undefined ? 'no memory controller is mounted' : node.memcgReason === undefined ? undefined : `no cgroup files: ${node.memcgReason}`
  return [...(node.kmsg ? [] : [`no kernel log: ${node.kmsgReason ?? 'not readable'}`]), ...(cgroups === undefined ? [] : [cgroups])]
}

/** memory.pressure exists on cgroup v2 only; v1 counts OOM kills in memory.oom_control. */
function wordsOf(witness: Witness, node: NodeFacts): string | undefined {
  const hasFiles = node.memcg !== undefined && node.memcgReason === undefined, isV1 = node.memcg?.version === 'v1'
  switch (witness) {
    case 'kernel log': return node.kmsg ? 'the kernel log' : undefined
    case 'kernel log tables': return node.kmsg ? 'points computed from the kernel log task table' : undefined
    case 'memory.events': return !hasFiles ? undefined : isV1 ? 'memory.oom_control' : 'memory.events'
    case 'memory.events high': return hasFiles && !isV1 ? 'memory.events' : undefined
    case 'memory.pressure': return hasFiles && !isV1 && node.psi ? 'memory.pressure' : undefined
    case 'node pressure': return node.psi ? '/proc/pressure/memory' : undefined
    case 'vmstat': return '/proc/vmstat'
    case 'tree': return hasFiles ? 'inotify and walks of the tree' : undefined
  }
}

/** Who answers a question on this node when no probe does. */
export function insteadOf(question: string, node: NodeFacts): string {
  const witnesses = QUESTION_TITLES[question as Question]?.witnesses ?? []
  return witnesses.flatMap((witness) => wordsOf(witness, node) ?? []).join(' and ') || 'nothing'
}
