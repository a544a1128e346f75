/** The command that is installed is the launcher: it finds its program through links and is otherwise not noticed. */
import { spawn } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { encodeFrames } from '../../src/wire/encode.ts'
import { isAlive } from '../helpers/alive.ts'
import { CLI } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { Tui } from '../helpers/pty.ts'
import { START_NS, streamFrames } from '../helpers/stream.ts'

const fresh = freshDirectories()
const LAUNCHER = join(dirname(CLI), 'oomscope.sh')
const run = (command: string, args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => new Promise((resolve) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = '', stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  child.on('close', (code) => resolve({ code, stdout, stderr }))
})

test('is what package.json installs', () => {
  const root = new URL('../../', import.meta.url), { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { bin: { oomscope: string } }
  expect(fileURLToPath(new URL(bin.oomscope, root))).toBe(LAUNCHER)
})

test.each<[string, string[], number]>([['done', ['--version'], 0], ['usage', ['recrod'], 2], ['environment', ['live', '--require-probes', '--bpftrace', '/nowhere'], 3]])('through a link to a link, %s: output and exit code are the program\'s own', async (_, args, code) => {
  const directory = fresh()
  symlinkSync(LAUNCHER, join(directory, 'one'))
  symlinkSync('one', join(directory, 'oomscope'))
  const [launched, direct] = await Promise.all([run(join(directory, 'oomscope'), args), run(process.execPath, [CLI, ...args])])
  expect(launched).toEqual(direct)
  expect(launched.code).toBe(code)
})

test('^C at the terminal reaches the program twice and ends a recording as one ^C: with its summary and no bridge behind', async () => {
  const directory = fresh(), frames = [...streamFrames({ seconds: 2 }), ...encodeFrames([{ kind: 'tracer', tsNs: START_NS, state: 'absent', pid: 0, detail: undefined }])]
  const bridge = fakeBridge(directory, [{ frames }])
  const terminal = new Tui(LAUNCHER, ['record', '-o', join(directory, 'r'), '--no-probes'], { cols: 200, env: bridge.env })
  try {
    await terminal.see('ctrl-C ends')
    terminal.keys('\u0003')
    expect(await terminal.ended()).toBe(130)
    expect(terminal.text()).toMatch(/recorded .* · 0 kills/)
    expect(bridge.starts().map(({ pid }) => isAlive(pid))).toEqual([false])
  } finally { terminal.kill() }
})
