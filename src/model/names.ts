/** What every source says of a pod, a container or a unit, merged field by field: each field is the word of the best source that gave one. */
import type { Event, EventOf } from '../event/event.ts'
import { KINDS } from '../event/kinds.ts'
import { boundNames, createNameKeep, keyOf, keysIn, noteLife, type NameKeep } from '../event/name-keep.ts'
import type { CaseBook } from './case-book.ts'
import type { NodeModel } from './node.ts'

type Row = EventOf<'workload'>
type Status = EventOf<'container_status'>
/** Everything that can be said, without who says it of whom. */
type Fields = Partial<Omit<Row, 'kind' | 'tsNs' | 'from' | 'podUid' | 'containerId'>>

/** Two sources that give one workload different names; the first is believed. */
export type NameDispute = { readonly field: 'namespace' | 'pod' | 'container'; readonly from: string; readonly value: string; readonly otherFrom: string; readonly otherValue: string }

/** A name for a workload, by pod uid, container id or cgroup path, with what it was promised. */
export type WorkloadName = Fields & { /** Of a container: its pod. */ podUid?: string | undefined; /** The best source that said anything. */ from: string; disputes?: readonly NameDispute[] }

/**
 * Best first. The runtime and the kubelet made the container and know what they made; the API tells what was wished for, and may be minutes
 * behind or of another pod of that name; systemd knows units only; file names are the kubelet's too, but cut, late, and stay for years.
 */
const RANK = ['cri', 'kubelet', 'docker', 'podman', 'kubernetes', 'systemd', 'pod-logs']
export const rankOf = (from: string): number => { const at = RANK.indexOf(from); return at < 0 ? RANK.length : at }

const FIELDS = Object.keys(KINDS.workload.fields).filter((name) => name !== 'from' && name !== 'podUid' && name !== 'containerId') as (keyof Fields)[]
const DISPUTED = ['namespace', 'pod', 'container'] as const
/** What the row of a container says of its pod; a source's own row of the pod says more, and counts before it. */
const OF_POD = ['namespace', 'pod', 'owner', 'qos', 'priority'] as const
/** Of a container in a crash loop. */
const MAX_RUNS = 16
/** Of containers with a status: more than a node can hold in weeks. */
const MAX_STATUSES = 20_000
/** Sources of one name; a hostile stream may call itself anything. */
const MAX_SOURCES = 8

type Told = { readonly from: string; readonly rank: number; readonly podUid: string | undefined; readonly fields: Fields }

export type NameBook = {
  readonly names: Map<string, WorkloadName>
  /** The newest word of each source, best source first. */
  readonly told: Map<string, readonly Told[]>
  /** What a runtime says of a container, by its id: the newest word about each of its last runs, oldest first. */
  readonly statuses: Map<string, readonly Status[]>
  readonly keep: NameKeep
  /** Rises with every change: what was computed with the names before is old. */
  version: number
}

export const createNameBook = (tombstones?: number): NameBook => ({ names: new Map(), told: new Map(), statuses: new Map(), keep: createNameKeep(tombstones), version: 0 })

type Named = Pick<NodeModel, 'nameBook' | 'caseBook' | 'memcgs'>

/** A pod's name goes under its uid, a container's under its id, a unit's under its cgroup. */
export function learnName({ nameBook: book, caseBook, memcgs }: Named, row: Row): void {
  const { podUid, containerId, from } = row, rank = rankOf(from)
  if (podUid !== undefined) tell(book, `pod:${podUid}`, containerId === undefined ? { from, rank, podUid: undefined, fields: pick(row, FIELDS) } : { from: `${from}${OF_ITS_CONTAINER}`, rank: rank + 0.5, podUid: undefined, fields: pick(row, OF_POD) })
  else if (containerId === undefined && row.cgroupPath !== undefined) tell(book, keyOf(row), { from, rank, podUid, fields: pick(row, FIELDS) })
  if (containerId !== undefined) tell(book, `container:${containerId}`, { from, rank, podUid, fields: pick(row, FIELDS) })
  for (const key of boundNames(book.keep, book.names, () => new Set([...keysOfCases(caseBook.cases), ...keysOfLiving(memcgs)]))) forget(book, key)
}

