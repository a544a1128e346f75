/** When a live source may say that it runs: tracer attached (or not to be had), self-tests answered, first keyframe and first numbers in. */
import type { Event } from '../event/event.ts'

/** `isComplete` is false when a self-test was never answered; the count says what is proven then. */
export type Ready = { readonly chosen: number; readonly proven: number; readonly isComplete: boolean }

/** An answer that has not come after this long will not come; waiting for ever would hide that sampling runs. */
const PATIENCE_MS = 30_000

export class Readiness {
  readonly promise: Promise<Ready>
  private resolve: (ready: Ready) => void = () => undefined
  private readonly now: () => number
  private beganMs = 0
  private hasKeyframe = false
  private hasSample = false
  private hasTracer = false
  private readonly unanswered = new Set<string>()

  constructor(now: () => number = () => performance.now()) {
    this.now = now
    this.promise = new Promise((resolve) => { this.resolve = resolve })
  }

  /** A bridge is started, with these self-tests. */
  begin(selftests: readonly string[]): void {
    this.beganMs = this.now()
    this.hasKeyframe = false
    this.hasSample = false
    this.hasTracer = false
    this.unanswered.clear()
    for (const test of selftests) this.unanswered.add(test)
  }

  sawKeyframe(): void { this.hasKeyframe = true }

  note(event: Event): void {
    switch (event.kind) {
      case 'selftest': this.unanswered.delete(event.test); break
      case 'tracer': this.noteTracer(event.state); break
      // The first numbers: all memcgs that exist were told before them.
      case 'memcg_usage': case 'node_memory': this.hasSample = true; break
      default: break
    }
  }

  private noteTracer(state: string): void {
    if (state === 'absent' || state === 'exited') this.giveUpTracer()
    else if (state === 'ready') this.hasTracer = true
  }

  /** There will be no tracer: `refused` alone does not say so, another set of scripts may follow. */
  giveUpTracer(): void {
    this.hasTracer = true
    this.unanswered.clear()
  }

  /** To be called after each batch. */
  settle(count: () => { readonly chosen: number; readonly proven: number }): void {
    if (!this.hasKeyframe || !this.hasSample) return
    const isComplete = this.hasTracer && this.unanswered.size === 0
    if (isComplete || this.now() - this.beganMs > PATIENCE_MS) this.resolve({ ...count(), isComplete })
  }
}
