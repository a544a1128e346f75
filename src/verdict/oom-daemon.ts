/** `oom-daemon`: systemd-oomd, oomd, earlyoom and the like killed it, before or instead of the kernel. */
import { found, type Rule } from './finding.ts'
import { senderOf } from './sender.ts'

export const oomDaemon: Rule = (model, target) => {
  if (target.sentSignal === undefined) return undefined
  const { kind, isTrusted } = senderOf(model, target.sentSignal)
  if (kind !== 'oom-daemon') return undefined
  return found(target, { cause: 'oom-daemon', because: [`the signal came from ${target.sentSignal.sender.comm}`] }, isTrusted ? undefined : { atMost: 'possible', why: 'the sender is known by its name only' })
}
