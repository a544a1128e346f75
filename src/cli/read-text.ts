/** A log that a person names on the command line. */
import { readFileSync } from 'node:fs'
import { environmentError, errnoOf, reasonOf, usageError } from '../base/errors.ts'
import { printable } from '../base/text.ts'

const STDIN = 0
/** A string cannot be longer. */
const MAX_BYTES = 512 * 2 ** 20

/** The whole of a text file; `-` is the standard input. Throws a UserError that says why not. */
export function readText(file: string, hint: string): string {
  try {
    const bytes = readFileSync(file === '-' ? STDIN : file)
    if (bytes.length > MAX_BYTES) throw usageError('file-too-large', `cannot read ${printable(file)}: ${bytes.length} bytes`, 'cut the time in question out of it, for example journalctl -k --since … --until …')
    return bytes.toString('utf8')
  } catch (error) {
    const code = errnoOf(error)
    if (code === '') throw error
    const message = `cannot read ${file === '-' ? 'the standard input' : printable(file)}: ${reasonOf(error)}`
    if (code === 'EACCES' || code === 'EPERM') throw environmentError({ code: 'file-forbidden', message, hint: 'run it as root, or copy the log to where you may read it', cause: error })
    throw usageError('file-missing', message, hint)
  }
}
