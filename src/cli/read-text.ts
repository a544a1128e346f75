/** A log that a person names on the command line: in pieces, or as a whole where every line of it is needed. */
import { constants } from 'node:buffer'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { formatBytes } from '../base/bytes.ts'
import { environmentError, errnoOf, reasonOf, usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'

/** A string cannot be longer; half a gigabyte. */
const MAX_CHARS = constants.MAX_STRING_LENGTH
const PIECE_BYTES = 256 * 1024
/** Between two of these a progress line may be written. */
const TURN_BYTES = 8 * 2 ** 20

const STDIN = 0

/** `totalBytes` of a pipe is not known. */
export type Piece = { readonly text: string; readonly readBytes: number; readonly totalBytes: number | undefined }

/** The text of a file piece by piece; `-` is the standard input. Throws a UserError that says why not. */
export async function* eachPiece(file: string, hint: string): AsyncGenerator<Piece, void, void> {
  const decoder = new StringDecoder('utf8')
  let readBytes = 0
  try {
    for await (const { bytes, totalBytes } of file === '-' ? standardInput() : piecesOf(file)) {
      readBytes += bytes.length
      yield { text: decoder.write(bytes), readBytes, totalBytes }
    }
  } catch (error) {
    throw readError(file, error, hint)
  }
  yield { text: decoder.end(), readBytes, totalBytes: readBytes }
}

/** The whole of a text file; `-` is the standard input. Throws a UserError that says why not. */
export async function readText(file: string, hint: string): Promise<string> {
  const pieces: string[] = []
  let chars = 0
  for await (const { text } of eachPiece(file, hint)) {
    chars += text.length
    if (chars > MAX_CHARS) throw usageError('file-too-large', `cannot read ${nameOf(file)}: it is larger than ${formatBytes(MAX_CHARS)}`, 'cut the time in question out of it, for example journalctl -k --since … --until …')
    pieces.push(text)
  }
  return pieces.join('')
}

type Bytes = { readonly bytes: Buffer; readonly totalBytes: number | undefined }

/** A pipe or a terminal may have been made non-blocking by somebody: it is read as a stream. */
async function* standardInput(): AsyncGenerator<Bytes, void, void> {
  const stats = fstatSync(STDIN)
  if (stats.isFile() || stats.isDirectory()) yield* readPieces(STDIN)
  else for await (const bytes of process.stdin as AsyncIterable<Buffer>) yield { bytes, totalBytes: undefined }
}

async function* piecesOf(file: string): AsyncGenerator<Bytes, void, void> {
  const fd = openSync(file, 'r')
  try {
    yield* readPieces(fd)
  } finally {
    closeSync(fd)
  }
}

async function* readPieces(fd: number): AsyncGenerator<Bytes, void, void> {
  const stats = fstatSync(fd), totalBytes = stats.isFile() ? stats.size : undefined
  for (let turnBytes = 0; ; ) {
    const bytes = Buffer.allocUnsafe(PIECE_BYTES), length = readSync(fd, bytes, 0, bytes.length, null)
    if (length === 0) return
    yield { bytes: bytes.subarray(0, length), totalBytes }
    turnBytes += length
    if (turnBytes < TURN_BYTES) continue
    turnBytes = 0
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const nameOf = (file: string): string => (file === '-' ? 'the standard input' : printable(file))

function readError(file: string, error: unknown, hint: string): unknown {
  const code = errnoOf(error), message = `cannot read ${nameOf(file)}: ${reasonOf(error)}`
  if (code === 'EACCES' || code === 'EPERM') return environmentError({ code: 'file-forbidden', message, hint: 'run it as root, or copy the log to where you may read it', cause: error })
  return code === '' ? error : usageError('file-missing', message, hint)
}
