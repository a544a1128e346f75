/** `oomscope recommend`, as a person or a program runs it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { Event } from '../../src/event/event.ts'
import { cli } from '../helpers/cli.ts'
import { freshDirectories } from '../helpers/files.ts'
import { nsAt, spikyFrames } from '../helpers/spiky-recording.ts'
import type { Spiky } from '../helpers/spiky-recording.ts'

const fresh = freshDirectories(), MIB = 2 ** 20
let file = ''
beforeEach(() => { file = join(fresh(), 'r.oom') })

const POD = '/kubepods/burstable/pod26ab26cd-6409-443f-a13c-fd6c231207c8', API = `${POD}/${'a'.repeat(64)}`, SIDECAR = `${POD}/${'b'.repeat(64)}`
const MEMCGS: readonly Spiky[] = [
  { memcgId: 3, path: '/kubepods', baseMib: 400, maxMib: 4096, bumps: [] }, { memcgId: 6, path: POD, baseMib: 130, bumps: [] },
  { memcgId: 7, path: API, baseMib: 100, maxMib: 256, inactiveFileMib: 20, bumps: [{ second: 8.013, ms: 5, mib: 120 }, { second: 20, ms: 9000, mib: 30 }] },
  { memcgId: 9, path: SIDECAR, baseMib: 30, bumps: [{ second: 5.5, ms: 20, mib: 10 }], means: 'sampled' }, { memcgId: 8, path: '/system.slice/db.service', baseMib: 200, means: 'high-water', bumps: [{ second: 5.02, ms: 20, mib: 40 }] },
]
const names = { kind: 'workload', tsNs: nsAt(1), from: 'test', podUid: '26ab26cd-6409-443f-a13c-fd6c231207c8', containerId: 'a'.repeat(64), namespace: 'payments', pod: 'api-7d9f', container: 'api' } as unknown as Event
const record = (frames: readonly Uint8Array[]): void => writeFileSync(file, Buffer.concat(frames))
type Line = Record<string, unknown> & { readonly path?: string; readonly warnings?: readonly { readonly code: string }[]; readonly node?: Record<string, unknown>; readonly whatIf?: Record<string, unknown> }
async function jsonOf(...options: string[]): Promise<{ readonly list: readonly Line[]; readonly stderr: string }> {
  const { code, stdout, stderr } = await cli(['recommend', file, '--json', ...options])
  expect(code).toBe(0)
  return { list: stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line), stderr }
}

test('--json: one object a container or service, largest first, then the node', async () => {
  record(spikyFrames(MEMCGS, 60, { 1: [names] }))
  const { list, stderr } = await jsonOf()
  expect(stderr).toBe('')
  expect(list.map(({ path, peakBytes, needPeakBytes, exactness }) => [path, Number(peakBytes) / MIB, Number(needPeakBytes) / MIB, exactness])).toEqual([
    ['/system.slice/db.service', 240, 240, 'high-water'], [API, 220, 200, 'exact-height'], [SIDECAR, 30, 30, 'sampled'], [undefined, Number.NaN, Number.NaN, undefined]])
  expect(list[1]).toMatchObject({ workload: { namespace: 'payments', pod: 'api-7d9f', container: 'api' }, peakExact: true, limitNowBytes: 256 * MIB, kubectlTopBytes: 80 * MIB, kills: 0, starts: 1, running: true, headroomPercent: 30, limitBytes: 272 * MIB })
  // 9 of 60 seconds at 130 MiB, 20 of them inactive file cache.
  expect(list[1]?.['p95Bytes']).toBeGreaterThanOrEqual(110 * MIB)
  expect(list[1]?.['p95Bytes']).toBeLessThanOrEqual(112 * MIB)
  expect(list[1]?.warnings?.map(({ code }) => code)).toEqual(['too-short'])
  expect(list.at(-1)?.node).toMatchObject({ from: 'kubepods', path: '/kubepods', allocatableBytes: 4096 * MIB, workloads: 2, fits: true })
})

test('--limit asks whether it would have lived', async () => {
  record(spikyFrames(MEMCGS, 60))
  const answers = async (limit: string): Promise<unknown[]> => (await jsonOf('--limit', limit)).list.slice(0, -1).map(({ whatIf }) => whatIf?.['survives'])
  // Service exact, API exact, sidecar sampled.
  expect(await answers('250Mi')).toEqual(['yes', 'yes', 'likely'])
  expect(await answers('210Mi')).toEqual(['unknown', 'likely', 'likely'])
  expect(await answers('60Mi')).toEqual(['no', 'no', 'likely'])
  expect((await cli(['recommend', file, '--limit', '210Mi'])).stdout).toContain('at 210Mi')
})

test('--cgroup: only the workloads of the part; the sum stays that of the node', async () => {
  record(spikyFrames(MEMCGS, 60, { 1: [names] }))
  const { list: whole } = await jsonOf(), { list } = await jsonOf('--cgroup', '**/pod26ab26cd*')
  expect(list.map(({ path }) => path)).toEqual([API, SIDECAR, undefined])
  expect(list).toEqual([whole[1], whole[2], whole[3]])
  const { stdout } = await cli(['recommend', file, '--cgroup', 'db.service'])
  expect(stdout).toContain('only cgroups that match db.service')
  expect(stdout).toContain('requests of the 2 workloads running at the end')
  expect(stdout).not.toContain('api-7d9f')
  expect((await cli(['recommend', file, '--cgroup', '/user.slice'])).stdout).toMatch(/\n\nNo container or service matches\.\n$/)
})

test('a limit that is none is a usage error', async () => {
  record(spikyFrames(MEMCGS, 5))
  expect(await cli(['recommend', file, '--limit', 'much'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/--limit 'much': not a size\nhint: /) as string })
})

test('text: 80 columns, reasons and warnings of each, and whether the sum fits', async () => {
  record(spikyFrames(MEMCGS, 60, { 1: [names] }))
  const { stdout } = await cli(['recommend', file])
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(stdout.replaceAll('\n', ' ')).toContain('The requests of the 2 workloads running at the end are')
  expect(stdout).toContain('payments/api-7d9f:api')
  expect(stdout).toContain('because   request')
  expect(stdout).toMatch(/WARNING {3}only .* are recorded/)
})

test('read twice it says the same, byte for byte', async () => {
  record(spikyFrames(MEMCGS, 60))
  for (const options of [[], ['--json'], ['--limit', '200Mi']]) expect(await cli(['recommend', file, ...options])).toEqual(await cli(['recommend', file, ...options]))
})

test('lost facts are said beside every number they touch', async () => {
  record(spikyFrames(MEMCGS, 60).map((frame, second) => (second === 31 ? Buffer.from(frame).fill(0, 26, 36) : frame)))
  const { list, stderr } = await jsonOf()
  expect(list.slice(0, -1).every(({ lostMs, warnings }) => Number(lostMs) > 0 && warnings?.some(({ code }) => code === 'facts-lost') === true)).toBe(true)
  expect(list.find(({ path }) => path === API)).toMatchObject({ exactness: 'sampled', peakExact: false })
  expect(stderr).toMatch(/^note: facts are missing: nothing was told for /)
  const text = (await cli(['recommend', file])).stdout
  expect(text).toMatch(/> 220M/)
  expect(text.replaceAll(/\s+/g, ' ')).toContain('its peak may have been then')
})
