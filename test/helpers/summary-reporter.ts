/** The last words of `make test`: every failed check and what differed, every skipped check with its reason, then one line `N passed, N failed, N skipped`. */
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestModule, SerializedError, TestRunEndReason } from 'vitest/node'

/** Differing lines of a failure that are repeated at the end: a CI log is often cut before that. */
const TOLD_LINES = 12

/** What was wrong, short enough for the last lines of a log: the message and the lines that differ. */
function failureOf(error: { readonly message: string; readonly diff?: string; readonly stacks?: readonly { readonly file: string; readonly line: number }[] }): string {
  const differing = stripVTControlCharacters(error.diff ?? '').split('\n').filter((line) => /^[+-] (?!Expected|Received)/.test(line)), at = error.stacks?.[0]
  const more = differing.length > TOLD_LINES ? [`and ${differing.length - TOLD_LINES} more differing lines`] : []
  const lines = [...stripVTControlCharacters(error.message).split('\n').slice(0, TOLD_LINES), ...differing.slice(0, TOLD_LINES), ...more, ...(at === undefined ? [] : [`at ${at.file}:${at.line}`])]
  return lines.map((line) => `    ${line}`).join('\n')
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], _reason: TestRunEndReason): void {
    let passed = 0, failed = errors.length, skipped = 0
    const reasons: string[] = [], failures: string[] = errors.map((error) => `  outside any test:\n${failureOf(error)}`)
    for (const module of modules) {
      // A file that fails to load has no tests; it must not look like nothing happened.
      if (module.state() === 'failed' && [...module.children.allTests()].every((t) => t.result().state !== 'failed')) {
        failed += 1
        failures.push(`  ${module.project.name}: ${module.relativeModuleId}\n${module.errors().map(failureOf).join('\n')}`)
      }
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed += 1
        else if (result.state === 'failed') {
          failed += 1
          failures.push(`  ${module.project.name}: ${test.fullName}\n${result.errors.map(failureOf).join('\n')}`)
        } else {
          skipped += 1
          reasons.push(`  ${module.project.name}: ${test.fullName}: ${(result.state === 'skipped' && result.note) || 'skipped: no reason given'}`)
        }
      }
    }
    // After the default reporter's own summary, which is printed when this event loop turn ends.
    process.on('exit', () => {
      if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.join('\n')}\n`)
      if (reasons.length > 0) process.stdout.write(`\nnot checked here:\n${reasons.join('\n')}\n`)
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    })
  }
}
