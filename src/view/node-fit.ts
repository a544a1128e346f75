/** Does the sum still fit: the recommended requests and limits of what runs, against what this node gives to pods, or has. */
import type { NodeModel } from '../model/node.ts'
import type { Recommendation } from '../verdict/recommendation.ts'
import type { Lens } from './lens.ts'
import type { NeedRow } from './needs.ts'

export type NodeFit = {
  /** Allocatable: the limit of kubepods, which the kubelet sets to capacity less what is reserved; without a kubelet the RAM. */
  readonly allocatableBytes: number
  readonly from: 'kubepods' | 'RAM'
  readonly path?: string
  readonly workloads: number
  readonly requestBytes: number
  readonly limitBytes: number
  /** The sum of the requests fits. */
  readonly fits: boolean
  /** All of them at their limits at the same time would not fit. */
  readonly overcommitted: boolean
}

/** The whole of RAM is none: a node without a limit on kubepods reserves nothing. */
function allocatableOf(lens: Lens, model: NodeModel): Pick<NodeFit, 'allocatableBytes' | 'from' | 'path'> | undefined {
  const total = model.hello?.memTotalBytes
  for (const { path, limits, diedNs } of model.memcgs.values()) {
    if (diedNs !== undefined || lens.workloadOf(path).level !== 'kubepods' || limits?.maxBytes === undefined) continue
    if (total === undefined || limits.maxBytes <= total) return { allocatableBytes: limits.maxBytes, from: 'kubepods', path }
  }
  return total === undefined ? undefined : { allocatableBytes: total, from: 'RAM' }
}

/** Of those that run at the end. Nothing when the size of the node is not known. */
export function nodeFit(lens: Lens, model: NodeModel, rows: readonly { readonly row: NeedRow; readonly recommendation: Recommendation }[]): NodeFit | undefined {
  const allocatable = allocatableOf(lens, model)
  if (allocatable === undefined) return undefined
  const counted = rows.filter(({ row }) => row.isAlive && (allocatable.from === 'RAM' || row.workload.podUid !== undefined))
  const requestBytes = counted.reduce((sum, { recommendation }) => sum + recommendation.requestBytes, 0), limitBytes = counted.reduce((sum, { recommendation }) => sum + recommendation.limitBytes, 0)
  return { ...allocatable, workloads: counted.length, requestBytes, limitBytes, fits: requestBytes <= allocatable.allocatableBytes, overcommitted: limitBytes > allocatable.allocatableBytes }
}
