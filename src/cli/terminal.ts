/** Whether there is a terminal to draw on: asked before anything is started. */
import { environmentError } from '../base/errors.ts'

/** Otherwise its output is for a pipe or a file, and one plain picture is wanted. */
export const hasTerminal = (): boolean => process.stdout.isTTY === true

/** Throws a UserError (exit 3) without a terminal; `instead` is what works without one. */
export function requireTerminal(command: string, instead: string): void {
  const term = process.env['TERM'] ?? ''
  const why = process.stdin.isTTY !== true ? 'stdin is not a terminal' : term === '' ? 'TERM is not set' : term === 'dumb' ? 'TERM is dumb' : undefined
  if (why === undefined) return
  const hint = why.startsWith('TERM') ? `set TERM, for example TERM=xterm-256color, or use \`${instead}\`` : `use \`${instead}\`, give it a terminal (kubectl exec -it), or a pipe for one plain picture`
  throw environmentError({ code: 'no-terminal', message: `cannot show ${command} on the screen: ${why}`, hint })
}
