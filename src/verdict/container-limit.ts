/** `container-limit`: a memcg OOM whose limit holder is a container, or its pod with the same limit. */
import { equalLimitOf } from './equal-limit.ts'
import { found, type Rule } from './finding.ts'
import { holderOf } from './memcg-limit.ts'

export const containerLimit: Rule = (model, target) => {
  const holder = holderOf(model, target)
  if (holder?.level === 'container') return found(target, { cause: 'container-limit', level: 'container', because: ['the cgroup whose limit was hit is a container'] })
  if (holder?.level !== 'pod') return undefined
  const equal = equalLimitOf(model, target)
  return equal === undefined ? undefined : found(target, { cause: 'container-limit', level: 'pod', equalLimitPath: equal.path, because: ['the cgroup whose limit was hit is a pod', equal.because] })
}
