/** The command of `run` as the screen knows it: its terminal's cells, where its keys go, and what is said about it. */
import type { RunPanel } from '../view/run-panel.ts'
import type { PaneCells } from './pane-cells.ts'
import type { Ui } from './ui.ts'

export type Stage = {
  readonly title: string
  readonly cells: PaneCells
  /** Until it has ended the keys on its page are the command's. */
  readonly isRunning: () => boolean
  /** Bytes as the keyboard sent them. */
  readonly type: (bytes: string) => void
  readonly resize: (cols: number, rows: number) => void
  /** Of the present: who looks back sees it on the other pages. */
  readonly panel: () => RunPanel
  /** What it came to, once it is over and known. */
  readonly summary: () => readonly string[] | undefined
}

/** ^] leads from the command's pane to the pages of oomscope and back, as out of telnet and of a virtual machine's console. */
export const TOGGLE = '\u001d'

/** Reports of the mouse are about our screen, not about the pane. */
// eslint-disable-next-line no-control-regex
const MOUSE = /\u001b\[<\d+;\d+;\d+[Mm]/g

/** What of a chunk of the keyboard is for the command, and whether the person wants to leave its pane (or come back). */
export function splitChunk(chunk: string): { readonly typed: string; readonly toggles: number } {
  const parts = chunk.replace(MOUSE, '').split(TOGGLE)
  return { typed: parts.join(''), toggles: parts.length - 1 }
}

/** From the pane to the overview, from any page to the pane. */
export const togglePane = (ui: Ui): Ui =>
  (ui.page === 'command' ? { ...ui, page: 'overview', back: [] } : { ...ui, page: 'command', back: [], scroll: 0, prompt: undefined, menu: undefined, chooser: undefined })
