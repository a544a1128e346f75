/** The one line a person pastes into a ticket: who died, by which limit, and what was tried. Names are made safe here. */
import { formatBytes } from '../base/bytes.ts'
import { plural } from '../base/text.ts'
import { workloadIn } from '../identity/workload.ts'
import type { KillCase, Victim } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import type { Finding } from './finding.ts'
import { safeName as name, workloadText } from './names.ts'
import { stopReason } from './runtime-stop.ts'
import { oomJustBefore } from './sender.ts'

/** With its own memory only: mapped files are shared and often charged elsewhere, so they may exceed the limit. */
const victimText = (victim: Victim): string =>
  `${victim.comm === undefined ? 'process' : name(victim.comm)} (pid ${victim.pid}${victim.anonBytes === undefined ? '' : `, ${formatBytes(victim.anonBytes)} anonymous`})`

/** Only counted. */
function unseenText(model: NodeModel, { unseenVictims, countedPath }: KillCase, holder: string | undefined): string {
  const where = countedPath === undefined ? undefined : workloadText(workloadIn(model, countedPath), countedPath)
  return `the kernel killed ${unseenVictims === 1 ? 'a process' : `${unseenVictims} processes`}${where === undefined || where === holder ? '' : ` in ${where}`} that no probe and no kernel log named`
}

/** Chosen, and then the account ends. */
function pickedText(model: NodeModel, picked: NonNullable<KillCase['picked']>, holder: string | undefined): string {
  const where = picked.path === undefined ? undefined : workloadText(workloadIn(model, picked.path), picked.path)
  return `the kernel chose ${picked.comm === undefined ? 'process' : name(picked.comm)} (pid ${picked.pid})${where === undefined || where === holder || where === 'the node' ? '' : ` in ${where}`}; whether it was killed is not told`
}

/** `the kernel killed python3 (pid 7, 998 MiB anonymous) and 3 more in container etl of pod batch/etl-0`. */
function killedText(model: NodeModel, target: KillCase, holder: string | undefined): string {
  const [first, ...rest] = target.victims
  if (first === undefined && target.unseenVictims !== undefined) return unseenText(model, target, holder)
  if (first === undefined) return target.picked === undefined ? 'the kernel killed nobody' : pickedText(model, target.picked, holder)
  const where = first.path === undefined ? undefined : workloadText(workloadIn(model, first.path), first.path)
  return `the kernel killed ${victimText(first)}${rest.length === 0 ? '' : ` and ${rest.length} more`}${where === undefined || where === holder || where === 'the node' ? '' : ` in ${where}`}`
}

function reclaimText(target: KillCase, pageBytes: number | undefined): string {
  if (target.reclaim === undefined || target.reclaim.attempts === 0) return ''
  const freed = pageBytes === undefined ? `${target.reclaim.reclaimedPages} pages` : formatBytes(target.reclaim.reclaimedPages * pageBytes)
  return `; in the 10 s before, ${plural(target.reclaim.attempts, 'reclaim attempt')} freed ${freed}`
}

/** A copy of a large file is killed with hardly any memory of its own: then what filled the limit is the point. */
function fillText({ composition }: KillCase): string {
  const { anonBytes, fileBytes, shmemBytes, fileWritebackBytes, fileDirtyBytes, kernelBytes, slabBytes } = composition ?? {}
  if (anonBytes === undefined || fileBytes === undefined) return ''
  const unwritten = (fileWritebackBytes ?? 0) + (fileDirtyBytes ?? 0), cache = fileBytes - (shmemBytes ?? 0)
  const shared = shmemBytes === undefined || shmemBytes === 0 ? '' : `, ${formatBytes(shmemBytes)} shared`
  const kernel = kernelBytes ?? slabBytes ?? 0, inKernel = kernel > (anonBytes + fileBytes) / 8 ? `, and ${formatBytes(kernel)} kernel memory` : ''
  return `; the limit was filled with ${formatBytes(anonBytes)} anonymous${shared} and ${formatBytes(Math.max(0, cache))} file memory${unwritten > cache / 4 && unwritten > 2 ** 20 ? ` (${formatBytes(unwritten)} of it not yet written to disk)` : ''}${inKernel}`
}

/** The sentence of a case whose cause no rule could name. */
export function unknownText(model: NodeModel, target: KillCase, missing: string): string {
  const [marked] = target.markedOnly === true ? target.victims : []
  if (marked !== undefined) return `${marked.comm === undefined ? 'Process' : name(marked.comm)} (pid ${marked.pid}) was marked as a victim of the OOM killer; whether that killed it is not known, because ${missing}.`
  const what = target.victims.length === 0 && target.unseenVictims === undefined ? 'The OOM killer ran' : killedText(model, target, undefined).replace(/^t/, 'T')
  return `${what}; cause unknown, because ${missing}.`
}

