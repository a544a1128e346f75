/** The last words of `make test`: every skipped check with its reason, then one line `N passed, N failed, N skipped`. */
import type { Reporter, TestModule, SerializedError, TestRunEndReason } from 'vitest/node'

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], _reason: TestRunEndReason): void {
    let passed = 0, failed = errors.length, skipped = 0
    const reasons: string[] = []
    for (const module of modules) {
      // A file that fails to load has no tests; it must not look like nothing happened.
      if (module.state() === 'failed' && [...module.children.allTests()].every((t) => t.result().state !== 'failed')) failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed += 1
        else if (result.state === 'failed') failed += 1
        else {
          skipped += 1
          reasons.push(`  ${module.project.name}: ${test.fullName}: ${(result.state === 'skipped' && result.note) || 'skipped: no reason given'}`)
        }
      }
    }
    // After the default reporter's own summary, which is printed when this event loop turn ends.
    process.on('exit', () => {
      if (reasons.length > 0) process.stdout.write(`\nnot checked here:\n${reasons.join('\n')}\n`)
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    })
  }
}
