/** The command of `run` in a pseudo-terminal of its own, for a pane of the screen. */
import { constants } from 'node:os'
import { environmentError, errnoOf } from '../base/errors.ts'
import { entering } from '../source/run-command.ts'
import type { Ending, RunningCommand, Seat } from '../source/run-command.ts'

export type Pane = RunningCommand & {
  readonly write: (bytes: string) => void
  readonly resize: (cols: number, rows: number) => void
}

export type PaneOptions = { readonly seat: Seat; readonly cols: number; readonly rows: number; readonly onData: (text: string) => void }

/** Throws a UserError (exit 3) where node-pty is not installed. */
export async function startInPane(argv: readonly string[], { seat, cols, rows, onData }: PaneOptions): Promise<Pane> {
  const pty = await loadPty()
  const child = pty.spawn('/bin/sh', entering(argv, seat), { name: 'xterm-256color', cols, rows, env: { ...process.env, TERM: 'xterm-256color', COLUMNS: undefined, LINES: undefined } })
  child.onData(onData)
  let isOver = false
  const ended = new Promise<Ending>((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      isOver = true
      resolve(signal === undefined || signal === 0 ? { code: exitCode } : { code: 128 + signal, signal: nameOf(signal) })
    })
  })
  return {
    pid: child.pid, ended, signal: (name) => { if (!isOver) child.kill(name) }, write: (bytes) => { if (!isOver) child.write(bytes) },
    resize: (width, height) => { if (!isOver) child.resize(width, height) },
  }
}

const nameOf = (signal: number): string => Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`

async function loadPty(): Promise<typeof import('node-pty')> {
  try {
    return await import('node-pty')
  } catch (error) {
    throw environmentError({ code: 'no-pty', message: `cannot show the command in a pane: node-pty ${errnoOf(error) === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : 'does not work here'}`, hint: 'use --no-tui, or install python3, make and g++ and run npm install again', cause: error })
  }
}
