/** What becomes of bpftrace while a recording runs, for the terminal it was started from: a line when it ends, and when it is back. */
import { printable } from '../base/text.ts'
import type { Event } from '../event/event.ts'

const STATES: Readonly<Record<string, (detail: string) => string>> = {
  exited: (detail) => `bpftrace ended${detail}: the kernel log and cgroup files go on; it is started again`,
  restarted: () => 'bpftrace is started again',
  ready: () => 'bpftrace is attached again',
}

export class TracerNotes {
  private hasEnded = false
  private newestNs = -1

  /** Lines to be written for these events; nothing of the first start, which the line `recording …` tells. */
  of(events: readonly Event[]): string[] {
    return events.flatMap((event) => {
      // Each is told twice, the second time for readers that begin later.
      if (event.kind !== 'tracer' || event.tsNs <= this.newestNs) return []
      this.newestNs = event.tsNs
      if (event.state === 'exited') this.hasEnded = true
      const say = this.hasEnded ? STATES[event.state] : undefined
      if (event.state === 'ready') this.hasEnded = false
      return say === undefined ? [] : [`note: ${say(event.detail === undefined ? '' : ` (${printable(event.detail, 200)})`)}`]
    })
  }
}
