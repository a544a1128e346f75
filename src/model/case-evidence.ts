/** What each witness says, one fact a line with its source, and where two of them differ: a person must be able to check a verdict. */
import { plural } from '../base/text.ts'
import { near, roseAt, runsAgain, type CaseFacts, type EventRise } from './case-facts.ts'
import type { Evidence, Victim } from './case.ts'
import { agoText } from './case-snapshot.ts'
import { depthBelow } from './memcgs.ts'
import type { NodeModel } from './node.ts'

/** Victims of one group that are written out; the rest are counted. */
const MAX_VICTIMS_TOLD = 8

/** The rise of oom_kill nearest to a victim: its own memcg's, or that of an ancestor (hierarchical on v2). */
export function riseOf(model: NodeModel, facts: CaseFacts): EventRise | undefined {
  const { tsNs, victims, limit } = facts.case
  let best: { readonly rise: EventRise; readonly depth: number } | undefined
  for (const rise of model.caseBook.eventRises) {
    if (rise.kills === 0 || !roseAt(rise, tsNs)) continue
    for (const { memcgId } of victims) {
      const depth = memcgId !== undefined ? depthBelow(model, rise.memcgId, memcgId) : victims.length > 0 && rise.memcgId === limit?.memcgId ? 0 : undefined
      if (depth !== undefined && (best === undefined || depth < best.depth)) best = { rise, depth }
    }
  }
  return best?.rise
}

export type Sources = { readonly limitSource: string | undefined; readonly compositionSource: string | undefined; readonly reclaimSource: string | undefined }

function decisionEvidence(facts: CaseFacts, sources: Sources): Evidence[] {
  const { limit, invoker, candidates, candidatesFrom, victims } = facts.case, d = facts.decisions[0], out: Evidence[] = []
  if (d?.begin !== undefined && invoker !== undefined) out.push({ fact: `out_of_memory() entered by ${invoker.comm} (pid ${invoker.pid}), order ${d.begin.order}`, source: 'probe oom_begin' })
  if (limit?.path !== undefined && sources.limitSource !== undefined) {
    const usage = limit.usageBytes === undefined ? '' : `, usage ${limit.usageBytes} bytes`
    out.push({ fact: `limit of ${limit.path}${limit.limitBytes === undefined ? '' : `: ${limit.limitBytes} bytes`}${usage}`, source: sources.limitSource })
  }
  if (candidatesFrom === 'oom_badness') out.push({ fact: `${plural(candidates.length, 'candidate')} with the kernel's own points`, source: 'probe oom_candidate' })
  if (candidatesFrom === 'kmsg') out.push({ fact: `${plural(candidates.length, 'candidate')}; ${candidates.some(({ points }) => points !== undefined) ? 'points computed as oom_badness() does' : 'what oom_badness() needs is not all in the log'}`, source: 'kernel log, task table' })
  const { choice } = facts.report ?? {}
  if (choice !== undefined) out.push({ fact: `chosen: ${choice.comm} (pid ${choice.tid}), score ${choice.score}${victims.length === 0 || victims.some((v) => v.tids.includes(choice.tid)) ? '' : '; a child of it was killed instead ("sacrifice child")'}`, source: 'kernel log' })
  for (const pick of d?.picks ?? []) out.push({ fact: `picked pid ${pick.pid} (${pick.comm}) with ${pick.pointsPages} points of ${pick.totalPages} pages`, source: 'probe oom_pick' })
  const begun = d?.begin !== undefined && d.end === undefined && facts.case.closed
  if (begun) out.push({ fact: 'the probe\'s account ends in the middle of the decision', source: 'probe' })
  if (d?.end !== undefined) out.push({ fact: `out_of_memory() returned after ${(d.end.durationNs / 1e6).toFixed(1)} ms, ${victims.length} killed`, source: 'probe oom_end' })
  return out
}

