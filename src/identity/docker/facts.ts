/** What Docker's API (and podman's of the same form) says of a container, as rows: pure. https://docs.docker.com/reference/api/engine/ : GET /containers/json, GET /containers/ID/json. */
import { keysIn } from '../../event/name-keep.ts'
import { containerIdOf, nameOf, podUidOf } from '../ids.ts'
import { at, countOf, integerOf, listOf, mapOf, positiveOf, textOf, timeOf } from '../json.ts'
import { labelText, MAX_NAME, type NameFact } from '../name-source.ts'

/** One line of the list: its id, and the word that changes when the rest does. */
export type Listed = { readonly containerId: string; readonly state: string; /** Of cri-dockerd, as it says. */ readonly isOfPod: boolean; readonly fact: NameFact }

const withoutSlash = (name: string | undefined): string | undefined => (name?.startsWith('/') === true ? name.slice(1) : name)

function ownerOf(labels: ReadonlyMap<string, string>): string | undefined {
  const project = textOf(labels.get('com.docker.compose.project'), MAX_NAME), service = textOf(labels.get('com.docker.swarm.service.name'), MAX_NAME)
  return project !== undefined ? `Compose/${project}` : service === undefined ? undefined : `Service/${service}`
}

export function listedOf(value: unknown): Listed | undefined {
  const containerId = containerIdOf(at(value, 'Id'))
  if (containerId === undefined) return undefined
  // A container that is linked to has the other's name in a name of its own: `/web/db`.
  const container = listOf(at(value, 'Names')).map((name) => withoutSlash(textOf(name, MAX_NAME))).find((name) => name !== undefined && !name.includes('/'))
  const labels = mapOf(at(value, 'Labels'))
  // Containers of cri-dockerd have their names from `inspectedFacts` only: whether they are a pod's, their cgroup decides.
  const isOfPod = labels.has('io.kubernetes.pod.uid')
  return {
    containerId, state: textOf(at(value, 'State'), 80) ?? '', isOfPod,
    fact: { kind: 'workload', containerId, ...(isOfPod ? {} : { container, owner: ownerOf(labels) }), image: textOf(at(value, 'Image')), labels: labelText(labels) },
  }
}

/**
 * cri-dockerd puts the pod into labels, as anybody may. It is believed only where the container's cgroup is below a pod's with that uid:
 * who can put it there is the node's root anyway.
 */
function podOf(labels: ReadonlyMap<string, string>, cgroupParent: string): Partial<NameFact> | undefined {
  const podUid = podUidOf(labels.get('io.kubernetes.pod.uid')), namespace = nameOf(labels.get('io.kubernetes.pod.namespace')), pod = nameOf(labels.get('io.kubernetes.pod.name'))
  if (podUid === undefined || namespace === undefined || pod === undefined || !keysIn(cgroupParent).includes(`pod:${podUid}`)) return undefined
  const isSandbox = labels.get('io.kubernetes.docker.type') === 'podsandbox'
  return { podUid, namespace, pod, role: isSandbox ? 'sandbox' : 'container', ...(isSandbox ? {} : { container: nameOf(labels.get('io.kubernetes.container.name')) }) }
}

/** Their words for how it stands: one that is `restarting` waits for it, and says how its last run ended; podman's `stopped` is not cleaned up after yet. */
const STATES: Readonly<Record<string, 'created' | 'running' | 'exited'>> = { created: 'created', running: 'running', paused: 'running', restarting: 'exited', removing: 'exited', exited: 'exited', dead: 'exited', stopped: 'exited' }

export function inspectedFacts(value: unknown, server: string | undefined): NameFact[] {
  const containerId = containerIdOf(at(value, 'Id'))
  if (containerId === undefined) return []
  const labels = mapOf(at(value, 'Config', 'Labels')), cgroupPath = textOf(at(value, 'HostConfig', 'CgroupParent')), ofPod = podOf(labels, cgroupPath ?? '')
  const workload = {
    kind: 'workload' as const, containerId, container: withoutSlash(textOf(at(value, 'Name'), MAX_NAME)), owner: ownerOf(labels), ...ofPod, image: textOf(at(value, 'Config', 'Image')), labels: labelText(labels), runtime: server, cgroupPath,
    restarts: countOf(at(value, 'RestartCount')), pid: positiveOf(at(value, 'State', 'Pid')), oomScoreAdj: integerOf(at(value, 'HostConfig', 'OomScoreAdj')),
    memoryLimitBytes: positiveOf(at(value, 'HostConfig', 'Memory')), memoryRequestBytes: positiveOf(at(value, 'HostConfig', 'MemoryReservation')),
  }
  return [workload as NameFact, statusOf(value, containerId)]
}

function statusOf(value: unknown, containerId: string): NameFact {
  const state = STATES[textOf(at(value, 'State', 'Status'), 80) ?? ''] ?? 'unknown', isOver = state === 'exited', finishedMs = timeOf(at(value, 'State', 'FinishedAt'))
  // Of one that was started again Docker 20.10 leaves the flag of the run before.
  const isOom = at(value, 'State', 'OOMKilled') === true && (isOver || finishedMs === undefined)
  return {
    kind: 'container_status', containerId, state, exitCode: isOver ? integerOf(at(value, 'State', 'ExitCode')) : undefined, reason: isOom ? 'OOMKilled' : isOver ? (at(value, 'State', 'ExitCode') === 0 ? 'Completed' : 'Error') : undefined,
    message: textOf(at(value, 'State', 'Error')), startedMs: timeOf(at(value, 'State', 'StartedAt')), finishedMs: isOver ? finishedMs : undefined,
  }
}
