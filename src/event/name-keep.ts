/**
 * Which names are kept when there are too many: those of the living, then of the newest dead. A key is `container:<id>`, `pod:<uid>` or
 * `unit:<cgroup path>`. Names may come long after a death, and of workloads that never had a cgroup here; nothing that a stream brings makes
 * this grow without bound.
 */
import { remembered } from '../base/remembered.ts'
import type { Event, EventOf } from './event.ts'

export type NameKeep = {
  /** Names of the dead that are kept. */
  readonly mostDead: number
  /** Names kept in all. */
  readonly most: number
  /** Named by the keyframe before the last one, or since; absent where somebody else knows who lives. */
  readonly living?: { previous: Set<string>; current: Set<string> }
  /** Oldest first, with or without a name. */
  readonly dead: Set<string>
}

/** A node runs some hundred pods at a time; a day of churn is some thousand. */
export const MAX_NAMES = 20_000, MAX_DEAD = 4096
/** More cgroups than a node can have; a damaged stream may name any number. */
const MAX_LIVING = 200_000

export const createNameKeep = (mostDead = MAX_DEAD, knowsLiving = false): NameKeep =>
  ({ mostDead, most: MAX_NAMES + mostDead, dead: new Set(), ...(knowsLiving ? { living: { previous: new Set(), current: new Set() } } : {}) })

/** Under which key a row belongs. A cgroup's path in the place of an id is a unit's. */
export const keyOf = ({ containerId, podUid, cgroupPath }: Partial<Pick<EventOf<'workload'>, 'containerId' | 'podUid' | 'cgroupPath'>>): string =>
  containerId !== undefined ? `${containerId.startsWith('/') ? 'unit' : 'container'}:${containerId}` : podUid !== undefined || cgroupPath === undefined ? `pod:${podUid ?? ''}` : `unit:${cgroupPath}`

const UNIT = /\.(?:service|scope|slice)$/, CONTAINER = /[0-9a-f]{64}/g, POD = /pod([0-9a-f]{32}(?![0-9a-f])|[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})/g

function findKeys(path: string): readonly string[] {
  return [...unitKeys(path), ...ownerKeys(path)]
}

const unitKeys = (path: string): string[] => (UNIT.test(path) ? [`unit:${path}`] : [])

function ownerKeys(path: string): string[] {
  return [...[...path.matchAll(POD)].map(([, uid = '']) => `pod:${uid.replaceAll('_', '-')}`), ...[...path.matchAll(CONTAINER)].map(([id]) => `container:${id}`)]
}

/** Every key that could be in this part of a path; more than identity would find, which does no harm here. Every keyframe names every path again. */
export const keysIn = remembered(findKeys)

/** Learns who lives and who died; `forget` is called for each whose turn it is. `pinned` are never forgotten for having died long ago. */
export function noteLife(keep: NameKeep, event: Event, forget: { readonly key: (key: string) => void; readonly pinned?: () => ReadonlySet<string> }): void {
  switch (event.kind) {
    case 'clock':
      // A keyframe begins: it names every cgroup there is.
      if (keep.living === undefined) break
      keep.living.previous = keep.living.current
      keep.living.current = new Set()
      break
    case 'memcg_birth': for (const key of keysIn(event.path)) revive(keep, key); break
    case 'memcg_death': {
      // Only the innermost died: a container's path has its pod's uid in it, too.
      for (const key of [...unitKeys(event.path), ...ownerKeys(event.path.slice(event.path.lastIndexOf('/') + 1))]) bury(keep, key)
      if (keep.dead.size > keep.mostDead * 1.1) dropOldest(keep, forget.key, forget.pinned?.() ?? NOBODY)
      break
    }
    default: break
  }
}

const NOBODY: ReadonlySet<string> = new Set()

function revive(keep: NameKeep, key: string): void {
  keep.dead.delete(key)
  if (keep.living !== undefined && keep.living.current.size < MAX_LIVING) keep.living.current.add(key)
}

function bury(keep: NameKeep, key: string): void {
  keep.living?.current.delete(key)
  keep.living?.previous.delete(key)
  keep.dead.delete(key)
  keep.dead.add(key)
}

/** A tenth at once: who is pinned is dear to find out. */
function dropOldest(keep: NameKeep, forget: (key: string) => void, pinned: ReadonlySet<string>): void {
  for (const key of keep.dead) {
    if (keep.dead.size <= keep.mostDead) break
    keep.dead.delete(key)
    if (!pinned.has(key)) forget(key)
  }
}

const isAlive = ({ living }: NameKeep, key: string): boolean => living !== undefined && (living.current.has(key) || living.previous.has(key))

/** Drops and tells the oldest names when there are more than are kept; the living and `pinned` are passed over, and go to the end of the line. */
export function boundNames(keep: NameKeep, names: Map<string, unknown>, pinned: () => ReadonlySet<string> = () => NOBODY): string[] {
  if (names.size <= keep.most) return []
  const dropped: string[] = [], pins = pinned()
  let passed = 0
  for (const [key, value] of names) {
    // A tenth at once, as above.
    if (names.size <= keep.most * 0.9) break
    names.delete(key)
    if (passed >= keep.most / 2 || !(pins.has(key) || isAlive(keep, key))) { dropped.push(key); continue }
    names.set(key, value)
    passed += 1
  }
  return dropped
}
