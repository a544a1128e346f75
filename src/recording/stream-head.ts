/** What a reader that starts in the middle must know and no keyframe repeats: who wrote the stream, its schema, its rungs, its names. */
import type { Event, EventOf } from '../event/event.ts'
import { boundNames, createNameKeep, keyOf, noteLife } from '../event/name-keep.ts'

type NameRow = EventOf<'workload'> | EventOf<'container_status'>

/** A row is at least so many bytes longer than its text. */
const ROW_BYTES = 40

export class StreamHead {
  private readonly rows = new Map<string, Event>()
  /** By container, pod or unit: the newest row of every source. */
  private readonly names = new Map<string, Map<string, NameRow>>()
  private readonly keep: ReturnType<typeof createNameKeep>

  constructor(tombstones?: number) { this.keep = createNameKeep(tombstones, true) }

  /** Keeps the event if it is part of the head; the newest of its key wins. */
  note(event: Event): void {
    switch (event.kind) {
      // A new hello is a new stream (the bridge was started again): what the old one said about its tracer is over.
      case 'hello': this.rows.clear(); this.rows.set('hello', event); break
      case 'schema': this.rows.set(`schema ${event.number}`, event); break
      case 'tracer': this.rows.set('tracer', event); break
      case 'rung': this.rows.set(`rung ${event.question} ${event.rung}`, event); break
      case 'selftest': this.rows.set(`selftest ${event.test}`, event); break
      case 'workload': case 'container_status': this.noteName(event); break
      case 'clock': case 'memcg_birth': case 'memcg_death': noteLife(this.keep, event, { key: (key) => this.names.delete(key) }); break
      default: break
    }
  }

  /** Hello first, then the schema, then the rest; of the names the newest that fit into `mostNameBytes`, oldest first. */
  events(mostNameBytes = Number.POSITIVE_INFINITY): Event[] {
    const names = [...this.names.values()].flatMap((rows) => [...rows.values()])
    let bytes = 0, first = names.length
    while (first > 0 && bytes <= mostNameBytes) {
      first -= 1
      bytes += bytesOf(names[first])
    }
    return [...this.rows.values(), ...names.slice(bytes > mostNameBytes ? first + 1 : first)]
  }

  private noteName(event: NameRow): void {
    const key = keyOf(event), source = `${event.kind} ${event.from}`
    const rows = this.names.get(key) ?? new Map<string, NameRow>()
    rows.delete(source)
    rows.set(source, event)
    // Told anew: at the end of the line.
    this.names.delete(key)
    this.names.set(key, rows)
    boundNames(this.keep, this.names)
  }
}

const bytesOf = (row: NameRow | undefined): number => Object.values(row ?? {}).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 1), ROW_BYTES)
