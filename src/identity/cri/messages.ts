/** The messages of CRI v1 that are read, and the requests that ask for them (field numbers: k8s.io/cri-api, runtime/v1/api.proto). */
import { mapEntry, messageField, type MessageReader, textField } from './protobuf.ts'

export type Version = { readonly runtimeName: string; readonly runtimeVersion: string }

export type PodMetadata = { readonly name: string; readonly uid: string; readonly namespace: string }

export type Sandbox = { readonly id: string; readonly pod: PodMetadata; readonly labels: ReadonlyMap<string, string> }

export type Resources = { readonly memoryLimitBytes: number; readonly oomScoreAdj: number }

/** created | running | exited | unknown, in the order of the enum. */
const CONTAINER_STATES = ['created', 'running', 'exited', 'unknown'] as const
export type ContainerState = (typeof CONTAINER_STATES)[number]

export type Container = {
  readonly id: string; readonly name: string; readonly attempt: number
  /** As the user wrote it, where the runtime tells; else what it resolved to. */
  readonly image: string
  readonly state: ContainerState
  readonly labels: ReadonlyMap<string, string>; readonly annotations: ReadonlyMap<string, string>
}

/** Times in ns of the wall clock, 0 = not yet. */
export type Status = Container & {
  readonly startedNs: number; readonly finishedNs: number; readonly exitCode: number; readonly reason: string; readonly message: string
  readonly resources: Resources | undefined
}

/** 0 created, 1 started, 2 stopped, 3 deleted. */
export type ContainerEvent = { readonly containerId: string; readonly type: number; readonly sandbox: Sandbox | undefined; readonly statuses: readonly Status[] }

export const REQUESTS = {
  version: (): Buffer => textField(1, 'v1'),
  list: (): Buffer => Buffer.alloc(0),
  /** Not verbose: a runtime's own JSON has the environment in it, and nothing that is needed. */
  containerStatus: (id: string): Buffer => textField(1, id),
  sandboxStatus: (id: string): Buffer => textField(1, id),
  /** ListPodSandbox of one pod: filter (1) → label_selector (3) → entry of a map. */
  sandboxesOfPod: (uid: string): Buffer => messageField(1, messageField(3, textField(1, 'io.kubernetes.pod.uid'), textField(2, uid))),
}

/** Annotations may hold whole manifests, and secrets: only these are read. */
const isWantedAnnotation = (key: string): boolean => key === 'io.kubernetes.container.restartCount'
/** Of a pod all: they are bounded by Kubernetes (63 characters a value), and which ones are told is decided later. Of a container what names its pod. */
const isPodLabel = (): boolean => true
const isContainerLabel = (key: string): boolean => key.startsWith('io.kubernetes.pod.')
const MAX_LABELS = 200

function putEntry(map: Map<string, string>, entry: MessageReader, isWanted: (key: string) => boolean): void {
  const pair = mapEntry(entry, isWanted)
  if (pair !== undefined && map.size < MAX_LABELS) map.set(...pair)
}

export function readVersion(reader: MessageReader): Version {
  let runtimeName = '', runtimeVersion = ''
  while (reader.next()) {
    if (reader.field === 2) runtimeName = reader.text()
    else if (reader.field === 3) runtimeVersion = reader.text()
  }
  return { runtimeName, runtimeVersion }
}

function readPodMetadata(reader: MessageReader): PodMetadata {
  let name = '', uid = '', namespace = ''
  while (reader.next()) {
    if (reader.field === 1) name = reader.text()
    else if (reader.field === 2) uid = reader.text()
    else if (reader.field === 3) namespace = reader.text()
  }
  return { name, uid, namespace }
}

/** PodSandbox has its labels at 5, PodSandboxStatus at 7; the rest is the same. */
function readSandbox(reader: MessageReader, labelsField: 5 | 7, isKnown: (id: string) => boolean = () => false): Sandbox {
  let id = '', pod: PodMetadata = { name: '', uid: '', namespace: '' }
  const labels = new Map<string, string>()
  while (reader.next()) {
    if (reader.field === 1) {
      id = reader.text()
      if (isKnown(id)) break
    } else if (reader.field === 2) pod = readPodMetadata(reader.message())
    else if (reader.field === labelsField) putEntry(labels, reader.message(), isPodLabel)
  }
  return { id, pod, labels }
}

/** Of a list: `ids` of all, and those that are not known yet. The id comes first: what is known costs no more than its length. */
export type Listing<T> = { readonly ids: readonly string[]; readonly unknown: readonly T[] }

function readListing<T extends { readonly id: string }>(reader: MessageReader, read: (item: MessageReader, isKnown: (id: string) => boolean) => T, isKnown: (id: string) => boolean): Listing<T> {
  const ids: string[] = [], unknown: T[] = []
  while (reader.next()) {
    if (reader.field !== 1) continue
    const item = read(reader.message(), isKnown)
    ids.push(item.id)
    if (!isKnown(item.id)) unknown.push(item)
  }
  return { ids, unknown }
}

