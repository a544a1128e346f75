/** Runs the built program as a person does; nothing of the developer's environment decides the outcome. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stdout: string; readonly stderr: string }
export type CliOptions = { readonly env?: Readonly<Record<string, string | undefined>>; readonly cwd?: string; readonly uid?: number }
export type Running = { readonly child: ChildProcess; readonly ended: Promise<Ended>; readonly sees: (pattern: RegExp) => Promise<void> }

export function startCli(args: readonly string[], { env = {}, cwd, uid }: CliOptions = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, OOMSCOPE_BRIDGE: undefined, OOMSCOPE_BPFTRACE: undefined, ...env }, ...(cwd === undefined ? {} : { cwd }), ...(uid === undefined ? {} : { uid, gid: uid }) })
  let stdout = '', stderr = '', wake = (): void => undefined
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; wake() })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; wake() })
  const ended = new Promise<Ended>((resolve) => child.on('close', (code, signal) => { resolve({ code, signal, stdout, stderr }); wake() }))
  const sees = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(stderr) && !pattern.test(stdout)) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended before ${pattern}: ${stdout}${stderr}`)
      await new Promise<void>((resolve) => { wake = resolve })
    }
  }
  return { child, ended, sees }
}

export const cli = (args: readonly string[], options: CliOptions = {}): Promise<Ended> => startCli(args, options).ended
