/** The spikes of the bundled recording (cgroup v1, kernel 6.18): three containers that filled their limit and were killed. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)), MIB = 2 ** 20
const run = (...args: string[]): string => execFileSync(process.execPath, ['dist/cli/main.js', 'spikes', 'test/fixtures/recordings/three-kills-v1.oom', ...args], { cwd: ROOT, encoding: 'utf8' })
const spikes = run('--json').trim().split('\n').map((line) => JSON.parse(line))

test('each container rose to its limit once: exact by the high-water mark of v1, told once and not for its slices', () => {
  expect(spikes.map((s) => [s.workload.level, s.baseBytes, s.peakBytes / MIB, s.limitBytes / MIB, s.peakExact, s.exactness, s.madeOf])).toEqual([
    ['container', 0, 64, 64, true, 'high-water', 'anon'], ['container', 0, 96, 96, true, 'high-water', 'anon'], ['container', 0, 48, 48, true, 'high-water', 'anon']])
})

test('they lasted 1 to 3 s between two looks of kubectl top, which showed none', () => {
  for (const spike of spikes) {
    expect(spike.missedByKubectlTop).toBe(true)
    expect(spike.durationLeastMs).toBeGreaterThan(1000)
    expect(spike.durationMs).toBeLessThan(3000)
    expect(spike.stallNs).toBeGreaterThan(0)
  }
  expect(run()).toContain('\n3 spikes in 3 workloads; kubectl top would have shown none.\n')
})

test('what it recommends for them: killed at their limits, so the most head room, and no promise', () => {
  const lines = execFileSync(process.execPath, ['dist/cli/main.js', 'recommend', 'test/fixtures/recordings/three-kills-v1.oom', '--json', '--limit', '64Mi'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').map((line) => JSON.parse(line))
  expect(lines.slice(0, -1).map((r) => [r.peakBytes / MIB, r.exactness, r.requestBytes / MIB, r.limitBytes / MIB, r.headroomPercent, r.kills, r.whatIf.survives])).toEqual([
    [96, 'high-water', 96, 136, 40, 1, 'no'], [64, 'high-water', 64, 92, 40, 1, 'no'], [48, 'high-water', 48, 68, 40, 1, 'unknown']])
  for (const line of lines.slice(0, -1)) expect(line.warnings.map((w: { code: string }) => w.code)).toEqual(['killed', 'too-short'])
  expect(lines.at(-1).node).toMatchObject({ from: 'RAM', workloads: 3, requestBytes: 208 * MIB, fits: true })
})
