/** `oom-daemon`: systemd-oomd, oomd, earlyoom and the like killed it, before or instead of the kernel. */
import type { KillCase } from '../model/case.ts'
import type { Memcg, NodeModel } from '../model/node.ts'
import { found, type Rule } from './finding.ts'
import { byNameOnly, senderOf } from './sender.ts'

/** The cgroup the daemon chose: the victim's own, or one above it, which it ended whole. */
function markedOf(model: NodeModel, { victims }: KillCase): Memcg | undefined {
  const MAX_DEPTH = 64
  let memcg = model.memcgs.get(victims[0]?.memcgId ?? 0)
  for (let depth = 0; memcg !== undefined && memcg.oomd === undefined && depth < MAX_DEPTH; depth += 1) memcg = model.memcgs.get(memcg.parentId)
  return memcg?.oomd === undefined ? undefined : memcg
}

/** Only told, never proof alone: whoever owns a cgroup may write such attributes on it. */
function markText({ path, oomd }: Memcg): string {
  const counts = [oomd?.ooms === undefined ? [] : `chosen ${oomd.ooms === 1 ? 'once' : `${oomd.ooms} times`}`, oomd?.kills === undefined ? [] : `${oomd.kills} processes killed`].flat()
  return `the daemon's own marks are on ${path}: ${counts.join(', ')} (oomd_ooms, oomd_kill)`
}

export const oomDaemon: Rule = (model, target) => {
  if (target.sentSignal === undefined) return undefined
  const sender = senderOf(model, target.sentSignal)
  if (sender.kind !== 'oom-daemon') return undefined
  const marked = markedOf(model, target), because = [`the signal came from ${target.sentSignal.sender.comm}`, ...(marked === undefined ? [] : [markText(marked)])]
  return found(target, { cause: 'oom-daemon', because }, byNameOnly(sender))
}
