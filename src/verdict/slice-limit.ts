/** `slice-limit`: a memcg OOM of anything above or beside pods: a QoS class, kubepods, a slice, a service, any other cgroup. */
import { found, type Rule } from './finding.ts'
import { holderOf } from './memcg-limit.ts'

export const sliceLimit: Rule = (model, target) => {
  const holder = holderOf(model, target)
  if (holder === undefined || holder.level === 'container' || holder.level === 'pod') return undefined
  return found(target, { cause: 'slice-limit', level: holder.level, because: [`the cgroup whose limit was hit is ${holder.level === 'qos' ? 'a QoS class' : holder.level === 'kubepods' ? 'kubepods, the node\'s allocatable memory' : `a ${holder.level}`}`] })
}
