/** `eviction`: the kubelet chose the pod under node pressure, and the runtime carried it out. Only the kubelet's own word proves it: the signals look like any stop. */
import { found, type Rule } from './finding.ts'
import { byNameOnly, senderOf } from './sender.ts'
import { testimoniesOf } from './testimony.ts'

export const eviction: Rule = (model, target) => {
  const sender = target.sentSignal === undefined ? undefined : senderOf(model, target.sentSignal)
  if (target.sentSignal === undefined || (sender?.kind !== 'runtime' && sender?.kind !== 'service-manager')) return undefined
  const said = testimoniesOf(model, target).find((testimony) => testimony.says === 'evicted')
  if (said === undefined) return undefined
  const because = [`${said.from} wrote that it evicted the pod`, `the signal came from ${target.sentSignal.sender.comm}, which stops containers for the kubelet`]
  return found(target, { cause: 'eviction', because }, byNameOnly(sender))
}
