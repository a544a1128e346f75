/** Owns the terminal: takes it over through blessed, shows grids, reports keys and sizes, and gives it back exactly as it was. */
import { emitKeypressEvents } from 'node:readline'
import { PassThrough } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import blessed from 'blessed'
import type { Widgets } from 'blessed'
import type { Grid } from './grid.ts'
import { keyName } from './keys.ts'
import type { BlessedKey } from './keys.ts'
import { keysBeside, MOUSE_OFF, MOUSE_ON, mouseEvents } from './mouse.ts'
import type { MouseEvent } from './mouse.ts'
import { Surface } from './surface.ts'
import { themeOf } from './theme.ts'
import type { ThemeName } from './theme.ts'

/** The parts of blessed's Program that its types leave out. */
type Program = {
  readonly tput: { brokenACS: boolean }
  _owrite: (text: string) => void
  useBuffer: boolean
  flush(): void
  pause(): () => void
  on(event: 'keypress', listener: (char: string | undefined, key: BlessedKey) => void): void
  on(event: 'data', listener: (data: Buffer | string) => void): void
}

/** A process that was stopped does not see this pass. */
const UNSTOPPED_MS = 200

const BEGIN_FRAME = '\x1b[?2026h', END_FRAME = '\x1b[?2026l'

export class Terminal {
  readonly screen: Widgets.Screen
  private readonly program: Program
  private readonly surface: Surface
  private restored = false
  private hasMouse = false

  constructor(options: { readonly ascii: boolean; readonly theme: ThemeName }) {
    // Without search paths blessed uses the terminfo it ships: those of some systems (alacritty, screen, konsole, iTerm2)
    // hold capabilities its parser prints as garbage. Every terminal of today understands xterm-256color's.
    const { ipaths } = (blessed as unknown as { readonly Tput: { readonly ipaths: unknown[] } }).Tput
    ipaths.splice(0)
    this.screen = blessed.screen({
      terminal: 'xterm-256color', smartCSR: true, fullUnicode: false,
      // LANG is empty in most `kubectl exec` shells; blessed would print `?` for every glyph.
      forceUnicode: !options.ascii,
    } as Widgets.IScreenOptions)
    this.program = this.screen.program as unknown as Program
    // UTF-8 box glyphs instead of the DEC charset, which multiplexers and recorders show as letters.
    this.program.tput.brokenACS = true
    const write = this.program._owrite.bind(this.program)
    this.program._owrite = (text) => write(BEGIN_FRAME + text + END_FRAME)
    this.surface = new Surface({ parent: this.screen, top: 0, left: 0, width: '100%', height: '100%' }, themeOf(options.theme))
    // A terminal that is gone must not turn into an exception: SIGHUP or the end of stdin says it.
    process.stdout.on('error', ignore)
    process.stdin.on('error', ignore)
  }

  size(): { readonly cols: number; readonly rows: number } {
    return { cols: Math.max(1, Number(this.screen.width)), rows: Math.max(1, Number(this.screen.height)) }
  }

  onKey(listener: (key: string) => void): void {
    const tell = (char: string | undefined, key: BlessedKey): void => {
      const name = keyName(char, key)
      if (name !== undefined) listener(name)
    }
    this.program.on('keypress', tell)
    // blessed drops a chunk that holds a report of the mouse, and every key in it; Node has the same names for them.
    const beside = new PassThrough()
    emitKeypressEvents(beside)
    beside.on('keypress', (char: string | undefined, key: BlessedKey) => tell(char, key.name === 'return' ? { ...key, name: 'enter' } : key))
    this.program.on('data', (data) => { if (this.hasMouse) beside.write(keysBeside(String(data))) })
  }

  /** blessed's own reading of the mouse takes one report a chunk and knows no column beyond 223. */
  onMouse(listener: (event: MouseEvent) => void): void {
    this.program.on('data', (data) => { if (this.hasMouse) for (const event of mouseEvents(String(data))) listener(event) })
  }

  setMouse(on: boolean): void {
    if (on !== this.hasMouse) process.stdout.write(on ? MOUSE_ON : MOUSE_OFF)
    this.hasMouse = on
  }

  setTheme(theme: ThemeName): void { this.surface.setTheme(themeOf(theme)) }

  /** What the keyboard sent, before it is taken apart into keys; a letter that two reads share comes with the second. */
  onBytes(listener: (bytes: string) => void): void {
    const decoder = new StringDecoder('utf8')
    process.stdin.on('data', (chunk: Buffer) => listener(decoder.write(chunk)))
  }

  onResize(listener: () => void): void { this.screen.on('resize', listener) }

  /** One frame in one write; nothing is written when nothing differs. `mark` follows it, for tests that wait for a frame. */
  show(grid: Grid, mark?: number): void {
    this.surface.display(grid)
    this.screen.render()
    this.program.flush()
    if (mark !== undefined) process.stdout.write(`\x1b]7777;${mark}\x07`)
  }

  /** Puts text into the clipboard of the machine the person sits at: OSC 52 goes through ssh and kubectl exec; tmux wants it wrapped. */
  copy(text: string): void {
    const sequence = `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`
    process.stdout.write((process.env['TMUX'] ?? '') === '' ? sequence : `\x1bPtmux;\x1b${sequence}\x1b\\`)
  }

  /** ^Z: gives the terminal back, stops, and takes it again when the shell says `fg`. */
  suspend(redraw: () => void): void {
    const { program, hasMouse } = this
    this.setMouse(false)
    program.flush()
    // blessed's pause() drops what is buffered, the leaving of the alternate screen included.
    program.useBuffer = false
    const resume = program.pause()
    program.useBuffer = true
    process.stdin.setRawMode(false)
    const again = (): void => {
      clearTimeout(unstopped)
      process.off('SIGCONT', again)
      process.stdin.setRawMode(true)
      resume()
      this.setMouse(hasMouse)
      // A terminal that changed its size meanwhile told it to the shell only: Node asks when it hears this.
      process.emit('SIGWINCH', 'SIGWINCH')
      this.screen.alloc()
      redraw()
    }
    process.on('SIGCONT', again)
    // The whole group, as the terminal does it: a launcher, `make` or `sudo` that went on would keep the shell waiting.
    process.kill(0, 'SIGTSTP')
    // Where no shell waits for it (kubectl exec), the kernel stops nobody (signal(7): an orphaned process group): then time goes on, and this comes.
    const unstopped = setTimeout(again, UNSTOPPED_MS)
  }

  /** Leaves the alternate screen, shows the cursor, ends raw mode. May be called again and on a terminal that is gone. */
  restore(): void {
    if (this.restored) return
    this.restored = true
    try {
      this.setMouse(false)
      this.screen.destroy()
    } catch {
      // EIO: the terminal hung up; there is nothing left to restore.
    }
    // One turn later, because a write to a vanished terminal fails asynchronously.
    setImmediate(() => { process.stdout.off('error', ignore); process.stdin.off('error', ignore) })
  }
}

const ignore = (): void => undefined
