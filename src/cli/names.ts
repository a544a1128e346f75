/** Names while watching: every source beside the stream, what they learned as frames of it, and questions about who was born or killed unknown. */
import type { Event, EventOf } from '../event/event.ts'
import { KINDS } from '../event/kinds.ts'
import type { NameFact, NameQuestion, NameSource, UnitQuestion } from '../identity/name-source.ts'
import { identityOf } from '../identity/path.ts'
import type { NodeModel } from '../model/node.ts'
import type { Batch, Item } from '../source/source.ts'
import { Decoder } from '../wire/decode.ts'
import { encodeFrames } from '../wire/encode.ts'
import { FLAG, FrameReader } from '../wire/frame.ts'
import type { Feed } from './feed.ts'

/** Limits that are asked about; beyond it they are asked about once more. */
const MAX_RESIZED = 1000

export class Names {
  readonly sources: readonly NameSource[]
  /** By container: the limit that was found not to be the declared one. */
  private readonly resized = new Map<string, number>()

  constructor(sources: readonly NameSource[]) {
    this.sources = sources
    for (const source of sources) source.start()
  }

  /** Folds a batch, then what was learned meanwhile; returns all of it, for whoever keeps it. */
  take(feed: Feed, batch: Batch): Item[] {
    feed.take(batch)
    for (const { events } of batch.items) this.see(events, feed.model)
    const named = this.items(feed.model.nowNs)
    for (const { events } of named) for (const event of events) feed.add(event)
    return [...batch.items, ...named]
  }

  /** Frames with what was learned since the last call, dated `tsNs`. Never waits. */
  items(tsNs: number): Item[] {
    const rows = this.sources.flatMap((source) => source.take().map((fact) => eventOf(fact, source.name, tsNs)))
    if (rows.length === 0) return []
    return encodeFrames(rows, FLAG.names).flatMap((bytes) => new FrameReader().push(bytes)).map((frame) => ({ frame, events: new Decoder().decode(frame) }))
  }

  /** Looks at rows already in the model, for containers and units worth a question. */
  see(events: readonly Event[], model: NodeModel): void {
    for (const event of events) {
      const question = event.kind === 'memcg_limits' ? this.resizedBy(event, model) : questionOf(event, model)
      if (question === undefined) continue
      for (const source of this.sources) {
        if ('containerId' in question) source.ask(question)
        else source.askUnit?.(question)
      }
    }
  }

  /** Declared anew (`docker update`), or set by hand: asked about once, keyframes repeat it. */
  private resizedBy({ memcgId, maxBytes }: EventOf<'memcg_limits'>, model: NodeModel): NameQuestion | undefined {
    if (maxBytes === undefined || model.names.size === 0) return undefined
    const { kind, containerId, podUid, within } = identityOf(model.memcgs.get(memcgId)?.path ?? '/'), declared = model.names.get(`container:${containerId ?? ''}`)?.memoryLimitBytes
    if (kind !== 'container' || containerId === undefined || within !== undefined || declared === undefined) return undefined
    // The kernel keeps limits in pages.
    if (Math.abs(declared - maxBytes) < (model.hello?.pageSizeBytes ?? 4096) || this.resized.get(containerId) === maxBytes) return undefined
    if (this.resized.size >= MAX_RESIZED) this.resized.clear()
    this.resized.set(containerId, maxBytes)
    return { containerId, podUid, why: 'resized' }
  }

  close(): void {
    for (const source of this.sources) source.close()
  }
}

/** The row of a fact, every field of its kind present. */
export function eventOf(fact: NameFact, from: string, tsNs: number): EventOf<'workload'> | EventOf<'container_status'> {
  const values = { ...fact, from } as unknown as Readonly<Record<string, unknown>>
  return { kind: fact.kind, tsNs, ...Object.fromEntries(Object.keys(KINDS[fact.kind].fields).map((name) => [name, values[name]])) } as unknown as EventOf<'workload'> | EventOf<'container_status'>
}

/** dump_oom_summary (mm/oom_kill.c, since 5.0). */
const LOGGED_VICTIM = /^oom-kill:.*,task_memcg=(\/.*),task=/

/** Containers of this node's own runtimes and units of its own manager only: what lies within another's cgroup has names of its own making. */
function questionOf(event: Event, model: NodeModel): NameQuestion | UnitQuestion | undefined {
  switch (event.kind) {
    case 'memcg_birth': return event.by === 'keyframe' ? undefined : bornAt(event.path, model)
    case 'mark_victim': case 'oom_kill': case 'task_exit': return victimAt(model.memcgs.get(event.memcgId ?? 0)?.path)
    // Where no probe tells, the kernel's log does. A question needs no proof: the name is believed only where the model finds it.
    case 'kmsg': return victimAt(LOGGED_VICTIM.exec(event.text)?.[1])
    default: return undefined
  }
}

function bornAt(path: string, model: NodeModel): NameQuestion | UnitQuestion | undefined {
  const { kind, containerId, podUid, unitPath, within } = identityOf(path)
  if (within !== undefined) return undefined
  if (unitPath === path) return { cgroupPath: path, why: 'birth' }
  return kind !== 'container' || containerId === undefined || model.names.has(`container:${containerId}`) ? undefined : { containerId, podUid, why: 'birth' }
}

function victimAt(path: string | undefined): NameQuestion | UnitQuestion | undefined {
  const { containerId, podUid, unitPath, within } = identityOf(path ?? '/')
  if (within !== undefined) return undefined
  if (unitPath !== undefined) return { cgroupPath: unitPath, why: 'victim' }
  return containerId === undefined ? undefined : { containerId, podUid, why: 'victim' }
}
