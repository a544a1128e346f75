/** A real terminal for tests: node-pty runs the program, @xterm/headless reconstructs what a person sees. Waits on conditions, never on time. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import xterm from '@xterm/headless'
import type { Terminal } from '@xterm/headless'
import pty from 'node-pty'
import type { IPty } from 'node-pty'
import { screenPicture } from './screen-picture.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Compiles test/pty/app-under-test.ts with everything it imports and returns the program's path. */
export function buildAppUnderTest(): string {
  const built = spawnSync('npx', ['--no-install', 'tsc', '-p', `${ROOT}test/pty/tsconfig.json`], { cwd: ROOT, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`test/pty does not compile:\n${built.stdout}`)
  return `${ROOT}build/pty/test/pty/app-under-test.js`
}

export type Cell = { readonly char: string; readonly fg: number; readonly bg: number; readonly fgMode: number; readonly bgMode: number; readonly bold: boolean; readonly inverse: boolean; readonly underline: boolean }
export type Modes = { readonly alternate: boolean; readonly cursorHidden: boolean; readonly mouse: string; readonly appCursor: boolean; readonly appKeypad: boolean; readonly bracketedPaste: boolean; readonly wraparound: boolean; readonly synchronized: boolean }
export type TuiOptions = { readonly cols?: number; readonly rows?: number; readonly env?: Readonly<Record<string, string | undefined>>; readonly term?: string; readonly cwd?: string }

/** What a shell expects of its terminal. */
export const SHELL_MODES: Modes = { alternate: false, cursorHidden: false, mouse: 'none', appCursor: false, appKeypad: false, bracketedPaste: false, wraparound: true, synchronized: false }

/** The row with the selection's background in the dark theme. */
export const selectedRow = (t: Tui): string => t.lines().find((_, y) => t.cell(10, y).bg === 24 && t.cell(10, y).bgMode !== 0) ?? ''

/** Longer than any program of these tests outlives its parent. */
const ABANDONED_MS = 5000
/** After so long what is waited for does not come any more: the screen is told before the level's own limit ends the test without a word. */
const IN_VAIN_MS = 60_000

export class Tui {
  readonly term: Terminal
  readonly process: IPty
  /** Number the program gave its newest frame. */
  frames = 0
  /** Everything it wrote. */
  raw = ''
  exit: { readonly exitCode: number; readonly signal?: number | undefined } | undefined
  /** Settings of the developer decide nothing, and no test leaves any. */
  private readonly config = mkdtempSync(join(tmpdir(), 'oomscope-config-'))
  private pending = 0
  private waiters: (() => void)[] = []

  constructor(file: string, args: readonly string[], options: TuiOptions = {}) {
    const cols = options.cols ?? 80, rows = options.rows ?? 24
    this.term = new xterm.Terminal({ cols, rows, allowProposedApi: true, scrollback: 200 })
    this.term.loadAddon(new Unicode11Addon() as never)
    this.term.unicode.activeVersion = '11'
    this.term.parser.registerOscHandler(7777, (data) => { this.frames = Number(data); return true })
    const env: Record<string, string> = {}
    // TMUX and COLUMNS of the developer's shell would change what blessed does.
    for (const [name, value] of Object.entries({ ...process.env, TMUX: undefined, COLUMNS: undefined, LINES: undefined, NO_COLOR: undefined, COLORFGBG: undefined, XDG_CONFIG_HOME: this.config, OOMSCOPE_FRAME_MARK: '1', ...options.env })) if (value !== undefined) env[name] = value
    this.process = pty.spawn(file, [...args], { name: options.term ?? 'xterm-256color', cols, rows, env, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) })
    this.process.onData((data) => {
      this.raw += data
      this.pending += 1
      this.term.write(data, () => { this.pending -= 1; this.wake() })
    })
    this.readToTheEnd()
    // Answers of the terminal to the program's questions go back, as in a real one.
    this.term.onData((data) => this.process.write(data))
    this.term.onBinary((data) => this.process.write(Buffer.from(data, 'binary')))
    this.process.onExit((exit) => { this.exit = exit; this.forget(); this.wake() })
  }

  /**
   * node-pty closes the terminal 200 ms after the program's end, read or not: on a busy machine the last words, which restore the
   * terminal, would be lost. The stream ends when nothing more can come; only a grandchild that holds the terminal keeps it from that.
   */
  private readToTheEnd(): void {
    const { _socket: socket } = this.process as unknown as { readonly _socket: { destroy: (error?: Error) => void; readonly readableEnded: boolean } }, destroy = socket.destroy.bind(socket)
    socket.destroy = (error) => { if (error === undefined && !socket.readableEnded) setTimeout(destroy, ABANDONED_MS).unref(); else destroy(error) }
  }

  lines(): string[] {
    const buffer = this.term.buffer.active
    return Array.from({ length: this.term.rows }, (_, y) => buffer.getLine(buffer.baseY + y)?.translateToString(true) ?? '')
  }

  text(): string { return this.lines().join('\n') }

  /** The row in which `text` stands, or -1. */
  rowOf(text: string): number { return this.lines().findIndex((line) => line.includes(text)) }

  cell(x: number, y: number): Cell {
    const buffer = this.term.buffer.active, cell = buffer.getLine(buffer.baseY + y)?.getCell(x)
    if (cell === undefined) throw new Error(`no cell ${x},${y}`)
    return { char: cell.getChars() || ' ', fg: cell.getFgColor(), bg: cell.getBgColor(), fgMode: cell.getFgColorMode(), bgMode: cell.getBgColorMode(), bold: cell.isBold() !== 0, inverse: cell.isInverse() !== 0, underline: cell.isUnderline() !== 0 }
  }

  keys(text: string): void { this.process.write(text) }

  resize(cols: number, rows: number): void { this.term.resize(cols, rows); this.process.resize(cols, rows) }

  signal(name: string): void { this.process.kill(name) }

  async until(met: (tui: Tui) => boolean, what: string): Promise<void> {
    const end = Date.now() + IN_VAIN_MS
    // A frame arrives in pieces; half of one is not what a person sees (and terminals do not show it either).
    while ((this.exit === undefined && this.term.modes.synchronizedOutputMode) || !met(this)) {
      const left = end - Date.now()
      if (left <= 0) throw new Error(`waited in vain for: ${what}\n--- screen\n${this.text()}\n--- exit ${JSON.stringify(this.exit)}`)
      await new Promise<void>((resolve) => { const timer = setTimeout(resolve, left); this.waiters.push(() => { clearTimeout(timer); resolve() }) })
    }
  }

  /** Waits until the text is (or, with `gone`, is no longer) on the screen. */
  see(text: string | RegExp): Promise<void> { return this.until((tui) => (typeof text === 'string' ? tui.text().includes(text) : text.test(tui.text())), `${text} on the screen`) }
  gone(text: string): Promise<void> { return this.until((tui) => !tui.text().includes(text), `${text} gone`) }

  /** Waits for a frame painted after now. */
  nextFrame(): Promise<void> { const seen = this.frames; return this.until((tui) => tui.frames > seen, `frame ${seen + 1}`) }

  /** Waits for the end of the process and of its output; returns its exit code. */
  async ended(): Promise<number> {
    await this.until((tui) => tui.exit !== undefined && tui.pending === 0, 'exit')
    return this.exit?.exitCode ?? -1
  }

  modes(): Modes {
    const { modes } = this.term
    const core = (this.term as unknown as { readonly _core: { readonly coreService: { readonly isCursorHidden: boolean } } })._core
    return {
      alternate: this.term.buffer.active.type === 'alternate', cursorHidden: core.coreService.isCursorHidden, mouse: modes.mouseTrackingMode, appCursor: modes.applicationCursorKeysMode,
      appKeypad: modes.applicationKeypadMode, bracketedPaste: modes.bracketedPasteMode, wraparound: modes.wraparoundMode, synchronized: modes.synchronizedOutputMode,
    }
  }

  /** Process id of the first program of this name below the terminal's first process. */
  childNamed(name: string): number {
    const ps = (...args: readonly string[]): string => { try { return execFileSync('ps', args, { encoding: 'utf8' }).trim() } catch { return '' } }
    const below = (pid: number): number[] => ps('-o', 'pid=', '--ppid', String(pid)).split(/\s+/).filter(Boolean).map(Number).flatMap((child) => [child, ...below(child)])
    const pid = below(this.process.pid).find((candidate) => ps('-o', 'comm=', '-p', String(candidate)) === name)
    if (pid === undefined) throw new Error(`${name} is not running`)
    return pid
  }

  /** Leaves what a person sees now as build/screens/NAME.svg, for looking at; returns the document. */
  picture(name: string): string {
    const svg = screenPicture(this.term), directory = `${ROOT}build/screens`
    mkdirSync(directory, { recursive: true })
    writeFileSync(`${directory}/${name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 120)}.svg`, svg)
    return svg
  }

  /** Ends the process whatever state it is in. */
  kill(): void {
    if (this.exit === undefined) this.process.kill('SIGKILL')
    this.term.dispose()
    this.forget()
  }

  private forget(): void { rmSync(this.config, { recursive: true, force: true }) }

  private wake(): void { for (const waiter of this.waiters.splice(0)) waiter() }
}
