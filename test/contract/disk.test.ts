/** A disk that fills up while recording: it is told, what did not fit is counted, and what fitted can be read. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TestContext } from 'vitest'
import { encodeFrames } from '../../src/wire/encode.ts'
import { CLI } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { skip } from '../helpers/skip.ts'
import { START_NS, streamFrames } from '../helpers/stream.ts'

const fresh = freshDirectories()
const NO_MOUNT = 99
const NODE = process.execPath

/** In mounts of its own: a tmpfs with these options, a recorder that writes into it without end, and a reader of what it left. */
const SCRIPT = `
mount -t tmpfs -o "$1" tmpfs "$2" || exit ${NO_MOUNT}
shift
"${NODE}" "${CLI}" record -o "$1/r" --no-probes --max-size 1MiB; echo "record $?"
ls "$1"
"${NODE}" "${CLI}" kills "$1/r"; echo "kills $?"
`

type Ended = { readonly stdout: string; readonly stderr: string }
async function fill(context: TestContext, options: string): Promise<Ended> {
  const directory = fresh(), disk = fresh()
  const frames = [...streamFrames({ seconds: 60 }), ...encodeFrames([{ kind: 'tracer', tsNs: START_NS, state: 'absent', pid: 0, detail: undefined }])]
  const { env } = fakeBridge(directory, [{ frames, loop: true }])
  writeFileSync(join(directory, 'script'), SCRIPT)
  const asRoot = process.getuid?.() === 0 ? ['-m'] : ['-rm']
  const child = spawn('unshare', [...asRoot, 'sh', join(directory, 'script'), options, disk], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let stdout = '', stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  const code = await new Promise<number | null>((resolve) => { child.on('error', () => resolve(NO_MOUNT)); child.on('close', resolve) })
  if (code === NO_MOUNT || /unshare/.test(stderr)) skip(context, 'no mount namespace to be had')
  return { stdout, stderr }
}

function expectHonestEnd({ stdout, stderr }: Ended): void {
  expect(stdout).toMatch(/^record 1$/m)
  expect(stderr).toMatch(/\nrecorded \S+\/r · \d+ events · 0 kills · [1-9]\d* lost · [^\n]+\noomscope: cannot write \S+\/r: no space left on device\nhint: [^\n]*what was written can be read\n/)
  expect(stdout).toMatch(/0 kill cases, 0 processes killed/)
  expect(stdout).toMatch(/^kills 0$/m)
}

test('in the middle of a file', async (context) => {
  expectHonestEnd(await fill(context, 'size=100k'))
})
test('in the middle of a later file', async (context) => {
  const ended = await fill(context, 'size=400k')
  expectHonestEnd(ended)
  expect(ended.stdout).toMatch(/^r\.1$/m)
})
test('just as the next file is begun', async (context) => {
  const ended = await fill(context, 'size=4M,nr_inodes=2')
  expectHonestEnd(ended)
  expect(ended.stdout).toMatch(/^record 1\nr\.1\n/m)
})
