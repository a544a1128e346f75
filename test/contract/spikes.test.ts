/** `oomscope spikes`, as a person or a program runs it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { cli } from '../helpers/cli.ts'
import { freshDirectories } from '../helpers/files.ts'
import { spikyFrames } from '../helpers/spiky-recording.ts'
import type { Spiky } from '../helpers/spiky-recording.ts'
import { encodeFrames } from '../../src/wire/encode.ts'
import { START_NS } from '../helpers/stream.ts'

const fresh = freshDirectories()
let file = ''
beforeEach(() => { file = join(fresh(), 'r.oom') })

const POD = '/kubepods/burstable/pod26ab26cd-6409-443f-a13c-fd6c231207c8', CONTAINER = `${POD}/${'a'.repeat(64)}`
const MIB = 2 ** 20
// START_NS is at 507 s: kubectl top looks at 510, 525, 540 s, the seconds 3, 18 and 33 of the recording.
const bumps = [{ second: 2.5, ms: 900, mib: 60 }, { second: 8.013, ms: 5, mib: 150 }, { second: 21, ms: 400, mib: 80 }]
const MEMCGS: readonly Spiky[] = [
  { memcgId: 7, path: CONTAINER, baseMib: 100, maxMib: 256, inactiveFileMib: 20, bumps }, { memcgId: 6, path: POD, baseMib: 101, maxMib: 256, bumps },
  { memcgId: 8, path: '/system.slice/cron\u001b[31m.service', baseMib: 10, means: 'high-water', bumps: [{ second: 5.02, ms: 20, mib: 40 }] },
]
const record = (frames: readonly Uint8Array[]): void => writeFileSync(file, Buffer.concat(frames))
const jsonOf = async (): Promise<{ readonly list: Record<string, unknown>[]; readonly stderr: string }> => {
  const { code, stdout, stderr } = await cli(['spikes', file, '--json'])
  expect(code).toBe(0)
  return { list: stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>), stderr }
}

test('--json: the contract, one object a spike, in order of time; a pod is not told beside its container', async () => {
  record(spikyFrames(MEMCGS, 40))
  const { list, stderr } = await jsonOf()
  expect(stderr).toBe('')
  expect(list.map(({ path, baseBytes, peakBytes, peakExact, exactness, limitBytes, kubectlTopBytes, missedByKubectlTop }) => ({ path, baseBytes, peakBytes, peakExact, exactness, limitBytes, kubectlTopBytes, missedByKubectlTop }))).toEqual([
    { path: CONTAINER, baseBytes: 100 * MIB, peakBytes: 160 * MIB, peakExact: true, exactness: 'exact-height', limitBytes: 256 * MIB, kubectlTopBytes: 140 * MIB, missedByKubectlTop: false },
    { path: '/system.slice/cron\u001b[31m.service', baseBytes: 10 * MIB, peakBytes: 50 * MIB, peakExact: true, exactness: 'high-water', limitBytes: undefined, kubectlTopBytes: 10 * MIB, missedByKubectlTop: true },
    { path: CONTAINER, baseBytes: 100 * MIB, peakBytes: 250 * MIB, peakExact: true, exactness: 'exact-height', limitBytes: 256 * MIB, kubectlTopBytes: 140 * MIB, missedByKubectlTop: true },
    { path: CONTAINER, baseBytes: 100 * MIB, peakBytes: 180 * MIB, peakExact: true, exactness: 'exact-height', limitBytes: 256 * MIB, kubectlTopBytes: 80 * MIB, missedByKubectlTop: true },
  ])
  expect(list[2]).toMatchObject({ workload: { level: 'container', podUid: '26ab26cd-6409-443f-a13c-fd6c231207c8' }, durationLeastMs: 0, start: expect.stringMatching(/^2026-11-20T12:00:0[78]\.\d{3}Z$/) as string, kubectlTopPhases: { least: 0, most: expect.closeTo(0.1 / 15, 3) as number } })
  expect(list[2]?.['durationMs']).toBeLessThanOrEqual(200)
})

test('text: the headline counts, hostile names are printable, 80 columns', async () => {
  record(spikyFrames(MEMCGS, 40))
  const { stdout, code } = await cli(['spikes', file])
  expect(code).toBe(0)
  expect(stdout).toContain('\n4 spikes in 2 workloads; kubectl top would have shown 1.\n')
  expect(stdout).not.toMatch(/\u001b/)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test('--cgroup: only the spikes of the part, in text, too; none is no error', async () => {
  record(spikyFrames(MEMCGS, 40))
  const paths = async (pattern: string): Promise<unknown[]> => (await cli(['spikes', file, '--json', '--cgroup', pattern])).stdout.split('\n').filter(Boolean).map((line) => (JSON.parse(line) as { readonly path: string }).path)
  expect(await paths('/system.slice')).toEqual([MEMCGS[2]?.path])
  expect(await paths('/kubepods/**')).toEqual([CONTAINER, CONTAINER, CONTAINER])
  expect(await paths('/user.slice')).toEqual([])
  const { stdout, code } = await cli(['spikes', file, '--cgroup', '/system.slice/cron*'])
  expect(code).toBe(0)
  expect(stdout).toContain('only cgroups that match /system.slice/cron*')
  expect(stdout).toContain('\n1 spike in 1 workload; ')
  expect(stdout).not.toContain('kubepods')
})

test('a recording without a spike says what would be one', async () => {
  record(spikyFrames([{ memcgId: 7, path: '/calm', baseMib: 100, bumps: [] }], 20))
  const { stdout } = await cli(['spikes', file])
  expect(stdout).toContain('No spike: nothing rose by 4 MiB')
})

test('read twice it says the same, byte for byte', async () => {
  record(spikyFrames(MEMCGS, 40))
  for (const options of [[], ['--json'], ['--all']]) expect(await cli(['spikes', file, ...options])).toEqual(await cli(['spikes', file, ...options]))
})

test('a damaged frame is said beside the spike that it touches, and only there', async () => {
  const frames = spikyFrames(MEMCGS.slice(0, 1), 40).map((frame, second) => (second === 21 ? Buffer.from(frame).fill(0, 26, 36) : frame))
  record(frames)
  const { list, stderr } = await jsonOf()
  // The 400 ms of the third one lay in it: only a row after the gap could tell of it, and none does.
  expect(list.map(({ peakBytes, lossDuring }) => [Number(peakBytes) / MIB, lossDuring])).toEqual([[160, undefined], [250, undefined]])
  expect(stderr).toMatch(/^note: facts are missing: nothing was told for \d(\.\d)? s in 1 gap, 1 damaged place in the file\n$/)
  const text = (await cli(['spikes', file])).stdout.replaceAll('\n', ' ')
  expect(text).toContain('Facts are missing: nothing was told for')
  expect(text).toContain('There may be more spikes')
})

test('a spike that began before damage and ended after it is called no exact one', async () => {
  const frames = spikyFrames([{ memcgId: 7, path: '/a', baseMib: 100, bumps: [{ second: 20.5, ms: 2000, mib: 80 }] }], 40).map((frame, second) => (second === 21 ? Buffer.from(frame).fill(0, 26, 36) : frame))
  record(frames)
  expect((await jsonOf()).list).toMatchObject([{ peakBytes: 180 * MIB, peakExact: false, exactness: 'sampled', lossDuring: true }])
  expect((await cli(['spikes', file])).stdout).toMatch(/100M > 180M/)
})

test('rows lost in the bridge make every number one that may be too low', async () => {
  record([...spikyFrames(MEMCGS, 40), ...encodeFrames([{ kind: 'loss', tsNs: START_NS + 40e9, where: 'ring', count: 17, detail: 'rows: the reader stalled' }])])
  const { list, stderr } = await jsonOf()
  expect(list.every(({ lossSomewhere }) => lossSomewhere === true)).toBe(true)
  expect(stderr).toContain('17 rows lost at ring')
  expect((await cli(['spikes', file])).stdout).not.toMatch(/ = /)
})