/** The runtime itself is believed before those who ask it: the kubelet invents a status for what it cannot find. */
export function learnStatus({ statuses }: NameBook, row: Status): void {
  const runs = statuses.get(row.containerId) ?? [], best = runs[0]
  if (best !== undefined && rankOf(best.from) < rankOf(row.from)) return
  statuses.set(row.containerId, [...runs.filter((run) => isOtherRun(run, row)), row].sort((a, b) => (a.startedMs ?? 0) - (b.startedMs ?? 0)).slice(-MAX_RUNS))
  if (statuses.size > MAX_STATUSES) for (const oldest of statuses.keys()) { statuses.delete(oldest); break }
}

/** Docker and podman start a container again under its id. What another source says of a start is less exact, and no other start. */
const isOtherRun = (run: Status, row: Status): boolean => run.from === row.from && run.startedMs !== undefined && row.startedMs !== undefined && run.startedMs !== row.startedMs

/** Who lives, who died: names of the dead are bounded. */
export function noteNameLife({ nameBook: book, caseBook, ownsNames }: Named & Pick<NodeModel, 'ownsNames'>, event: Event): void {
  if (ownsNames) noteLife(book.keep, event, { key: (key) => forget(book, key), pinned: () => keysOfCases(caseBook.cases) })
}

function forget(book: NameBook, key: string): void {
  book.names.delete(key)
  if (book.told.delete(key)) book.version += 1
}

/** A death that is still in the list of kills keeps its name, however long ago it was. */
function keysOfCases(cases: CaseBook['cases']): Set<string> {
  const paths = new Set(cases.flatMap(({ limit, victims }) => [limit?.path ?? '', ...victims.map(({ path }) => path ?? '')]))
  return new Set([...paths].flatMap(keysIn))
}

const keysOfLiving = (memcgs: NodeModel['memcgs']): string[] => [...memcgs.values()].flatMap(({ path, diedNs }) => (diedNs === undefined ? keysIn(path) : []))

function pick(row: Row, names: readonly (keyof Fields)[]): Fields {
  const fields: Record<string, unknown> = {}
  for (const name of names) if (row[name] !== undefined) fields[name] = row[name]
  return fields
}

const isSame = (a: Told | undefined, b: Told): boolean => a !== undefined && a.podUid === b.podUid && FIELDS.every((field) => a.fields[field] === b.fields[field])

function tell(book: NameBook, key: string, told: Told): void {
  const known = book.told.get(key) ?? [], others = known.filter(({ from }) => from !== told.from)
  if (isSame(known.find(({ from }) => from === told.from), told)) return
  const all = [...others, told].sort((a, b) => a.rank - b.rank || (a.from < b.from ? -1 : 1)).slice(0, MAX_SOURCES)
  book.told.set(key, all)
  book.names.set(key, merge(all))
  book.version += 1
}

/** What a container's row says of the pod is kept beside the source's own row of the pod. */
const OF_ITS_CONTAINER = ' (container)'
const tellerOf = (told: Told | undefined): string => (told?.from ?? '').replace(OF_ITS_CONTAINER, '')

function merge(all: readonly Told[]): WorkloadName {
  const name: Record<string, unknown> = { from: tellerOf(all[0]), podUid: all.find(({ podUid }) => podUid !== undefined)?.podUid }
  for (const { fields } of all) for (const field of FIELDS) if (fields[field] !== undefined) name[field] ??= fields[field]
  const disputes = disputesIn(all)
  if (disputes.length > 0) name['disputes'] = disputes
  return name as WorkloadName
}

function disputesIn(all: readonly Told[]): NameDispute[] {
  return DISPUTED.flatMap((field) => {
    const [best, ...others] = all.filter(({ fields }) => fields[field] !== undefined), value = best?.fields[field]
    if (best === undefined || value === undefined) return []
    return others.flatMap((other): NameDispute[] => {
      const otherValue = other.fields[field]
      return otherValue === undefined || otherValue === value || tellerOf(other) === tellerOf(best) ? [] : [{ field, from: tellerOf(best), value, otherFrom: tellerOf(other), otherValue }]
    })
  })
}
