/** `sysrq`: somebody asked for a kill (sysrq-f, or f written to /proc/sysrq-trigger). */
import { found, type Rule } from './finding.ts'
import { isNoKill } from './memcg-limit.ts'

export const sysrq: Rule = (_, target) =>
  target.sysrq === true && !isNoKill(target) ? found(target, { cause: 'sysrq', level: 'root', because: ['the order of the allocation is -1, which only sysrq-f passes'] }) : undefined
