/** `oomscope run` with real commands: their exit status, what the kernel says of their memory, and nothing left behind. */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from '../helpers/alive.ts'
import { CLI, cli, startCli } from '../helpers/cli.ts'
import { Tui } from '../helpers/pty.ts'
import { skip } from '../helpers/skip.ts'
import { inLab, type OpenLab } from './host-lab.ts'
import { leftovers } from './run-leftovers.ts'

const LAUNCHER = join(dirname(CLI), 'oomscope.sh')

type RunJson = {
  readonly exitCode: number; readonly signal?: string; readonly path: string; readonly limitBytes?: number; readonly peakBytes: number; readonly peakExact: boolean; readonly over90Ms: number
  readonly kills: readonly { readonly victims: readonly { readonly comm: string }[]; readonly limit?: { readonly path: string }; readonly cause: string }[]; readonly leftBehind: number; readonly lost?: string; readonly failure?: string
}

/** Grows to so many MiB and ends. */
const growing = ({ lab }: OpenLab, mib: number, name = 'grower'): string => `echo g | exec ${join(lab.options.programs, 'hog')} --name ${name} --touch 3 --grow-to ${mib}`

async function ran(host: OpenLab, args: readonly string[], command: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string; readonly stdout: string; readonly summary: RunJson }> {
  const file = join(host.directory, 'summary.json'), { code, stderr, stdout } = await cli(['run', '--no-tui', '--force', '--summary', file, ...args, '--', ...command])
  return { code, stderr, stdout, summary: JSON.parse(readFileSync(file, 'utf8')) as RunJson }
}

