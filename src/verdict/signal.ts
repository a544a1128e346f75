/** `signal`: some other process sent it, and is named. Not a memory kill, though exit code 137 looks like one. */
import { found, type Rule } from './finding.ts'
import { senderOf } from './sender.ts'

export const signal: Rule = (model, target) => {
  if (target.sentSignal === undefined || senderOf(model, target.sentSignal).kind !== 'other') return undefined
  const { sender, code } = target.sentSignal, own = sender.memcgId !== undefined && target.victims.some((victim) => victim.memcgId === sender.memcgId)
  return found(target, { cause: 'signal', because: [`${sender.comm} (pid ${sender.pid}) sent it${own ? ' from the same cgroup' : ''}`, `its code is ${code}; the kernel's own kills have 128`] })
}
