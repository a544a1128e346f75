/** The program's last words and its exit code; the only place that calls process.exit. */
import { readFileSync } from 'node:fs'
import { EXIT, SourceError, UserError } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { printable } from '../base/text.ts'

const MAX_LINE = 1000

/** Ends the process; children still running are killed by the exit handlers of those who started them. */
export function exitWith(code: ExitCode): never {
  process.exit(code)
}

/** Says on stderr what went wrong: two lines for what a person can put right, the stack for a bug. Returns the exit code. */
export function report(error: unknown): ExitCode {
  if (error instanceof UserError || error instanceof SourceError) {
    warn(error)
    return error.exitCode
  }
  const stack = error instanceof Error ? error.stack ?? error.message : String(error)
  process.stderr.write(`oomscope ${version()}: a bug, please report it with these lines\n${stack}\n`)
  return EXIT.bug
}

/** Two lines about what works less well than a person may think, before it starts. */
export function warn({ message, hint }: { readonly message: string; readonly hint: string }): void {
  process.stderr.write(`oomscope: ${printable(message, MAX_LINE)}\nhint: ${printable(hint, MAX_LINE)}\n`)
}

/** From package.json, which lies one directory above src/ and dist/. */
export function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
  return text
}
