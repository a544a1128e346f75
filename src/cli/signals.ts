/** Signals that end the program: the first asks everybody to finish, the second does not wait. */
import { constants } from 'node:os'
import { exitWith } from './exit.ts'

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type Signals = {
  /** Aborts at the first signal. */
  readonly ended: AbortSignal
  /** 128 + the first signal's number, or undefined. */
  exitCode(): number | undefined
  /** Somebody else has answered the signal: it does not decide how we end. */
  forgive(): void
  /** There is nothing to finish: from now on a signal ends the program where it stands, also in the midst of work that never looks up. */
  release(): Promise<void>
}

/** ^C reaches the launcher (oomscope.sh) and the program, and the launcher passes its own on: that echo, late on a busy machine, is not a second wish. */
const ECHO_MS = 1000

/** Installed once, before anything is started. */
export function watchSignals(): Signals {
  const controller = new AbortController()
  let code: number | undefined, firstMs = 0
  for (const name of ENDING) {
    process.on(name, () => {
      const own = 128 + constants.signals[name]
      if (code === own && performance.now() - firstMs < ECHO_MS) return
      // ^C pressed twice: whatever is still finishing is stuck.
      if (code !== undefined) exitWith(own)
      code = own
      firstMs = performance.now()
      controller.abort()
    })
  }
  const release = async (): Promise<void> => {
    // One that is already on its way is heard first.
    await new Promise((resolve) => setImmediate(resolve))
    if (code !== undefined) exitWith(code)
    for (const name of ENDING) process.removeAllListeners(name)
  }
  return { ended: controller.signal, exitCode: () => code, forgive: () => { code = undefined }, release }
}

/** Resolves at the first signal. */
export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
