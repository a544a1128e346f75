/** What kubelet's own log says about the pod of a case, near in time. A witness of intent: it says why, the probes say what happened. */
import { workloadIn } from '../identity/workload.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel, Testimony } from '../model/node.ts'

/** The kubelet decides, then asks the runtime, then waits for the grace period; its clock and ours may differ by a little. */
const BEFORE_NS = 150e9, AFTER_NS = 15e9

/** Oldest first; only of the container's own pod, and of the container itself where it is named. */
export function testimoniesOf(model: NodeModel, target: KillCase): Testimony[] {
  if (model.testimonies.length === 0) return []
  const workloads = target.victims.flatMap((victim) => (victim.path === undefined ? [] : [workloadIn(model, victim.path)]))
  return model.testimonies.filter((said) => said.tsNs >= target.tsNs - BEFORE_NS && said.tsNs <= target.tsNs + AFTER_NS &&
    workloads.some((own) => own.podUid !== undefined && own.within === undefined && own.podUid === said.podUid && (said.containerId === undefined || own.containerId === undefined || said.containerId === own.containerId)))
}
