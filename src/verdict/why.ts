/** All reasons that hold for a case, the ones that explain most first. */
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import type { Finding } from './finding.ts'
import type { Reason, ReasonRule } from './reason.ts'
import { anonymous, dirtyPages, kernelMemory, pageTables, sockets, swapExhausted, tmpfs } from './reasons-memory.ts'
import { fastSpike, fragmentation, numaNodeEmpty, otherContainer, otherPod } from './reasons-place.ts'

const RULES: readonly ReasonRule[] = [numaNodeEmpty, fragmentation, otherContainer, otherPod, dirtyPages, tmpfs, kernelMemory, sockets, pageTables, swapExhausted, anonymous, fastSpike]
/** Nothing ran out: there is nothing for reclaim to have saved. */
const NOT_MEMORY: ReadonlySet<string> = new Set(['sysrq', 'eviction', 'runtime-stop', 'oom-daemon', 'signal', 'invoked-no-kill'])

export function reasonsOf(model: NodeModel, target: KillCase, finding: Finding): Reason[] {
  if (NOT_MEMORY.has(finding.cause)) return []
  return RULES.flatMap((rule) => rule({ model, target, finding }) ?? [])
}