test('a command below its limit: its own output and exit status, and the exact peak of the kernel', (context) => inLab(context, async (host) => {
  const { code, stdout, stderr, summary } = await ran(host, ['--limit', '64Mi'], ['sh', '-c', `${growing(host, 40)}; exit 7`.replace('exec ', '')])
  expect(code).toBe(7)
  expect(stdout).toMatch(/^ready \d+\ngrown \d+\n$/)
  expect(summary).toMatchObject({ exitCode: 7, limitBytes: 64 * 2 ** 20, peakExact: true, kills: [], leftBehind: 0 })
  // 40 MiB touched, and what a process needs besides; less than a tenth of it.
  expect(summary.peakBytes).toBeGreaterThan(40 * 2 ** 20)
  expect(summary.peakBytes).toBeLessThan(44 * 2 ** 20)
  expect(stderr).toContain('exact: counted by the kernel')
  expect(summary.failure).toBeUndefined()
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))

test('a command that grows past its limit: killed, told why, exit 137', (context) => inLab(context, async (host) => {
  const { code, stderr, summary } = await ran(host, ['--limit', '32Mi'], ['sh', '-c', growing(host, 60)])
  expect(code).toBe(137)
  expect(summary).toMatchObject({ exitCode: 137, peakBytes: 32 * 2 ** 20, kills: [{ victims: [{ comm: 'grower' }] }] })
  expect(summary.kills[0]?.limit?.path).toBe(summary.path)
  expect(stderr).toContain('reached its memory limit of 32 MiB')
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))

test('a summary that no disk takes: exit 3, unless the command says worse; both are told', (context) => inLab(context, async (host) => {
  for (const [command, wanted] of [['true', 3], ['exit 7', 7]] as const) {
    const { code, stderr } = await cli(['run', '--no-tui', '--no-probes', '--force', '--summary', '/dev/full', '--', 'sh', '-c', command])
    expect(stderr).toMatch(/\noomscope: cannot write the summary, \/dev\/full: no space left on device\nhint: [^\n]+\n$/)
    expect(code).toBe(wanted)
  }
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))

test('a cgroup that cannot be removed costs neither the summary nor the exit status', (context) => inLab(context, async (host) => {
  const mount = host.lab.options.mount.directory, mine = `"${mount}$(sed -n 's/^[0-9]*:[^:]*memory[^:]*:\\|^0:://p' /proc/self/cgroup | head -n 1)/kept"`
  const { code, stderr, summary } = await ran(host, ['--no-probes'], ['sh', '-c', `mkdir ${mine} && mount -t tmpfs none ${mine} && exit 7; exit 8`])
  if (code === 8) skip(context, 'nothing may be mounted here')
  const kept = join(mount, summary.path)
  try {
    expect([code, summary.exitCode]).toEqual([7, 7])
    expect(stderr).toContain(`cannot remove the cgroup of the command, ${summary.path}: it is still busy`)
  } finally {
    execFileSync('umount', [join(kept, 'kept')])
    for (const directory of [join(kept, 'kept'), kept]) rmdirSync(directory)
  }
}))

test('a command that loses a child and goes on: the kill is told though it ends well', (context) => inLab(context, async (host) => {
  const { code, summary } = await ran(host, ['--limit', '32Mi'], ['sh', '-c', `(${growing(host, 60, 'child')}); exit 0`])
  expect(code).toBe(0)
  expect(summary.kills.map(({ victims }) => victims.map(({ comm }) => comm))).toEqual([['child']])
}))

test('what a command leaves behind is ended with it', (context) => inLab(context, async (host) => {
  const { code, summary } = await ran(host, ['--no-probes'], ['sh', '-c', 'sleep 1000 & echo $! > "$1"', 'sh', join(host.directory, 'pid')])
  expect(code).toBe(0)
  expect(summary.leftBehind).toBe(1)
  expect(isAlive(Number(readFileSync(join(host.directory, 'pid'), 'utf8')))).toBe(false)
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))

test.for([['90%', 1], ['40MiB', 1], ['100%', 0], ['63MiB', 0]] as const)('--fail-over %s of a peak of 60 MiB of 64: exit %i', ([failOver, expected], context) => inLab(context, async (host) => {
  const { code, stderr, summary } = await ran(host, ['--no-probes', '--limit', '64Mi', '--fail-over', failOver], ['sh', '-c', growing(host, 59)])
  expect(summary.kills).toEqual([])
  expect(code, stderr).toBe(expected)
  expect(/cannot pass --fail-over/.test(stderr)).toBe(expected === 1)
}))

test('SIGTERM reaches the command, and its answer is the exit status', (context) => inLab(context, async (host) => {
  const running = startCli(['run', '--no-tui', '--no-probes', '--', 'sh', '-c', 'trap "exit 42" TERM; echo up; while :; do sleep 0.05; done'])
  await running.sees(/up/)
  running.child.kill('SIGTERM')
  expect((await running.ended).code).toBe(42)
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))

test('^C at the terminal reaches the command once; the launcher passes its exit status on', (context) => inLab(context, async (host) => {
  const terminal = new Tui(LAUNCHER, ['run', '--no-tui', '--no-probes', '--', 'sh', '-c', 'n=0; trap \'n=$((n+1)); sleep 0.3; echo got $n; exit 43\' INT; echo up; while :; do sleep 0.05; done'], { cols: 120 })
  try {
    await terminal.see('up')
    terminal.keys('\u0003')
    await terminal.see('got 1')
    expect(await terminal.ended()).toBe(43)
    expect(leftovers(host.lab.options.mount.directory)).toEqual([])
  } finally { terminal.kill() }
}))

test('a command that the kernel killed is not taken for our own death', (context) => inLab(context, async (host) => {
  const terminal = new Tui(LAUNCHER, ['run', '--no-tui', '--no-probes', '--limit', '32Mi', '--', 'sh', '-c', growing(host, 60)], { cols: 120, rows: 40 })
  try {
    expect(await terminal.ended()).toBe(137)
    expect(terminal.text()).toContain('reached its memory limit of 32 MiB')
    expect(terminal.text()).not.toContain('oomscope was ended by signal')
  } finally { terminal.kill() }
}))

test('killed for good, it leaves no command running', (context) => inLab(context, async (host) => {
  const running = startCli(['run', '--no-tui', '--no-probes', '--', 'sh', '-c', 'trap "" INT; trap "echo heard" TERM; echo up; while :; do sleep 0.05; done'])
  await running.sees(/up/)
  running.child.kill('SIGTERM')
  await running.sees(/heard/)
  // The command goes on: the second wish does not wait for it.
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}))
