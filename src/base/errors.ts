/** The three ways to fail that a person must act on: wrong use, a source that died, a bug; each with a stable code and an exit code. */

/** Exit codes of the program; after a signal it is 128 + the signal's number. */
export const EXIT = { done: 0, source: 1, usage: 2, environment: 3, bug: 70 } as const

/** What a command ends with. */
export type ExitCode = number

export type Failure = {
  /** Stable, for programs: `file-missing`, `no-terminal`, … */
  readonly code: string
  /** `what failed, on what: why`, one line, no full stop. */
  readonly message: string
  /** What the person can do about it, one line. */
  readonly hint: string
  readonly cause?: unknown
}

/** The person or the environment can put it right: two lines on stderr, exit 2 (usage) or 3 (environment). */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code: string
  readonly hint: string
  readonly exitCode: 2 | 3

  constructor(failure: Failure & { readonly exitCode: 2 | 3 }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.code = failure.code
    this.hint = failure.hint
    this.exitCode = failure.exitCode
  }
}

/** Where the frames come from has failed while running (bridge died, disk full): two lines on stderr, exit 1. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: string
  readonly hint: string
  readonly exitCode = EXIT.source

  constructor(failure: Failure) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.code = failure.code
    this.hint = failure.hint
  }
}

/** A usage error: exit 2. */
export const usageError = (code: string, message: string, hint: string): UserError => new UserError({ code, message, hint, exitCode: EXIT.usage })

/** An environment error: exit 3. */
export const environmentError = (failure: Failure): UserError => new UserError({ ...failure, exitCode: EXIT.environment })

/** Ends a `switch` over all cases of a union: reaching it is a bug. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`)
}

/** Words for the errno codes a person meets; anything else keeps its code. */
const ERRNO: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory', EACCES: 'permission denied', EPERM: 'operation not permitted', EISDIR: 'is a directory',
  ENOTDIR: 'not a directory', EEXIST: 'file exists', ENOSPC: 'no space left on device', EROFS: 'read-only file system',
  EMFILE: 'too many open files', EFBIG: 'file too large', EDQUOT: 'disk quota exceeded', EIO: 'input/output error', ENOEXEC: 'not an executable file', ELOOP: 'too many symbolic links',
}

/** The errno name of a system error, `''` for anything else. */
export const errnoOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Why a system call failed, in words. */
export function reasonOf(error: unknown): string {
  const code = errnoOf(error)
  return ERRNO[code] ?? (code || (error instanceof Error ? error.message : String(error)))
}
