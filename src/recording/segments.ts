/**
 * The files of one recording. FILE is the newest segment, FILE.1 the one before it, FILE.2 before that: as logrotate
 * names them, so that `FILE` is always the recording being written and old ones are the high numbers.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { environmentError, errnoOf, reasonOf, usageError, UserError } from '../base/errors.ts'
import { printable } from '../base/text.ts'
import { MAGIC } from '../wire/frame.ts'

/** Path of the segment `age` rotations old; 0 is the newest. */
export const segmentPath = (path: string, age: number): string => (age === 0 ? path : `${path}.${age}`)

/** Numbered files beside FILE (FILE itself not among them), ascending by age, and whether each is a recording. Gaps are possible: a person may have removed some. */
export function numberedFiles(path: string): { readonly age: number; readonly isRecording: boolean }[] {
  const prefix = `${basename(path)}.`
  let names: string[]
  try {
    names = readdirSync(dirname(path))
  } catch {
    // A directory that may be entered but not listed: FILE alone can still be read.
    return []
  }
  return names.filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,5}$/.test(name.slice(prefix.length)))
    .map((name) => ({ age: Number(name.slice(prefix.length)), isRecording: isRecording(join(dirname(path), name)) })).sort((a, b) => a.age - b.age)
}

/** Ages of the older segments of the recording FILE, ascending. */
export const olderSegments = (path: string): number[] => numberedFiles(path).filter((file) => file.isRecording).map((file) => file.age)

/** True if the file begins as a recording does; never throws. */
export function isRecording(path: string): boolean {
  let fd: number | undefined
  try {
    // Opening a FIFO would wait for its writer.
    if (!statSync(path).isFile()) return false
    fd = openSync(path, 'r')
    const start = Buffer.alloc(MAGIC.length)
    return readSync(fd, start, 0, MAGIC.length, 0) === MAGIC.length && start.equals(MAGIC)
  } catch {
    // Missing or unreadable: not one we may count on or remove.
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** A segment opened for reading: its size is what it had at this moment, later bytes belong to a recorder still running. */
export type OpenSegment = { readonly path: string; readonly fd: number; readonly bytes: number }

/** Opens a file for reading; throws a UserError that says what is wrong with it. */
export function openSegment(path: string): OpenSegment {
  try {
    if (statSync(path).isDirectory()) throw usageError('file-directory', `cannot open ${printable(path)}: it is a directory`, 'name a file written by `oomscope record -o FILE`')
    if (!statSync(path).isFile()) throw usageError('file-special', `cannot open ${printable(path)}: it is not a regular file`, 'name a file written by `oomscope record -o FILE`')
    const fd = openSync(path, 'r')
    return { path, fd, bytes: fstatSync(fd).size }
  } catch (error) {
    throw openError(path, error)
  }
}

function openError(path: string, error: unknown): Error {
  if (error instanceof UserError) return error
  const code = errnoOf(error), message = `cannot open ${printable(path)}: ${reasonOf(error)}`
  if (code === 'ENOENT' || code === 'ENOTDIR') return usageError('file-missing', message, 'give the path of a file written by `oomscope record -o FILE`')
  if (code === 'EACCES' || code === 'EPERM') return environmentError({ code: 'file-unreadable', message, hint: 'run as the user who recorded it, or as root', cause: error })
  return environmentError({ code: 'file-unreadable', message, hint: 'check the path and the disk', cause: error })
}