function noKillText(model: NodeModel, target: KillCase): string {
  const path = target.limit?.path, where = path === undefined ? '' : ` for ${workloadText(workloadIn(model, path), path)}`
  const why = target.exitingPid === undefined ? '' : `: pid ${target.exitingPid} was exiting already`
  const times = target.invokedWhileExiting === undefined ? '' : ` ${target.invokedWhileExiting + 1} times`
  return `The OOM killer ran${times}${where} and killed nobody${why}.`
}

function limitText(model: NodeModel, target: KillCase, found: Finding): { readonly text: string; readonly holder: string } {
  const path = found.equalLimitPath ?? target.limit?.path ?? '/', workload = workloadIn(model, path), holder = workloadText(workload, path), bytes = target.limit?.limitBytes
  const whose = workload.level === 'qos' || workload.level === 'kubepods' ? 'their' : 'its', size = `${whose} memory limit${bytes === undefined ? '' : ` of ${formatBytes(bytes)}`}`
  const equal = found.equalLimitPath === undefined ? '' : ' (the pod\'s limit is the same)'
  return { text: `${holder.charAt(0).toUpperCase()}${holder.slice(1)} reached ${size}${equal}`, holder }
}

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(1).replace(/\.0$/, '')} s`

/** `runc (pid 7) killed nginx (pid 9) and 3 more in container web of pod a/b with SIGKILL, 30 s after SIGTERM`. */
function strokeText(model: NodeModel, target: KillCase, sent: NonNullable<KillCase['sentSignal']>): string {
  const [first, ...rest] = target.victims, where = first?.path === undefined ? '' : ` in ${workloadText(workloadIn(model, first.path), first.path)}`
  const who = first === undefined ? 'a process' : `${first.comm === undefined ? 'process' : name(first.comm)} (pid ${first.pid})${rest.length === 0 ? '' : ` and ${rest.length} more`}`
  const how = sent.signo === 9 ? 'SIGKILL' : 'SIGTERM', grace = sent.graceNs === undefined ? '' : `, ${seconds(sent.graceNs)} after SIGTERM`
  return `${name(sent.sender.comm)} (pid ${sent.sender.pid}) killed ${who}${where} with ${how}${grace}`
}

function sentText(model: NodeModel, target: KillCase, sent: NonNullable<KillCase['sentSignal']>, found: Finding): string {
  const stroke = strokeText(model, target, sent)
  switch (found.cause) {
    case 'eviction': return `Evicted by the kubelet under node pressure: ${stroke}. No OOM kill.`
    case 'oom-daemon': return `Killed by a memory daemon in user space, not by the kernel: ${stroke}.`
    case 'runtime-stop': {
      const reason = stopReason(model, target)
      if (oomJustBefore(model, target) !== undefined) return `Ended after an OOM kill in the same cgroup: ${stroke}.`
      return `Stopped${reason === undefined ? '' : ` because ${reason}`}: ${stroke}. No OOM kill.`
    }
    default: return `Killed by another process, not for memory: ${stroke}.`
  }
}

const LIMITS: ReadonlySet<Finding['cause']> = new Set(['container-limit', 'pod-limit', 'slice-limit'])

/** The sentence of a case with this cause. */
export function sentenceOf(model: NodeModel, target: KillCase, found: Finding): string {
  if (target.sentSignal !== undefined) return sentText(model, target, target.sentSignal, found)
  if (found.cause === 'invoked-no-kill') return noKillText(model, target)
  const tail = reclaimText(target, model.hello?.pageSizeBytes), killed = killedText(model, target, undefined)
  switch (found.cause) {
    case 'node': return (target.order ?? 0) > 0 ? `The node had no ${2 ** (target.order ?? 0)} contiguous pages left (order ${target.order}): ${killed}.` : `The node ran out of memory: ${killed}.`
    case 'numa': return `The node had memory, but not where it was allowed (${target.constraint === 1 ? 'cpuset' : 'memory policy'}): ${killed}.`
    case 'sysrq': return `The OOM killer was asked for by hand (sysrq-f): ${killed}.`
    default: {
      const { text, holder } = limitText(model, target, found)
      return `${text}: ${killedText(model, target, holder)}${fillText(target)}${tail}.`
    }
  }
}

/** The same where who was killed stands beside it; nothing where that is not all that can be left out. */
export function briefOf(model: NodeModel, target: KillCase, found: Finding): string | undefined {
  if (target.sentSignal !== undefined || target.victims.length === 0 || !LIMITS.has(found.cause)) return undefined
  return `${limitText(model, target, found).text}${fillText(target)}${reclaimText(target, model.hello?.pageSizeBytes)}.`
}
