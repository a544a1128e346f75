/** The cgroup whose limit a memcg OOM is about: what the three rules of memcg limits ask first. */
import { workloadIn } from '../identity/workload.ts'
import type { KillCase, Level } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

const MEMCG = 3

export type Holder = { readonly path: string; readonly level: Level }

/** Nobody was killed, and that is all there is to say: another rule's case. */
export const isNoKill = (target: KillCase): boolean => target.noKill === true && target.picked === undefined && target.unseenVictims === undefined

/** Was it a memcg OOM that killed (or chose) somebody? Then whose limit, if a witness named it. */
export function holderOf(model: NodeModel, target: KillCase): Holder | undefined {
  const { limit, constraint } = target
  if (isNoKill(target) || target.sysrq === true || target.sentSignal !== undefined) return undefined
  if (constraint !== undefined ? constraint !== MEMCG : limit?.memcgId === undefined || limit.memcgId === 0) return undefined
  return limit?.path === undefined ? undefined : { path: limit.path, level: workloadIn(model, limit.path).level }
}
