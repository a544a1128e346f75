/** From a case to a named cause: whose limit it was decides, never the exit code and never the runtime's label. */
import { workloadIn } from '../identity/workload.ts'
import type { HolderChild, KillCase, Level } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

export type Cause = 'container-limit' | 'pod-limit' | 'slice-limit' | 'node' | 'numa' | 'sysrq' | 'invoked-no-kill'

/** `cause` is absent when facts are missing; `missing` then says which. */
export type CauseFound = {
  readonly cause?: Cause
  readonly missing?: string
  /** Level of the cgroup whose limit it was. */
  readonly level?: Level
  /** The container whose limit it really was, when the pod's limit only equals it. */
  readonly equalLimitPath?: string
}

const CPUSET = 1, MEMPOLICY = 2, MEMCG = 3

/** An unlimited neighbour with more than this part of the limit shared in filling it; a pause container has under 1 MiB. */
const SHARE_OF_LIMIT = 0.05, PAUSE_BYTES = 4 * 2 ** 20

/** Is somebody besides this child using the pod's memory? */
const matters = (child: HolderChild, limitBytes: number): boolean => (child.currentBytes ?? 0) > Math.max(PAUSE_BYTES, limitBytes * SHARE_OF_LIMIT)

/**
 * kubelet sets the pod's memory.max to the sum of its containers' limits. With one limited container both limits are equal,
 * and the pod (which also holds the pause container) is hit first: that is the container's limit.
 */
function equalLimit(model: NodeModel, target: KillCase): HolderChild | undefined {
  const limitBytes = target.limit?.limitBytes
  if (limitBytes === undefined) return undefined
  const children = (target.holderChildren ?? []).filter((child) => workloadIn(model, child.path).level === 'container')
  const limited = children.filter((child) => child.limitBytes !== undefined), [only] = limited
  if (limited.length !== 1 || only === undefined || only.limitBytes !== limitBytes) return undefined
  return children.some((child) => child !== only && matters(child, limitBytes)) ? undefined : only
}

function memcgCause(model: NodeModel, target: KillCase, path: string): CauseFound {
  const { level } = workloadIn(model, path)
  if (level === 'container') return { cause: 'container-limit', level }
  if (level === 'pod') {
    const only = equalLimit(model, target)
    return only === undefined ? { cause: 'pod-limit', level } : { cause: 'container-limit', level, equalLimitPath: only.path }
  }
  return { cause: 'slice-limit', level }
}

/** The cause as far as the witnesses know it. */
export function causeOf(model: NodeModel, target: KillCase): CauseFound {
  const { limit, constraint } = target
  const level = limit?.path === undefined ? undefined : workloadIn(model, limit.path).level, known = level === undefined ? {} : { level }
  if (target.noKill === true) return target.closed ? { cause: 'invoked-no-kill', ...known } : { missing: 'the decision is not finished', ...known }
  if (target.sysrq === true) return { cause: 'sysrq', level: 'root' }
  if (constraint === CPUSET || constraint === MEMPOLICY) return { cause: 'numa', level: 'root' }
  if (constraint === MEMCG || (limit?.memcgId !== undefined && limit.memcgId > 0)) {
    return limit?.path === undefined ? { missing: 'no witness named the cgroup whose limit was hit' } : memcgCause(model, target, limit.path)
  }
  if (constraint === 0 || limit?.memcgId === 0) return { cause: 'node', level: 'root' }
  return { missing: 'neither a probe nor the kernel log told whose limit was hit' }
}
