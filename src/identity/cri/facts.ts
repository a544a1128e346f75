/** What CRI's messages say, as rows: pure. Only what fits is believed; a name that Kubernetes would not take names nobody. */
import { containerIdOf, nameOf, podUidOf } from '../ids.ts'
import { countOf, integerOf, positiveOf } from '../json.ts'
import { labelText, rowText, type NameFact } from '../name-source.ts'
import type { Container, Sandbox, Status } from './messages.ts'

/** Who made the pod, as far as its controller left it in the labels (kubernetes pkg/controller). */
export function ownerOf(pod: string | undefined, labels: ReadonlyMap<string, string>): string | undefined {
  const job = nameOf(labels.get('batch.kubernetes.io/job-name') ?? labels.get('job-name'))
  if (job !== undefined) return `Job/${job}`
  if (pod === undefined) return undefined
  const hash = labels.get('pod-template-hash'), at = hash === undefined || hash === '' ? -1 : pod.lastIndexOf(`-${hash}-`)
  if (at > 0) return `Deployment/${pod.slice(0, at)}`
  if (labels.get('statefulset.kubernetes.io/pod-name') === pod && /-\d+$/.test(pod)) return `StatefulSet/${pod.replace(/-\d+$/, '')}`
  // Only the DaemonSet controller sets this one; the name ends in five random characters.
  if (labels.has('pod-template-generation') && /-[a-z0-9]{5}$/.test(pod)) return `DaemonSet/${pod.slice(0, -6)}`
  return undefined
}

/** A pod's own row and its pause container's. Nothing when it is no pod of Kubernetes'. */
export function sandboxFacts({ id, pod, labels }: Sandbox, runtime: string): NameFact[] {
  const podUid = podUidOf(pod.uid), namespace = nameOf(pod.namespace), name = nameOf(pod.name)
  if (podUid === undefined || namespace === undefined || name === undefined) return []
  const facts: NameFact[] = [{ kind: 'workload', podUid, namespace, pod: name, owner: ownerOf(name, labels), labels: labelText(labels), runtime }]
  const containerId = containerIdOf(id)
  if (containerId !== undefined) facts.push({ kind: 'workload', podUid, containerId, namespace, pod: name, role: 'sandbox', runtime })
  return facts
}

/** A container of which the runtime's name is known; `Status` has more to say than a line of a list. */
export function containerFact(container: Container | Status, runtime: string): NameFact | undefined {
  const { labels, annotations } = container, containerId = containerIdOf(container.id)
  const podUid = podUidOf(labels.get('io.kubernetes.pod.uid')), namespace = nameOf(labels.get('io.kubernetes.pod.namespace')), pod = nameOf(labels.get('io.kubernetes.pod.name'))
  const name = nameOf(container.name)
  if (containerId === undefined || name === undefined) return undefined
  const restarts = annotations.get('io.kubernetes.container.restartCount'), resources = 'resources' in container ? container.resources : undefined
  return {
    kind: 'workload', containerId, podUid, namespace, pod, container: name, role: 'container', runtime, image: rowText(container.image),
    restarts: restarts !== undefined && /^\d{1,9}$/.test(restarts) ? Number(restarts) : countOf(container.attempt),
    memoryLimitBytes: positiveOf(resources?.memoryLimitBytes), oomScoreAdj: integerOf(resources?.oomScoreAdj),
  }
}

const msOf = (ns: number): number | undefined => (ns > 0 ? Math.floor(ns / 1e6) : undefined)

/** How it stands. */
export function statusFact(status: Status): NameFact | undefined {
  const containerId = containerIdOf(status.id), isOver = status.state === 'exited'
  if (containerId === undefined) return undefined
  return {
    kind: 'container_status', containerId, state: status.state, reason: rowText(status.reason, 80), message: rowText(status.message),
    // The number is there before it exits, too, and means nothing then.
    exitCode: isOver ? integerOf(status.exitCode) : undefined,
    startedMs: msOf(status.startedNs), finishedMs: isOver ? msOf(status.finishedNs) : undefined,
  }
}
