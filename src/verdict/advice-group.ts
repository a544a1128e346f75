/** Advice about who died together and who was left behind. */
import { plural } from '../base/text.ts'
import { formatBytes } from '../base/bytes.ts'
import type { Asked } from './asked.ts'
import { safeName } from './names.ts'

/** Many die for one: where the kubelet sets memory.oom.group (1.28 and later on cgroup v2), it can be told not to. */
function group({ target }: Asked): string[] {
  const [first, ...others] = target.victims, innocent = others.reduce((sum, { anonBytes = 0 }) => sum + anonBytes, 0)
  if (!target.group || first?.anonBytes === undefined || others.length === 0 || innocent >= first.anonBytes) return []
  return [`let one process die alone (singleProcessOOMKill of the kubelet, or memory.oom.group 0) if the others could go on without it, because ${others.length === 1 ? 'one other' : plural(others.length, 'other')} died with ${safeName(first.comm ?? `pid ${first.pid}`)}, which had ${formatBytes(first.anonBytes)} of ${formatBytes(first.anonBytes + innocent)}`]
}

/** The first process lives on and the container counts as running: nobody restarts what died in it. */
function orphaned({ model, target }: Asked): string[] {
  const [victim] = target.victims, parent = victim?.parent
  if (victim === undefined || parent === undefined || target.group || target.sentSignal !== undefined || target.victims.some(({ pid }) => pid === parent.pid)) return []
  const alive = model.processes.living.get(parent.pid)
  if (alive === undefined || alive.startNs !== parent.startNs || alive.memcgId !== victim.memcgId) return []
  const how = model.hello?.memcgVersion === 'v2' ? 'set memory.oom.group, or let the parent exit or restart it' : 'let the parent exit or restart it'
  return [`${how}, if the rest cannot go on without ${safeName(victim.comm ?? `pid ${victim.pid}`)}, because only this child was killed and its parent ${safeName(parent.comm)} (pid ${parent.pid}) lives on: the container counts as running`]
}

export const groupAdvice = (asked: Asked): string[] => [...group(asked), ...orphaned(asked)]
