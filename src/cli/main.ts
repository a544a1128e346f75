#!/usr/bin/env node
/** The program: arguments to a command, its result to an exit code. */
import { environmentError, EXIT, reasonOf } from '../base/errors.ts'
import type { ExitCode } from '../base/errors.ts'
import { helpText, parseArguments } from './args.ts'
import type { Invocation } from './args.ts'
import { exitWith, report, version } from './exit.ts'
import { watchSignals } from './signals.ts'
import type { Signals } from './signals.ts'

async function run(invocation: Invocation, signals: Signals): Promise<ExitCode> {
  switch (invocation.do) {
    case 'help': process.stdout.write(helpText(invocation.command)); return EXIT.done
    case 'version': process.stdout.write(`oomscope ${version()}\n`); return EXIT.done
    case 'command': break
  }
  const { command, file, argv, options } = invocation
  // Each command is loaded when it is asked for: `kills` must not pay for the screen.
  switch (command) {
    case 'live': return (await import('./live.ts')).live(options, signals)
    case 'record': return (await import('./record.ts')).record(options, signals)
    case 'replay': return (await import('./replay.ts')).replay(file, options, signals)
    case 'kills': return (await import('./kills.ts')).kills(file, options, signals)
    case 'spikes': return (await import('./spikes.ts')).spikes(file, options, signals)
    case 'recommend': return (await import('./recommend.ts')).recommend(file, options, signals)
    case 'explain': return (await import('./explain.ts')).explain(file, options, signals)
    case 'run': return (await import('./run.ts')).run(argv, options, signals)
    case 'doctor': return (await import('./doctor.ts')).doctor(options, signals)
  }
}

let isReported = false
/** Also for errors outside any await. One turn later, so that a screen that is up has given the terminal back. */
function fail(error: unknown): void {
  setImmediate(() => {
    if (isReported) return
    isReported = true
    exitWith(report(error))
  })
}

const isClosedPipe = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EPIPE'

const signals = watchSignals()
process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)
// `oomscope kills FILE | head`: the reader has what it wanted.
process.stdout.on('error', (error) => {
  if (isClosedPipe(error)) exitWith(signals.exitCode() ?? EXIT.done)
  fail(environmentError({ code: 'output-unwritable', message: `cannot write the output: ${reasonOf(error)}`, hint: 'what was written is not all of it', cause: error }))
})
process.stderr.on('error', () => undefined)

try {
  const code = await run(parseArguments(process.argv.slice(2)), signals)
  // Let stdout drain: a pipe takes what it can, and process.exit would drop the rest.
  // What went wrong with it is told by its event.
  process.stdout.write('', (error) => { if (error === null || error === undefined) exitWith(signals.exitCode() ?? code) })
} catch (error) {
  fail(error)
}
