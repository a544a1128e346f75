/** When a live source may say that it runs: tracer attached (or not to be had), self-tests answered, first keyframe and first numbers in. */
import type { Event } from '../event/event.ts'

/** Who never answered: a tracer that hangs, one whose lines are not understood, or some of the self-tests. */
export type Overdue = 'tracer' | 'unreadable' | 'self-tests'

/** `overdue` is absent when everything answered; else what was given up waiting for: the count says what is proven then. */
export type Ready = { readonly chosen: number; readonly proven: number; readonly overdue?: Overdue }

/** Attaching takes bpftrace 0.2 s on a machine and 31 s in an emulated one (0.17): without any word for this long it hangs. */
export const TRACER_PATIENCE_MS = 120_000
/** Counted from the tracer's `ready`: the bridge gives each test 3 s, ten times that while it hears nothing of bpftrace (native/selftest.c); what has not come after this long will not come. */
export const TESTS_PATIENCE_MS = 60_000

export class Readiness {
  readonly promise: Promise<Ready>
  private resolve: (ready: Ready) => void = () => undefined
  private readonly now: () => number
  /** The last word of the tracer, or the start; Infinity while its patience does not run. */
  private heardMs = 0
  private readyMs = 0
  private hasKeyframe = false
  private hasSample = false
  private hasTracer = false
  private isUnreadable = false
  private isSettled = false
  private readonly unanswered = new Set<string>()

  constructor(now: () => number = () => performance.now()) {
    this.now = now
    this.promise = new Promise((resolve) => { this.resolve = resolve })
  }

  /** A bridge is started, with these self-tests. */
  begin(selftests: readonly string[]): void {
    this.heardMs = this.now()
    this.hasKeyframe = false
    this.hasSample = false
    this.hasTracer = false
    this.isUnreadable = false
    this.unanswered.clear()
    for (const test of selftests) this.unanswered.add(test)
  }

  sawKeyframe(): void { this.hasKeyframe = true }

  note(event: Event): void {
    switch (event.kind) {
      case 'selftest': this.unanswered.delete(event.test); break
      case 'tracer': this.noteTracer(event.state); break
      // Of a bpftrace with another output: it works, and nobody knows.
      case 'loss': this.isUnreadable ||= event.where === 'line' && event.count > 0; break
      // The first numbers: all memcgs that exist were told before them.
      case 'memcg_usage': case 'node_memory': this.hasSample = true; break
      default: break
    }
  }

  private noteTracer(state: string): void {
    this.heardMs = this.now()
    switch (state) {
      case 'absent': case 'exited': this.giveUpTracer(); break
      // The scripts are tried one by one now, each with a time limit of its own: another start, or giving up, follows for certain.
      case 'refused': this.heardMs = Infinity; break
      case 'ready': this.hasTracer = true; this.readyMs = this.now(); break
      default: break
    }
  }

  /** There will be no tracer: `refused` alone does not say so, another set of scripts may follow. */
  giveUpTracer(): void {
    this.hasTracer = true
    this.unanswered.clear()
  }

  /** To be called after each batch; returns, once, who is given up. */
  settle(count: () => { readonly chosen: number; readonly proven: number }): Overdue | undefined {
    if (this.isSettled || !this.hasKeyframe || !this.hasSample) return undefined
    const overdue = this.overdue()
    if (overdue === undefined && (!this.hasTracer || this.unanswered.size > 0)) return undefined
    this.isSettled = true
    this.resolve({ ...count(), ...(overdue === undefined ? {} : { overdue }) })
    return overdue
  }

  private overdue(): Overdue | undefined {
    const now = this.now()
    if (this.hasTracer) return this.unanswered.size > 0 && now - this.readyMs > TESTS_PATIENCE_MS ? 'self-tests' : undefined
    return now - this.heardMs <= TRACER_PATIENCE_MS ? undefined : this.isUnreadable ? 'unreadable' : 'tracer'
  }
}