export const readSandboxes = (reader: MessageReader, isKnown: (id: string) => boolean): Listing<Sandbox> => readListing(reader, (item, known) => readSandbox(item, 5, known), isKnown)
export const readContainers = (reader: MessageReader, isKnown: (id: string) => boolean): Listing<Container> => readListing(reader, readContainer, isKnown)

export function readSandboxStatus(reader: MessageReader): Sandbox | undefined {
  let sandbox: Sandbox | undefined
  while (reader.next()) if (reader.field === 1) sandbox = readSandbox(reader.message(), 7)
  return sandbox
}

export function readContainerStatus(reader: MessageReader): Status | undefined {
  let status: Status | undefined
  while (reader.next()) if (reader.field === 1) status = readStatus(reader.message())
  return status
}

/** The id and the type come first: of an event that is not wanted the rest, which is most of it, is not read. */
export function readEvent(reader: MessageReader, isWanted: (containerId: string, type: number) => boolean = () => true): ContainerEvent {
  let containerId = '', type = 0, sandbox: Sandbox | undefined
  const statuses: Status[] = []
  while (reader.next()) {
    switch (reader.field) {
      case 1: containerId = reader.text(); break
      case 2: type = reader.integer(); break
      case 4: if (isWanted(containerId, type)) sandbox = readSandbox(reader.message(), 7); break
      case 5: if (isWanted(containerId, type)) statuses.push(readStatus(reader.message())); break
      default: break
    }
  }
  return { containerId, type, sandbox, statuses }
}

const stateOf = (value: number): ContainerState => CONTAINER_STATES[value] ?? 'unknown'

function readNameAndAttempt(reader: MessageReader): { name: string; attempt: number } {
  const metadata = { name: '', attempt: 0 }
  while (reader.next()) {
    if (reader.field === 1) metadata.name = reader.text()
    else if (reader.field === 2) metadata.attempt = reader.integer()
  }
  return metadata
}

function readImage(reader: MessageReader): string {
  let image = '', asWritten = ''
  while (reader.next()) {
    if (reader.field === 1) image = reader.text()
    else if (reader.field === 18) asWritten = reader.text()
  }
  return asWritten === '' ? image : asWritten
}

function readContainer(reader: MessageReader, isKnown: (id: string) => boolean): Container {
  let id = '', metadata = { name: '', attempt: 0 }, image = '', state: ContainerState = 'created'
  const labels = new Map<string, string>(), annotations = new Map<string, string>()
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        id = reader.text()
        if (isKnown(id)) return { id, ...metadata, image, state, labels, annotations }
        break
      case 3: metadata = readNameAndAttempt(reader.message()); break
      case 4: image = readImage(reader.message()); break
      case 6: state = stateOf(reader.integer()); break
      case 8: putEntry(labels, reader.message(), isContainerLabel); break
      case 9: putEntry(annotations, reader.message(), isWantedAnnotation); break
      default: break
    }
  }
  return { id, ...metadata, image, state, labels, annotations }
}

function readResources(reader: MessageReader): Resources | undefined {
  let linux: Resources | undefined
  while (reader.next()) if (reader.field === 1) linux = readLinuxResources(reader.message())
  return linux
}

function readLinuxResources(reader: MessageReader): Resources {
  let memoryLimitBytes = 0, oomScoreAdj = 0
  while (reader.next()) {
    if (reader.field === 4) memoryLimitBytes = reader.integer()
    else if (reader.field === 5) oomScoreAdj = reader.integer()
  }
  return { memoryLimitBytes, oomScoreAdj }
}

function readStatus(reader: MessageReader): Status {
  let metadata = { name: '', attempt: 0 }, resources: Resources | undefined
  const text = { id: '', image: '', reason: '', message: '' }, times = { startedNs: 0, finishedNs: 0, exitCode: 0 }
  let state: ContainerState = 'created'
  const labels = new Map<string, string>(), annotations = new Map<string, string>()
  while (reader.next()) {
    switch (reader.field) {
      case 1: text.id = reader.text(); break
      case 2: metadata = readNameAndAttempt(reader.message()); break
      case 3: state = stateOf(reader.integer()); break
      case 5: times.startedNs = reader.integer(); break
      case 6: times.finishedNs = reader.integer(); break
      case 7: times.exitCode = reader.integer(); break
      case 8: text.image = readImage(reader.message()); break
      case 10: text.reason = reader.text(); break
      case 11: text.message = reader.text(); break
      case 12: putEntry(labels, reader.message(), isContainerLabel); break
      case 13: putEntry(annotations, reader.message(), isWantedAnnotation); break
      case 16: resources = readResources(reader.message()); break
      default: break
    }
  }
  return { ...text, ...metadata, ...times, state, labels, annotations, resources }
}
