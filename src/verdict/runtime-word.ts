/**
 * What a container's runtime, or systemd of a unit, said of it afterwards. Labels, not proof: containerd calls a container OOMKilled that still runs, on v1 also
 * its innocent siblings, and misses kills whose cgroup is gone too soon. So it decides nothing; it is told beside the kernel's word.
 */
import { wallMsAt } from '../base/time.ts'
import { statusIdOf, workloadIn } from '../identity/workload.ts'
import { isOomCase, type Evidence, type KillCase } from '../model/case.ts'
import type { ContainerStatus, NodeModel } from '../model/node.ts'
import { safeName, workloadText } from './names.ts'

/** A runtime notices an exit within milliseconds; what finished much later, or before, is another story. */
const BEFORE_MS = 1000, AFTER_MS = 30_000
/** podman's time of an end is that of a file: the kernel's coarse clock, which may be a tick behind. */
const TICK_MS = 20
/** Docker's time of a start is when it heard of it; before it starts one again it waits 100 ms (moby, restartmanager). */
const LATE_MS = 100
const SIGKILLED = 137, SHOWN_VICTIMS = 100

type Word = { readonly status: ContainerStatus; readonly who: string; readonly pids: readonly number[] }

/** Each container with a victim, once. */
function wordsOf(model: NodeModel, target: KillCase): Word[] {
  if (model.statuses.size === 0) return []
  const words = new Map<string, Word>()
  // A kill that only a cgroup's counter saw has a place and no victims.
  const places: readonly { readonly path?: string; readonly pid?: number }[] = target.victims.length > 0 ? target.victims.slice(0, SHOWN_VICTIMS) : target.countedPath === undefined ? [] : [{ path: target.countedPath }]
  for (const { path, pid } of places) {
    const id = path === undefined ? undefined : statusIdOf(path), status = id === undefined ? undefined : statusAt(model, target, id)
    if (path === undefined || status === undefined) continue
    const pids = [...(words.get(status.containerId)?.pids ?? []), ...(pid === undefined ? [] : [pid])]
    words.set(status.containerId, { status, who: workloadText(workloadIn(model, path), path), pids })
  }
  return [...words.values()]
}

/** Of the run in which somebody was killed, by the clocks of both: Docker and podman start a container again under its id. */
function statusAt(model: NodeModel, target: KillCase, containerId: string): ContainerStatus | undefined {
  const runs = model.statuses.get(containerId) ?? []
  if (model.anchor === undefined) return runs.at(-1)
  const killMs = wallMsAt(model.anchor, target.tsNs)
  // What is known to run and is not the last has ended meanwhile: nobody heard how.
  return runs.findLast(({ startedMs = 0, finishedMs }, at) => startedMs <= killMs + LATE_MS && (runs.length === 1 || (finishedMs === undefined ? at === runs.length - 1 : finishedMs >= killMs - TICK_MS)))
}

function factOf({ status, who }: Word): string {
  const parts = [status.state, ...(status.exitCode === undefined ? [] : [`exit code ${status.exitCode}`]), ...(status.reason === undefined ? [] : [safeName(status.reason)])]
  return `${speakerOf(status)} says of ${who}: ${parts.join(', ')}${status.message === undefined ? '' : ` (${safeName(status.message)})`}`
}

/** Of each container in which somebody was killed. */
export const runtimeFacts = (model: NodeModel, target: KillCase): readonly Evidence[] =>
  wordsOf(model, target).map((word) => ({ fact: factOf(word), source: word.status.from === 'systemd' ? 'systemctl status' : `${safeName(word.status.from)} container status` }))

/** Everything the case rests on, and what the runtime says to it. */
export function evidenceOf(model: NodeModel, target: KillCase): readonly Evidence[] {
  const facts = runtimeFacts(model, target)
  return facts.length === 0 ? target.evidence : [...target.evidence, ...facts]
}

/** Did the container end by this case, by the clocks of both? Not known without either: then nothing is concluded. */
function endedByIt(model: NodeModel, target: KillCase, { finishedMs, state }: ContainerStatus): boolean {
  if (state !== 'exited' || finishedMs === undefined || model.anchor === undefined) return false
  const afterMs = finishedMs - wallMsAt(model.anchor, target.tsNs)
  return afterMs >= -BEFORE_MS && afterMs <= AFTER_MS
}

const wasKilledForMemory = (model: NodeModel, containerId: string): boolean =>
  model.cases.some((one) => isOomCase(one) && one.victims.some(({ path }) => path !== undefined && statusIdOf(path) === containerId))

/** The words of runtimes, and of systemd, for an end by the OOM killer. */
const saysOom = ({ reason }: ContainerStatus): boolean => reason === 'OOMKilled' || reason === 'oom-kill'
const speakerOf = ({ from }: ContainerStatus): string => (from === 'systemd' ? 'systemd' : 'its runtime')

/** Where a person reads what it says. */
const readerOf = ({ from }: ContainerStatus): string => (from === 'systemd' ? 'systemctl status' : from === 'docker' || from === 'podman' ? `${from} inspect` : 'kubectl describe')

/** Where `kubectl describe` says something else than the kernel. */
export function runtimeDifferences(model: NodeModel, target: KillCase): string[] {
  return wordsOf(model, target).flatMap(({ status, who, pids }) => {
    const { state, reason, exitCode, containerId } = status, isOom = isOomCase(target)
    if (isOom && state === 'running' && saysOom(status)) return [`the runtime calls ${who} OOMKilled although it runs on: a process in it was killed, not its first`]
    if (isOom && exitCode === SIGKILLED && !saysOom(status) && endedByIt(model, target, status)) {
      return [`${readerOf(status)} says ${safeName(reason ?? 'nothing')}, exit code ${exitCode}, of ${who}: ${speakerOf(status)} missed that the kernel killed ${pids.length === 0 ? 'a process' : pids.length === 1 ? `process ${pids[0]}` : `${pids.length} processes`} for memory`]
    }
    if (!isOom && saysOom(status) && endedByIt(model, target, status) && !wasKilledForMemory(model, containerId)) return [`${readerOf(status)} says ${reason ?? ''} of ${who}: no kill for memory was seen in it (on cgroup v1 runtimes say it of a whole pod)`]
    return []
  })
}
