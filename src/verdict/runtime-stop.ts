/** `runtime-stop`: the container runtime (or the service manager) ended it: a failed probe, a delete, a drain, a restart, or what was left after an OOM kill. */
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { found, type Rule } from './finding.ts'
import { byNameOnly, oomJustBefore, senderOf } from './sender.ts'
import { testimoniesOf } from './testimony.ts'

const SAYS: Readonly<Record<string, string>> = { 'liveness-failed': 'the liveness probe failed', 'startup-failed': 'the startup probe failed', deleted: 'the pod was deleted' }

/** What kubelet's log says was the reason; nothing when it says nothing. */
export function stopReason(model: NodeModel, target: KillCase): string | undefined {
  const said = testimoniesOf(model, target).findLast((testimony) => SAYS[testimony.says] !== undefined)
  return said === undefined ? undefined : SAYS[said.says]
}

export const runtimeStop: Rule = (model, target) => {
  const { sentSignal } = target
  if (sentSignal === undefined || testimoniesOf(model, target).some((said) => said.says === 'evicted')) return undefined
  const sender = senderOf(model, sentSignal)
  if (sender.kind !== 'runtime' && sender.kind !== 'service-manager') return undefined
  const because = [`the signal came from ${sentSignal.sender.comm}, ${sender.kind === 'runtime' ? 'a container runtime' : 'the service manager'}`]
  because.push(sentSignal.graceNs === undefined ? 'no SIGTERM was seen before it' : `SIGTERM had come ${(sentSignal.graceNs / 1e9).toFixed(1)} s before`)
  const reason = stopReason(model, target), before = oomJustBefore(model, target)
  if (reason !== undefined) because.push(`kubelet's log: ${reason}`)
  if (before !== undefined) because.push('the OOM killer had killed in the same cgroup just before: this ended what was left')
  // An eviction and a stop look the same from the kernel.
  return found(target, { cause: 'runtime-stop', because }, byNameOnly(sender) ?? (reason !== undefined || before !== undefined ? undefined : { atMost: 'likely', why: 'why it was stopped (probe, delete, drain, eviction) only the kubelet knows' }))
}
