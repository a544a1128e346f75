/** Skipping by name: a check that cannot run here says `skipped: why` and is counted, never silently passed. */
import type { TestContext } from 'vitest'

/** Ends the running test as skipped, with the reason on the summary (`make test` prints every one of them). */
export function skip(context: TestContext, reason: string): never {
  return context.skip(`skipped: ${reason}`)
}
