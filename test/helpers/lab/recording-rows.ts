/** The rows of a recording, for checks that no command prints yet. */
import type { Event, EventOf } from '../../../src/event/event.ts'
import type { KindName } from '../../../src/event/kinds.ts'
import { COUNTERS } from '../../../src/event/kinds.ts'
import { openReplay } from '../../../src/source/replay.ts'

export type Rows = {
  readonly events: readonly Event[]
  /** Events of one kind. */
  readonly of: <K extends KindName>(kind: K) => EventOf<K>[]
  /** The last, which is the highest, value of a cumulative counter; 0 when it was never printed. */
  readonly counter: (name: (typeof COUNTERS)[number], key: number) => number
}

export async function rowsOf(path: string): Promise<Rows> {
  const source = openReplay({ path, speed: 'max' }), events: Event[] = []
  for await (const batch of source.batches()) for (const item of batch.items) events.push(...item.events)
  await source.close()
  const of = <K extends KindName>(kind: K): EventOf<K>[] => events.filter((event) => event.kind === kind) as unknown[] as EventOf<K>[]
  return { events, of, counter: (name, key) => of('counter').filter((row) => COUNTERS[row.counter] === name && row.key === key).at(-1)?.value ?? 0 }
}
