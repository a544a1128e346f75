/** How far the reading of a recording or of a log has come: on one line of the terminal that stderr is, while it lasts; elsewhere nothing. */
import { formatBytes } from '../base/bytes.ts'
import { printable } from '../base/text.ts'
import type { ReplaySource } from '../source/replay.ts'
import type { Batch } from '../source/source.ts'
import type { Piece } from './read-text.ts'

/** What is done sooner needs no line. */
const REPEAT_MS = 200
/** Of a terminal that does not say, or says 0. */
const DEFAULT_COLUMNS = 80
const TO_BEGIN = '\r', ERASE_LINE = '\x1b[K'

/** Where a line can be written over; undefined elsewhere. */
export type LineTerminal = { readonly columns?: number; readonly write: (text: string) => unknown }

const ownTerminal = (): LineTerminal | undefined => (process.stderr.isTTY && !['', 'dumb'].includes(process.env['TERM'] ?? '') ? process.stderr : undefined)

const lineOf = (text: string, { columns }: LineTerminal): string => `${TO_BEGIN}${`oomscope: ${text} (ctrl-C ends)`.slice(0, (columns || DEFAULT_COLUMNS) - 1)}${ERASE_LINE}`
const NO_LINE = `${TO_BEGIN}${ERASE_LINE}`

/** One pass over a recording; how much of it is read when. */
export type Pass = { readonly source: ReplaySource; readonly path: string; readonly totalBytes: number }

/** Writes the line now and then until `end`; nothing where there is no terminal for it. */
function teller(textOf: () => string, terminal: LineTerminal | undefined): { readonly end: () => void } {
  let isShown = false
  const tell = (): void => {
    terminal?.write(lineOf(textOf(), terminal))
    isShown = true
  }
  const timer = terminal === undefined ? undefined : setInterval(tell, REPEAT_MS)
  return { end: () => { clearInterval(timer); if (isShown) terminal?.write(NO_LINE) } }
}

/** The batches of the pass. The line is gone before whoever reads them has the end. */
export async function* toldBatches({ source, path, totalBytes }: Pass, terminal = ownTerminal()): AsyncGenerator<Batch, void, void> {
  let frameBytes = 0
  const told = teller(() => `${Math.floor((100 * (frameBytes + source.counts().corruptBytes)) / totalBytes)}% of ${printable(path)} read`, terminal)
  try {
    for await (const batch of source.batches()) {
      for (const { frame } of batch.items) frameBytes += frame.bytes.length
      yield batch
    }
  } finally {
    told.end()
  }
}

/** The same of a text. */
export async function* toldPieces(file: string, pieces: AsyncIterable<Piece>, terminal = ownTerminal()): AsyncGenerator<Piece, void, void> {
  const name = file === '-' ? 'the standard input' : printable(file)
  let last: Piece | undefined
  const told = teller(() => (last?.totalBytes === undefined ? `${formatBytes(last?.readBytes ?? 0)} of ${name} read` : `${Math.floor((100 * last.readBytes) / last.totalBytes)}% of ${name} read`), terminal)
  try {
    for await (const piece of pieces) {
      last = piece
      yield piece
    }
  } finally {
    told.end()
  }
}
