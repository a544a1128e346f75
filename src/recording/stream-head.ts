/** What a reader that starts in the middle must know and no keyframe repeats: who wrote the stream, its schema, its rungs, its names. */
import type { Event } from '../event/event.ts'

/** Names kept; beyond it the oldest go. A node runs some hundred pods at a time, 24 h of churn some thousand. */
const MAX_NAMES = 20_000

export class StreamHead {
  private readonly rows = new Map<string, Event>()
  private readonly names = new Map<string, Event>()

  /** Keeps the event if it is part of the head; the newest of its key wins. */
  note(event: Event): void {
    switch (event.kind) {
      // A new hello is a new stream (the bridge was started again): what the old one said about its tracer is over.
      case 'hello': this.rows.clear(); this.rows.set('hello', event); break
      case 'schema': this.rows.set(`schema ${event.number}`, event); break
      case 'tracer': this.rows.set('tracer', event); break
      case 'rung': this.rows.set(`rung ${event.question} ${event.rung}`, event); break
      case 'selftest': this.rows.set(`selftest ${event.test}`, event); break
      case 'workload': this.noteName(event, `${event.podUid ?? ''} ${event.containerId ?? ''}`); break
      case 'container_status': this.noteName(event, `status ${event.from} ${event.containerId}`); break
      default: break
    }
  }

  /** Hello first, then the schema, then the rest. */
  events(): Event[] { return [...this.rows.values(), ...this.names.values()] }

  private noteName(event: Event, key: string): void {
    this.names.delete(key)
    this.names.set(key, event)
    const oldest = this.names.size > MAX_NAMES ? this.names.keys().next().value : undefined
    if (oldest !== undefined) this.names.delete(oldest)
  }
}
