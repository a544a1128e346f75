/** What a victim was running, who started it, and how it waited: kept with the case, because tables and histories forget. */
import type { KillCase, Program, Victim } from './case.ts'
import type { EventOf } from '../event/event.ts'
import type { NodeModel } from './node.ts'
import { sampleAt } from './earlier.ts'
import { depthBelow } from './memcgs.ts'
import { processAt, type Process } from './processes.ts'
import { highPerSec, psiSomePct } from './rates.ts'

function programOf({ commandLine, exe, runtime, settings, environRead }: EventOf<'process_command'>): Program {
  return {
    ...(commandLine === undefined ? {} : { commandLine }), ...(exe === undefined ? {} : { exe }), ...(runtime === undefined ? {} : { runtime }),
    settings: settings === '' ? [] : settings.split('\n'), environRead,
  }
}

/** In another cgroup it is a process of another PID namespace, or what it was before its runtime put it into this one; of a young cgroup the bridge knows the one above. */
function ownOf(model: NodeModel, { pid, memcgId }: Victim, tsNs: number): Process | undefined {
  const own = processAt(model, pid, tsNs)
  return own === undefined || memcgId === undefined || own.memcgId === memcgId || depthBelow(model, own.memcgId, memcgId) !== undefined ? own : undefined
}

/** `before` are the victims as they were told last: what was known of them stays known. */
export function nameVictims(model: NodeModel, target: KillCase, before: readonly Victim[]): void {
  const known = new Map(before.map((victim) => [victim.pid, victim]))
  for (const victim of target.victims) {
    const was = known.get(victim.pid), tsNs = victim.killNs ?? target.tsNs
    if (was?.program !== undefined) victim.program ??= was.program
    if (was?.parent !== undefined) victim.parent ??= was.parent
    if (victim.program !== undefined && victim.parent !== undefined) continue
    const own = ownOf(model, victim, tsNs), parent = own === undefined ? undefined : processAt(model, own.ppid, tsNs)
    if (own?.command !== undefined) victim.program ??= programOf(own.command)
    if (parent !== undefined && parent.memcgId === own?.memcgId) victim.parent ??= { pid: parent.pid, comm: parent.comm, startNs: parent.startNs }
  }
}

const WAIT_SECONDS = 10
/** Longer ago than this the history no longer tells. */
const HISTORY_NS = 60e9

/** Taken once. */
export function noteWaits(model: NodeModel, target: KillCase): void {
  const memcg = model.memcgs.get(target.victims[0]?.memcgId ?? 0)
  if (target.waits !== undefined || memcg === undefined || model.nowNs - target.tsNs > HISTORY_NS) return
  const window = { nowNs: target.tsNs, seconds: WAIT_SECONDS }, somePercent = psiSomePct(memcg.history, window), highPerSecond = highPerSec(memcg.history, window), highBytes = memcg.limits?.highBytes, usedBytes = sampleAt(memcg.usage, memcg.earlierUsage, target.tsNs)?.currentBytes
  if (somePercent === undefined && highPerSecond === undefined && highBytes === undefined && usedBytes === undefined) return
  target.waits = { path: memcg.path, seconds: WAIT_SECONDS, ...(somePercent === undefined ? {} : { somePercent }), ...(highPerSecond === undefined ? {} : { highPerSecond }), ...(usedBytes === undefined ? {} : { usedBytes }), ...(highBytes === undefined ? {} : { highBytes }) }
}
