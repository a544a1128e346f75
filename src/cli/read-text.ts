/** A log that a person names on the command line. */
import { constants } from 'node:buffer'
import { fstatSync, readFileSync } from 'node:fs'
import { formatBytes } from '../base/bytes.ts'
import { environmentError, errnoOf, reasonOf, usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'

/** A string cannot be longer; half a gigabyte. */
const MAX_BYTES = constants.MAX_STRING_LENGTH

const STDIN = 0

/** A pipe or a terminal that somebody has made non-blocking: readFileSync fails there when nothing has come yet. */
async function standardInput(): Promise<Buffer> {
  const stats = fstatSync(STDIN)
  if (stats.isFile() || stats.isDirectory()) return readFileSync(STDIN)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > MAX_BYTES) break
  }
  return Buffer.concat(chunks, bytes)
}

/** The whole of a text file; `-` is the standard input. Throws a UserError that says why not. */
export async function readText(file: string, hint: string): Promise<string> {
  const name = file === '-' ? 'the standard input' : printable(file)
  try {
    const bytes = file === '-' ? await standardInput() : readFileSync(file)
    if (bytes.length <= MAX_BYTES) return bytes.toString('utf8')
  } catch (error) {
    const code = errnoOf(error), message = `cannot read ${name}: ${reasonOf(error)}`
    if (code === 'EACCES' || code === 'EPERM') throw environmentError({ code: 'file-forbidden', message, hint: 'run it as root, or copy the log to where you may read it', cause: error })
    if (code === '') throw error
    // Node's own limit lies above ours.
    if (code !== 'ERR_FS_FILE_TOO_LARGE') throw usageError('file-missing', message, hint)
  }
  throw usageError('file-too-large', `cannot read ${name}: it is larger than ${formatBytes(MAX_BYTES)}`, 'cut the time in question out of it, for example journalctl -k --since … --until …')
}
