/** What a runtime has said so far: a list, a status and an event each know a part; told is what a new part changes. */
import { keyOf } from '../event/name-keep.ts'
import { MAX_WAITING, type NameFact } from './name-source.ts'

/** More than a node has containers and pods, dead ones included; beyond it all is told again. */
const MAX_KNOWN = 50_000

const bookKey = (fact: NameFact): string => (fact.kind === 'container_status' ? `status:${fact.containerId}` : keyOf(fact))

export class FactBook {
  private readonly known = new Map<string, NameFact>()
  private waiting: NameFact[] = []
  /** Facts that were never taken and gave way to newer ones. */
  dropped = 0

  has(key: `container:${string}` | `pod:${string}`): boolean { return this.known.has(key) }

  get(key: `container:${string}` | `pod:${string}` | `status:${string}`): NameFact | undefined { return this.known.get(key) }

  /** Keeps the fact; it waits to be taken if it adds or changes anything. */
  learn(fact: NameFact): void {
    const key = bookKey(fact), before = this.known.get(key)
    if (before !== undefined && !isNews(before, fact)) return
    const merged = before === undefined || isOtherRun(before, fact) ? fact : { ...before, ...present(fact) } as NameFact
    if (this.known.size >= MAX_KNOWN && before === undefined) this.known.clear()
    this.known.set(key, merged)
    this.waiting.push(merged)
    if (this.waiting.length > MAX_WAITING) {
      this.dropped += this.waiting.length - MAX_WAITING
      this.waiting.splice(0, this.waiting.length - MAX_WAITING)
    }
  }

  /** Forgets containers that a complete list no longer has, and pods that neither it nor a container of it names; the recording keeps them. */
  keepOnly(isListed: (containerIdOrPodUid: string) => boolean): void {
    const pods = new Set<string | undefined>()
    for (const [key, { containerId, ...fact }] of this.known) {
      if (containerId === undefined) continue
      if (!isListed(containerId)) this.known.delete(key)
      else if (fact.kind === 'workload') pods.add(fact.podUid)
    }
    for (const [key, fact] of this.known) if (fact.kind === 'workload' && fact.containerId === undefined && !pods.has(fact.podUid) && !isListed(fact.podUid ?? '')) this.known.delete(key)
  }

  take(): readonly NameFact[] {
    const { waiting } = this
    this.waiting = []
    return waiting
  }
}

const present = (fact: NameFact): Partial<NameFact> => Object.fromEntries(Object.entries(fact).filter(([, value]) => value !== undefined)) as Partial<NameFact>

/** A container that was started again under its id: how its last run ended says nothing of this one. */
const isOtherRun = (before: NameFact, fact: NameFact): boolean =>
  before.kind === 'container_status' && fact.kind === before.kind && before.startedMs !== undefined && fact.startedMs !== undefined && before.startedMs !== fact.startedMs

/** For every line of every answer, most of which say nothing new: allocates nothing. */
function isNews(before: NameFact, fact: NameFact): boolean {
  for (const name in fact) if (fact[name as 'kind'] !== undefined && fact[name as 'kind'] !== before[name as 'kind']) return true
  return false
}
