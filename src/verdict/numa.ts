/** `numa`: the node had memory, but not on the NUMA nodes that the task was allowed to use. */
import { found, type Rule } from './finding.ts'
import { isNoKill } from './memcg-limit.ts'

const CPUSET = 1, MEMPOLICY = 2

export const numa: Rule = (_, target) => {
  if (isNoKill(target) || target.sysrq === true || (target.constraint !== CPUSET && target.constraint !== MEMPOLICY)) return undefined
  const because = [target.constraint === CPUSET ? 'constraint cpuset: its cpuset forbids some of the nodes' : 'constraint mempolicy: its memory policy binds it to some of the nodes']
  return found(target, { cause: 'numa', level: 'root', because }, target.constraintGuessed === undefined ? undefined : { atMost: 'likely', why: 'the log does not write the constraint; it lists nodes that were not allowed' })
}