function victimEvidence(model: NodeModel, facts: CaseFacts, victim: Victim): Evidence[] {
  const out: Evidence[] = [], ids = [victim.pid, ...victim.tids], name = `${victim.comm ?? '?'} (pid ${victim.pid})`
  for (const d of facts.decisions) {
    if (d.kills.some((k) => k.pid === victim.pid)) out.push({ fact: `killing ${name}`, source: 'probe oom_kill' })
    if (d.marks.some((m) => ids.includes(m.victimTid))) out.push({ fact: `${name} marked as OOM victim`, source: 'tracepoint oom:mark_victim' })
  }
  const signal = ids.map((id) => model.caseBook.signals.get(id)).find((s) => s !== undefined && near(s.tsNs, facts.case.tsNs))
  if (signal !== undefined) out.push({ fact: `SIGKILL to ${name} with code 128 (SI_KERNEL) while ${signal.senderComm} (pid ${signal.senderPid}) was allocating`, source: 'tracepoint signal:signal_generate' })
  const line = facts.report?.killed.find((k) => ids.includes(k.tid))
  if (line !== undefined) out.push({ fact: `Killed process ${line.tid} (${line.comm}), anon-rss ${line.anonKb} kB, file-rss ${line.fileKb} kB`, source: 'kernel log' })
  const exit = model.caseBook.exits.get(victim.pid)
  if (exit !== undefined && victim.exitNs === exit.tsNs) out.push({ fact: `${name} exited by signal ${exit.exitCode & 127}${victim.msToExit === undefined ? '' : ` after ${victim.msToExit.toFixed(1)} ms`}`, source: 'tracepoint sched:sched_process_exit' })
  const reap = ids.map((id) => model.caseBook.reaps.get(id)).find((r) => r !== undefined && near(r.tsNs, facts.case.tsNs))
  if (reap !== undefined) out.push({ fact: `oom_reaper freed the memory of ${name}`, source: 'tracepoint oom:finish_task_reaping' })
  return out
}

/**
 * The first process of a PID namespace ends all others in it while it dies (zap_pid_ns_processes), and whoever shares a victim's memory is
 * killed with it: no decision names them.
 */
function companyEvidence(model: NodeModel, { case: { victims, tsNs } }: CaseFacts): Evidence[] {
  const { signals, open } = model.caseBook, isVictim = (tid: number): boolean => open.some((facts) => facts.case.victims.some((victim) => victim.pid === tid || victim.tids.includes(tid)))
  return victims.slice(0, MAX_VICTIMS_TOLD).flatMap(({ pid, comm }) => {
    let count = 0
    for (const signal of signals.values()) if (signal.senderPid === pid && signal.targetTid !== pid && near(signal.tsNs, tsNs) && signal.tsNs > tsNs && !isVictim(signal.targetTid)) count += 1
    return count === 0 ? [] : [{ fact: `the kernel ended ${count} more ${count === 1 ? 'process' : 'processes'} with ${comm ?? '?'} (pid ${pid}): its PID namespace, or its memory, was theirs`, source: 'tracepoint signal:signal_generate' }]
  })
}

const whileText = ({ case: { victims }, report }: CaseFacts): string => (victims.length > 0 ? ' while the victim was exiting' : report?.noKillable === true ? '' : ' while it was waiting')

