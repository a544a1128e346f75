/** `node`: an OOM without a constraint; the node itself ran out. */
import { found, type Rule } from './finding.ts'
import { isNoKill } from './memcg-limit.ts'

const NONE = 0

export const node: Rule = (_, target) => {
  if (isNoKill(target) || target.sysrq === true || target.sentSignal !== undefined) return undefined
  if (target.constraint === undefined ? target.limit?.memcgId !== 0 : target.constraint !== NONE) return undefined
  const guess = target.constraintGuessed === undefined ? undefined
    : target.constraintGuessed === 'nodes' ? { atMost: 'likely', why: 'the log does not write the constraint; the nodes it lists were all allowed' } as const
      : { atMost: 'possible', why: 'the header of the report is missing: a cpuset or a memory policy looks the same' } as const
  return found(target, { cause: 'node', level: 'root', because: ['no memcg limit and no NUMA restriction was in the way'] }, guess)
}
