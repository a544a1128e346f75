/** Turns what was chosen into what is proven: a rung is believed when its self-tests passed or an event only it can have sent was seen. */
import type { Event, EventOf } from '../event/event.ts'
import { COUNTERS, HISTOGRAMS } from '../event/kinds.ts'
import type { ProbeScript } from './probe-script.ts'
import type { Rung } from './probe-set.ts'

type State = 'chosen' | 'proven' | 'refused' | 'absent' | 'dead'
type Entry = { readonly rung: Rung; state: State; reason: string | undefined }
/** What a script sends: its `Emits:` line. */
export type Emitter = Pick<ProbeScript, 'file' | 'emits' | 'maps'>

const NONE: readonly never[] = []

/** The word in a script's `Emits:` line that this event answers to; nothing when the bridge may have sent it on its own. */
function sentBy(event: Event): string | undefined {
  switch (event.kind) {
    // Counters are also told while they are zero.
    case 'counter': return event.value > 0 ? COUNTERS[event.counter] : undefined
    case 'histogram': return HISTOGRAMS[event.histogram]
    case 'memcg_birth': case 'memcg_death': return event.by === 'probe' ? event.kind : undefined
    default: return event.kind
  }
}

export class RungStates {
  private readonly entries: Entry[]
  private readonly instead: ((question: string) => string) | undefined
  private readonly passed = new Set<string>()
  /** Chosen rungs by the words their scripts emit. */
  private readonly awaited = new Map<string, Entry>()

  /** `instead` tells who answers a question that no probe answers; left out, nothing is said. */
  constructor(rungs: readonly Rung[], scripts: readonly Emitter[] = [], instead?: (question: string) => string) {
    this.instead = instead
    this.entries = rungs.map((rung) => ({ rung, state: rung.state, reason: rung.reason }))
    for (const entry of this.chosen()) {
      const script = scripts.find(({ file }) => file === entry.rung.script)
      for (const word of [...script?.emits.map(({ name }) => name) ?? [], ...script?.maps ?? []]) this.awaited.set(word, entry)
    }
  }

  /** Rows of all rungs as they stand. */
  rows(tsNs: number): EventOf<'rung'>[] { return this.entries.map((entry) => this.rowOf(entry, tsNs)) }

  /** How many of the chosen probes are proven. */
  count(): { readonly chosen: number; readonly proven: number } {
    const chosen = this.entries.filter((entry) => entry.rung.state === 'chosen')
    return { chosen: chosen.length, proven: chosen.filter((entry) => entry.state === 'proven').length }
  }

  /** Rows of the rungs whose state this event changes. Called for every event of a live stream: most return at once. */
  note(event: Event): readonly EventOf<'rung'>[] {
    if (event.kind !== 'tracer' && event.kind !== 'selftest') {
      const word = sentBy(event), entry = word === undefined ? undefined : this.awaited.get(word)
      if (entry === undefined || entry.state === 'proven') return NONE
      this.set(entry, 'proven', entry.rung.reason)
      return [this.rowOf(entry, event.tsNs)]
    }
    const before = this.entries.map((entry) => `${entry.state} ${entry.reason ?? ''}`)
    if (event.kind === 'tracer') this.noteTracer(event)
    else this.noteTest(event.test, event.passed, event.detail)
    return this.entries.filter((entry, i) => `${entry.state} ${entry.reason ?? ''}` !== before[i]).map((entry) => this.rowOf(entry, event.tsNs))
  }

  /** Rows of the rungs that nobody waits for any more; a tracer that is ready after all makes them chosen again. */
  giveUp(reason: string, tsNs: number): readonly EventOf<'rung'>[] {
    const waiting = this.chosen().filter((entry) => entry.state === 'chosen')
    for (const entry of waiting) this.set(entry, 'dead', reason)
    return waiting.map((entry) => this.rowOf(entry, tsNs))
  }

  private noteTest(test: string, hasPassed: boolean, detail: string | undefined): void {
    if (hasPassed) this.passed.add(test)
    for (const entry of this.chosen()) {
      if (!entry.rung.selftests.includes(test)) continue
      if (!hasPassed) this.set(entry, 'dead', `self-test ${test} failed${detail === undefined ? '' : `: ${detail}`}`)
      else if (entry.rung.selftests.every((name) => this.passed.has(name))) this.set(entry, 'proven', entry.rung.reason)
    }
  }

  /** Attached is not working, but not attached is not working for certain. */
  private noteTracer({ state, detail }: EventOf<'tracer'>): void {
    const why = `bpftrace ${state}${detail === undefined ? '' : `: ${detail}`}`
    for (const entry of this.chosen()) {
      if (state === 'refused' || state === 'exited' || state === 'absent') this.set(entry, 'dead', why)
      else if (state === 'ready' && entry.state === 'dead') this.set(entry, 'chosen', entry.rung.reason)
    }
    if (state !== 'ready') this.passed.clear()
  }

  private chosen(): Entry[] { return this.entries.filter((entry) => entry.rung.state === 'chosen') }

  private set(entry: Entry, state: State, reason: string | undefined): void {
    entry.state = state
    entry.reason = reason
  }

  private rowOf({ rung, state, reason }: Entry, tsNs: number): EventOf<'rung'> {
    const isAnswered = state === 'chosen' || state === 'proven' || this.instead === undefined
    const said = isAnswered ? reason : [...(reason === undefined ? [] : [reason]), `${INSTEAD}${this.instead?.(rung.question)}`].join('; ')
    return { kind: 'rung', tsNs, question: rung.question, rung: rung.rung, state, reason: said }
  }
}

/** How the last part of a reason begins; parts are separated by `; `. */
export const INSTEAD = 'instead: '
