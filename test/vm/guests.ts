/** Which guests to boot, and booting them: everything that is needed is fetched and built on the way. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestContext } from 'vitest'
import { skip } from '../helpers/skip.ts'

const run = promisify(execFile)
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const repository = here('../..')

export type Guest = { readonly kernel: string; readonly bpftrace: string }

/** A guest that ran: results by what they are about. */
export type Ran = { readonly results: ReadonlyMap<string, unknown>; readonly share: string; readonly console: string }
export type NotRun = { readonly skipped: string }

const listOf = (text: string | undefined, otherwise: string): string[] => (text ?? otherwise).split(/[ ,]+/).filter(Boolean)
/** Kernels were named on the command line. */
export const isAsked = process.env['OOMSCOPE_VM_KERNELS'] !== undefined

/** Every kernel with every bpftrace; by default Debian's stable and oldstable with the bpftrace of this machine. */
export const GUESTS: readonly Guest[] = listOf(process.env['OOMSCOPE_VM_KERNELS'], '6.1 6.12').flatMap((kernel) => listOf(process.env['OOMSCOPE_VM_BPFTRACE'], 'system').map((bpftrace) => ({ kernel, bpftrace })))

/** A guest takes two minutes on a machine that has nothing else to do, and must not be cut short on one that has. Node, bpftrace and the lab need half a GiB of memory; the rest one scenario has to fill. */
const BOOT_SECONDS = 1200, MEMORY = '1536M'

/** What runs in a guest, and below which init: nodes of Kubernetes have systemd. */
const INIT = { guest: 'none', 'spikes-guest': 'none', 'demo-guest': 'none', 'node-guest': 'systemd' } as const

/**
 * What Linux says when it stops at a breakpoint that nobody has set. It patches its code behind breakpoints, and the emulator now and then still runs
 * what it had translated before. No program in the guest can bring that about.
 */
const STALE_CODE = /\bint3: 0000 \[#1\]/

/** Boots the guest, lets it run the program, and waits until it has switched itself off. What was asked for by name fails where it cannot run; the default is skipped. */
export async function runGuest(guest: Guest, program: keyof typeof INIT = 'guest'): Promise<Ran | NotRun> {
  if (process.env['OOMSCOPE_NO_VM'] === '1') return { skipped: 'OOMSCOPE_NO_VM=1' }
  if (process.arch !== 'x64') return { skipped: `the lab's kernels are for x86_64, this is ${process.arch}` }
  let kernelDirectory, bpftrace
  try {
    await run(here('setup.sh'))
    kernelDirectory = await lastLine(here('kernel.sh'), guest.kernel)
    bpftrace = guest.bpftrace === 'system' ? '' : await lastLine(here('bpftrace-root.sh'), guest.bpftrace)
    await build()
  } catch (error) {
    if (isAsked) throw error
    return { skipped: `no guest can be made here: ${reasonOf(error)}` }
  }
  const ran = await boot(kernelDirectory, bpftrace, program)
  if (!STALE_CODE.test(ran.console)) return ran
  console.log(`the emulator ran code of Linux ${guest.kernel} that was no longer there; booted again, once`)
  forget(ran)
  return boot(kernelDirectory, bpftrace, program)
}

const reasonOf = (error: unknown): string => ((error as { stderr?: string }).stderr?.trim().split('\n').at(-1) || String(error)).slice(0, 300)

const lastLine = async (program: string, argument: string): Promise<string> => (await run(program, [argument], { maxBuffer: 64 << 20 })).stdout.trim().split('\n').at(-1) ?? ''

async function build(): Promise<void> {
  await run('make', ['-C', here('../workloads')])
  await run(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-p', here('tsconfig.json')])
}

async function boot(kernelDirectory: string, bpftrace: string, program: keyof typeof INIT): Promise<Ran> {
  const share = mkdtempSync(join(tmpdir(), 'oomscope-guest-'))
  const args = [`oomscope.node=${process.execPath}`, `oomscope.main=${join(repository, `build/lab/vm/${program}.js`)}`, `oomscope.init=${INIT[program]}`, ...(bpftrace === '' ? [] : [`oomscope.bpftrace=${bpftrace}`])]
  const child = spawn(here('boot.sh'), [kernelDirectory, here('guest.sh'), share, String(BOOT_SECONDS), MEMORY], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GUEST_ARGS: args.join(' ') } })
  let screen = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { screen += text })
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  const log = join(share, 'guest.log')
  return { results: readResults(join(share, 'results.jsonl')), share, console: `${screen}\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}` }
}

/** A guest that died in the middle leaves what it had; its last line may be cut. */
function readResults(path: string): Map<string, unknown> {
  const results = new Map<string, unknown>()
  for (const line of existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []) {
    const { about, result } = JSON.parse(line) as { about: string; result: unknown }
    results.set(about, result)
  }
  return results
}

const LAST_WORDS = 4000

/** A result of the guest; one that is missing is a failure and shows the guest's last words. */
export function resultOf<T>(context: TestContext, ran: Ran | NotRun | undefined, about: string): T {
  if (ran === undefined) throw new Error('the guest was not run')
  if ('skipped' in ran) return skip(context, ran.skipped)
  if (!ran.results.has(about)) throw new Error(`the guest told nothing about "${about}"; its last words:\n${ran.console.slice(-LAST_WORDS)}`)
  return ran.results.get(about) as T
}

/** OOMSCOPE_VM_KEEP=1 keeps recording, kernel log and truth for a look by hand. */
export function forget(ran: Ran | NotRun | undefined): void {
  if (process.env['OOMSCOPE_VM_KEEP'] === '1' && ran !== undefined && 'share' in ran) console.log(`kept ${ran.share}`)
  else if (ran !== undefined && 'share' in ran) rmSync(ran.share, { recursive: true, force: true })
}