function contextEvidence(model: NodeModel, facts: CaseFacts, sources: Sources): Evidence[] {
  const target = facts.case, out: Evidence[] = [], rise = riseOf(model, facts)
  if (rise !== undefined) out.push({ fact: `oom_kill of ${model.memcgs.get(rise.memcgId)?.path ?? `memcg ${rise.memcgId}`} rose by ${rise.kills}`, source: model.hello?.memcgVersion === 'v1' ? 'memory.oom_control' : 'memory.events' })
  if (target.group) out.push({ fact: facts.report?.groupPath === undefined ? 'all of the cgroup dies together (memory.oom.group)' : `memory.oom.group is set on ${facts.report.groupPath}`, source: facts.report?.groupPath === undefined ? 'probe oom_group' : 'kernel log' })
  if (target.reclaim !== undefined && sources.reclaimSource !== undefined) out.push({ fact: `${plural(target.reclaim.attempts, 'reclaim attempt')} waited ${(target.reclaim.stalledNs / 1e6).toFixed(0)} ms and freed ${target.reclaim.reclaimedPages} pages`, source: sources.reclaimSource })
  if (target.composition !== undefined && sources.compositionSource !== undefined) out.push({ fact: 'what the limit was filled with', source: sources.compositionSource })
  const oldest = Math.min(...(target.holderChildren ?? []).flatMap((child) => (child.sampledNs === undefined ? [] : [child.sampledNs])))
  if (target.contributors.length > 0 && Number.isFinite(oldest)) out.push({ fact: `usage of ${plural(target.contributors.length, 'cgroup')} below the limit`, source: `memory.current, sampled at most ${agoText(target.tsNs - oldest)}` })
  if (runsAgain(facts) > 0) out.push({ fact: `the OOM killer ran ${plural(runsAgain(facts), 'more time')} and killed nobody${whileText(facts)}`, source: facts.folded > 0 ? 'probe oom_end' : 'kernel log' })
  if (target.exitingPid !== undefined) out.push({ fact: `pid ${target.exitingPid} was chosen although it was already exiting`, source: facts.decisions.length > 0 ? 'probe' : 'kernel log' })
  if (facts.report?.noKillable === true) out.push({ fact: 'out of memory and no killable processes', source: 'kernel log' })
  if (target.sysrq === true) out.push({ fact: 'asked for by hand (sysrq-f)', source: facts.report?.sysrq === true ? 'kernel log' : 'probe oom_begin, order -1' })
  if (target.candidatesOmitted !== undefined) out.push({ fact: `${target.candidatesOmitted} more candidates are not listed`, source: 'oomscope' })
  if (facts.names === 'ambiguous') out.push({ fact: 'the oom-kill line can be read in more than one way; its names are not used', source: 'kernel log' })
  return out
}

/** All evidence, in the order of the decision. */
export function evidenceOf(model: NodeModel, facts: CaseFacts, sources: Sources): Evidence[] {
  const { victims } = facts.case, told = victims.slice(0, MAX_VICTIMS_TOLD)
  const rest: Evidence[] = victims.length > told.length ? [{ fact: `${victims.length - told.length} more processes killed`, source: 'as above' }] : []
  return [...decisionEvidence(facts, sources), ...told.flatMap((victim) => victimEvidence(model, facts, victim)), ...rest, ...companyEvidence(model, facts), ...contextEvidence(model, facts, sources)]
}

/** Facts on which the probe and the kernel log differ. */
export function disagreementsOf(facts: CaseFacts): string[] {
  const report = facts.report, out: string[] = []
  if (report === undefined || facts.decisions.length === 0) return out
  const byId = new Map(facts.case.victims.flatMap((v) => [v.pid, ...v.tids].map((id) => [id, v])))
  const complete = facts.decisions.every((d) => d.end !== undefined && d.kills.length > 0), probed = new Set(facts.decisions.flatMap((d) => d.kills.map((k) => k.pid)))
  for (const line of report.killed) {
    const victim = byId.get(line.tid)
    if (victim?.comm !== undefined && victim.comm !== line.comm) out.push(`name of pid ${victim.pid}: the probe says ${victim.comm}, the kernel log ${line.comm}`)
    if (victim?.oomScoreAdj !== undefined && line.oomScoreAdj !== undefined && victim.oomScoreAdj !== line.oomScoreAdj) out.push(`oom_score_adj of pid ${victim.pid}: the probe says ${victim.oomScoreAdj}, the kernel log ${line.oomScoreAdj}`)
    if (complete && victim !== undefined && !probed.has(victim.pid)) out.push(`pid ${line.tid} (${line.comm}) is killed in the kernel log only`)
  }
  const picked = facts.decisions[0]?.picks[0]?.constraint, logged = report.decision?.constraint
  if (picked !== undefined && logged !== undefined && picked !== logged) out.push(`constraint: the probe says ${picked}, the kernel log ${logged}`)
  const { names } = facts, victim = facts.case.victims.find((v) => v.pid === report.decision?.tid || (report.decision !== undefined && v.tids.includes(report.decision.tid)))
  if (names !== undefined && names !== 'ambiguous' && victim?.path !== undefined && !names.taskPath.endsWith(victim.path)) out.push(`cgroup of pid ${victim.pid}: the probe says ${victim.path}, the kernel log ${names.taskPath}`)
  return out
}
