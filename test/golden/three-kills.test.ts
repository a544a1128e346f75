/** A recording of real kills on cgroup v1 (kernel 6.18, bpftrace 0.17) still means the same to this program. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const kills = execFileSync(process.execPath, ['dist/cli/main.js', 'kills', 'test/fixtures/recordings/three-kills-v1.oom', '--json'], { cwd: ROOT, encoding: 'utf8' })
  .trim().split('\n').map((line) => JSON.parse(line))

test('three container-limit kills, each once, with victim, limit and candidates', () => {
  expect(kills.map((k) => [k.cause, k.victims.map((v: { comm: string }) => v.comm), k.limit.limitBytes, k.candidates.length])).toEqual([
    ['container-limit', ['java'], 64 << 20, 3], ['container-limit', ['python3'], 96 << 20, 5], ['container-limit', ['node'], 48 << 20, 7]])
})

test('each kill names its witnesses and marks exactly the chosen candidate', () => {
  for (const kill of kills) {
    expect(kill.witnesses).toEqual(expect.arrayContaining(['probe', 'kmsg', 'memory.events']))
    expect(kill.candidates.filter((c: { chosen: boolean }) => c.chosen).map((c: { pid: number }) => c.pid)).toEqual([kill.victims[0].pid])
  }
})
