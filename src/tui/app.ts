/** The screen's life: opens the terminal, draws the model at most ten times a second, turns keys into commands, gives the terminal back. */
import { environmentError } from '../base/errors.ts'
import type { NodeModel } from '../model/node.ts'
import type { Kept } from '../view/health-page.ts'
import type { Lens } from '../view/lens.ts'
import type { Story } from '../view/story.ts'
import type { KeySet } from './keymap.ts'
import type { Settings } from './settings.ts'
import type { Stage } from './stage.ts'
import type { ThemeName } from './theme.ts'

/** Where a replay stands; absent facts are not shown. */
export type Playback = { readonly speed: number; readonly paused: boolean; readonly ended: boolean; /** False while a jump is under way: what the model says then is of no moment. */ readonly caughtUp?: boolean; /** The picture is of the wanted time, but the minutes before it are still being read. */ readonly partial?: boolean; readonly startNs?: number; readonly endNs?: number; /** Live with a memory: whether the picture follows what comes, and the newest time that came. */ readonly live?: { readonly isFollowing: boolean; readonly nowNs: number } }

/** What the screen may ask of its source; what is absent is not offered in the help. */
export type TuiControl = {
  /** Stop and go on. Live without a memory needs none: the model goes on, only the picture stands still. */
  readonly setPaused?: (paused: boolean) => void
  readonly setSpeed?: (speed: number) => void
  /** Stand still at this CLOCK_MONOTONIC time; the model may be another object afterwards. */
  readonly seek?: (tsNs: number) => void
  readonly playback?: () => Playback
  /** Live: back to what comes now. */
  readonly toLive?: () => void
  /** Live: the memory that reaches back. */
  readonly kept?: () => Kept
}

export type TuiOptions = {
  /** Asked at every frame, so a replay may exchange it after a seek. */
  readonly model: () => NodeModel
  readonly mode: 'live' | 'replay'
  /** Replay: the kills of the whole recording, as far as it has been looked through. Live: told at every frame; without it the screen keeps its own. */
  readonly story?: Story
  /** Names and causes: identity and verdict, wired by the cli. */
  readonly lens: Lens
  readonly control?: TuiControl
  /** Unix milliseconds now; only for the distance between the picture and the present. */
  readonly wallNow: () => number
  /** A sentence about a source that has ended (bridge died, disk full): shown until the person quits. */
  readonly fault?: () => string | undefined
  /** Called once, after the terminal was given back and before the promise settles. */
  readonly onQuit?: () => void
  /** Writes a file beside the person's shell and answers with its path; throws what the system says. Absent: nothing can be written here. */
  readonly save?: (name: string, text: string) => string
  readonly ascii?: boolean
  /** What the person chose earlier. */
  readonly settings?: Settings
  /** At the start: chosen now or earlier, or what suits the terminal. */
  readonly theme?: ThemeName
  readonly keys?: KeySet
  /** Whether the mouse is asked for at the start. */
  readonly mouse?: boolean
  /** Told what is to be remembered whenever that changes. */
  readonly remember?: (settings: Settings) => void
  /** `run`: the command, its pane and its keys. */
  readonly stage?: Stage
  /** Said in the last row until the first key. */
  readonly notice?: string | undefined
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const
type Signal = keyof typeof SIGNALS

function requireTerminal(): void {
  const term = process.env['TERM'] ?? ''
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw environmentError({ code: 'no-terminal', message: 'cannot show the screen: stdin or stdout is not a terminal', hint: 'use `oomscope record -o FILE` or `oomscope kills FILE` where there is no terminal' })
  }
  if (term === '' || term === 'dumb') {
    throw environmentError({ code: 'no-terminal', message: `cannot show the screen: TERM is ${term === '' ? 'not set' : 'dumb'}`, hint: 'set TERM, for example TERM=xterm-256color; with kubectl exec use -it' })
  }
}

/**
 * Runs until the person quits (resolves 0), a signal arrives (128 + its number) or something throws
 * (rejects with the error). In every case the terminal is restored first. It never calls process.exit().
 * Rejects with a UserError (exit 3) without touching the terminal when there is none, or when TERM is empty or `dumb`.
 */
export async function runTui(options: TuiOptions): Promise<number> {
  requireTerminal()
  // Imported late: commands without a screen must not pay for blessed.
  const [{ Terminal }, { Session }] = await Promise.all([import('./terminal.ts'), import('./session.ts')])
  const terminal = new Terminal({ ascii: options.ascii === true, theme: options.theme ?? 'dark' })
  return new Promise((resolve, reject) => {
    let session: InstanceType<typeof Session> | undefined, over = false
    const end = (settle: () => void): void => {
      if (over) return
      over = true
      for (const name of Object.keys(SIGNALS)) process.off(name, onSignal)
      process.off('uncaughtException', onError)
      process.off('unhandledRejection', onError)
      process.stdin.off('end', onHangUp)
      session?.close()
      terminal.restore()
      options.onQuit?.()
      settle()
    }
    const onSignal = (name: Signal): void => end(() => resolve(128 + SIGNALS[name]))
    const onHangUp = (): void => onSignal('SIGHUP')
    const onError = (error: unknown): void => end(() => reject(error instanceof Error ? error : new Error(String(error))))
    for (const name of Object.keys(SIGNALS)) process.on(name, onSignal)
    process.on('uncaughtException', onError)
    process.on('unhandledRejection', onError)
    process.stdin.on('end', onHangUp)
    try {
      // Before the first frame: blessed makes the terminal raw when somebody listens, and a ^C typed at the first sight of the screen is a key.
      // Before onKey: whether a byte is the command's must be known when its key arrives.
      if (options.stage !== undefined) terminal.onBytes((bytes) => session?.bytes(bytes))
      terminal.onKey((key) => session?.key(key))
      terminal.onMouse((event) => session?.mouse(event))
      terminal.onResize(() => session?.resized())
      session = new Session(options, terminal, () => end(() => resolve(0)))
    } catch (error) {
      onError(error)
    }
  })
}
