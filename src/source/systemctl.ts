/** Asks the system's service manager, through the program that every systemd has; what it may do is only to read. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { errnoOf } from '../base/errors.ts'
import { printable } from '../base/text.ts'

const run = promisify(execFile)

/** A manager that hangs must not hold anybody, and a SIGKILL would be a case of its own; all units of a large host are some hundred KiB. */
const LIMITS = { timeout: 20_000, killSignal: 'SIGTERM', maxBuffer: 16 * 2 ** 20 } as const

/** What it printed. Rejects with a reason in words. */
export async function systemctl(args: readonly string[]): Promise<string> {
  try {
    return (await run('systemctl', args, { ...LIMITS, encoding: 'utf8', env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' } })).stdout
  } catch (error) {
    const { killed, stderr = '' } = error as { readonly killed?: boolean; readonly stderr?: string }
    if (errnoOf(error) === 'ENOENT') throw new Error('systemctl is not installed', { cause: error })
    throw new Error(killed === true ? `systemctl gave no answer within ${LIMITS.timeout / 1000} s` : printable(stderr.trim().split('\n')[0] || 'systemctl failed', 200), { cause: error })
  }
}
