/** `invoked-no-kill`: the OOM killer ran and killed nobody: the chosen one was exiting already, or none was eligible. */
import { workloadIn } from '../identity/workload.ts'
import { found, type Rule } from './finding.ts'
import { isNoKill } from './memcg-limit.ts'

export const invokedNoKill: Rule = (model, target) => {
  if (!isNoKill(target) || !target.closed) return undefined
  const path = target.limit?.path, why = target.exitingPid !== undefined ? 'the chosen process was exiting already' : 'no process was killed by this decision'
  return found(target, { cause: 'invoked-no-kill', ...(path === undefined ? {} : { level: workloadIn(model, path).level }), because: [why] })
}
