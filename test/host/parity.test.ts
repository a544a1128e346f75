/** Every sampled number is the kernel's own: equal at rest, and between two readings of the same file while it moves. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { BridgeRun } from '../helpers/lab/bridge.ts'
import { Memcg, memcgMount } from '../helpers/lab/cgroup.ts'
import { performParity } from '../helpers/lab/parity.ts'
import { expectParity } from '../helpers/lab/parity-judge.ts'
import { rowsOf } from '../helpers/lab/recording-rows.ts'
import { skip } from '../helpers/skip.ts'

const workloads = fileURLToPath(new URL('../workloads', import.meta.url)), programs = fileURLToPath(new URL('../../build/workloads', import.meta.url))

test('what is sampled of a memcg at rest is what its files say, and counters of a busy one lie between two readings of them', async (context) => {
  const mount = memcgMount()
  if (process.getuid?.() !== 0 || mount === undefined) return skip(context, 'memcgs of our own need root and a memory controller')
  execFileSync('make', ['-C', workloads], { stdio: 'pipe' })
  const scratch = mkdtempSync(join(fileURLToPath(new URL('../../build', import.meta.url)), 'oomscope-parity-')), parent = new Memcg(mount, `/oomscope-parity-${process.pid}`).create()
  const bridge = await BridgeRun.start(mount, join(mount.directory, parent.path), join(scratch, 'stream.oom'), ['--numa'])
  try {
    const truth = await performParity({ parent, version: mount.version, programs, scratch })
    await bridge.end()
    const { equal, bracketed } = expectParity(truth, await rowsOf(bridge.file))
    process.stdout.write(`parity: ${equal.size} numbers equal at rest; ${bracketed.size} counters bracketed, ${[...bracketed.values()].reduce((sum, count) => sum + count, 0)} times\n`)
    expect(equal.size).toBeGreaterThan(15)
  } finally {
    await bridge.end()
    parent.remove()
    rmSync(scratch, { recursive: true, force: true })
  }
})
