/** `eviction`: the kubelet chose the pod under node pressure, and the runtime carried it out. Only the kubelet's own word proves it: the signals look like any stop. */
import { found, type Rule } from './finding.ts'
import { senderOf } from './sender.ts'
import { testimoniesOf } from './testimony.ts'

export const eviction: Rule = (model, target) => {
  if (target.sentSignal === undefined || senderOf(model, target.sentSignal).kind !== 'runtime') return undefined
  const said = testimoniesOf(model, target).find((testimony) => testimony.says === 'evicted')
  return said === undefined ? undefined : found(target, { cause: 'eviction', because: [`${said.from} wrote that it evicted the pod`, `the signal came from ${target.sentSignal.sender.comm}, which stops containers for the kubelet`] })
}
