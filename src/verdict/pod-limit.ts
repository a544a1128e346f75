/** `pod-limit`: a memcg OOM of a pod that is not just its only container's limit under another name. */
import { workloadIn } from '../identity/workload.ts'
import type { KillCase } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { equalLimitOf, isMuch } from './equal-limit.ts'
import { found, type Rule } from './finding.ts'
import { holderOf } from './memcg-limit.ts'

/** Containers of which a witness says that they took part: who allocated and who died. */
function containersSeen(model: NodeModel, target: KillCase): Set<string> {
  const users = target.contributors.filter(({ bytes }) => isMuch(bytes, target.limit?.limitBytes ?? 0))
  const paths = [target.invoker?.path, ...target.victims.map((victim) => victim.path), ...users.map(({ path }) => path)]
  return new Set(paths.flatMap((path) => (path === undefined ? [] : workloadIn(model, path).containerId ?? [])))
}

export const podLimit: Rule = (model, target) => {
  if (holderOf(model, target)?.level !== 'pod' || equalLimitOf(model, target) !== undefined) return undefined
  const because = ['the cgroup whose limit was hit is a pod'], isKnown = target.holderChildren?.every((child) => child.limitsRead === true) ?? false, isShared = containersSeen(model, target).size > 1
  if (isKnown) because.push('no container of it has the same limit alone')
  if (isShared) because.push('more than one of its containers took part')
  const doubt = isKnown || isShared ? undefined : { atMost: 'possible', why: 'whether the pod has more than one container is not known; with one, its limit is the container\'s' } as const
  return found(target, { cause: 'pod-limit', level: 'pod', because }, doubt)
}
