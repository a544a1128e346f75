/**
 * kubelet sets a pod's memory.max to the sum of its containers' limits (only if each has one). With one limited container both are equal,
 * and the pod, which also holds the pause container, is hit first: that is the container's limit, though the kernel names the pod.
 */
import { workloadIn } from '../identity/workload.ts'
import type { HolderChild, KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

/** An unlimited neighbour with more than this part of the limit shared in filling it; a pause container has under 1 MiB. */
const SHARE_OF_LIMIT = 0.05, PAUSE_BYTES = 4 * 2 ** 20

export type EqualLimit = { readonly path: string; readonly because: string }

/** More than a pause container, and enough to have a part in filling the limit. */
export const isMuch = (bytes: number | undefined, limitBytes: number): boolean => (bytes ?? 0) > Math.max(PAUSE_BYTES, limitBytes * SHARE_OF_LIMIT)

/** By the containers' own limits. */
function byLimits(model: NodeModel, children: readonly HolderChild[], limitBytes: number): EqualLimit | undefined {
  const containers = children.filter((child) => workloadIn(model, child.path).level === 'container')
  const limited = containers.filter((child) => child.limitBytes !== undefined), [only] = limited
  if (limited.length !== 1 || only === undefined || only.limitBytes !== limitBytes) return undefined
  return containers.some((child) => child !== only && isMuch(child.currentBytes, limitBytes)) ? undefined : { path: only.path, because: 'the pod has one limited container, and both limits are the same number' }
}

/**
 * Kernels before 5.2 list in their log what every memcg below the limit uses. If one container used it all, a limit of its own below the
 * pod's would have been hit first; so its limit is not below the pod's.
 */
function byUse(model: NodeModel, target: KillCase, limitBytes: number): EqualLimit | undefined {
  if (target.contributorsFrom !== 'kmsg') return undefined
  const containers = target.contributors.filter(({ path }) => workloadIn(model, path).level === 'container'), users = containers.filter(({ bytes }) => isMuch(bytes, limitBytes)), [only] = users
  return users.length !== 1 || only === undefined ? undefined : { path: only.path, because: 'the kernel log lists one container that filled the pod alone; a lower limit of its own would have been hit first' }
}

/** The container whose limit the pod's limit is; nothing when it is the pod's own, or not known. */
export function equalLimitOf(model: NodeModel, target: KillCase): EqualLimit | undefined {
  const limitBytes = target.limit?.limitBytes
  if (limitBytes === undefined) return undefined
  return target.holderChildren === undefined ? byUse(model, target, limitBytes) : byLimits(model, target.holderChildren, limitBytes)
}
