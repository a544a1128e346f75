/** The bridge keeps the contract: one dictionary with kinds.ts, frames as src/README.md says, every lost row counted, and a clean end. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { Unpackr } from 'msgpackr'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { COUNTERS, FORMAT_VERSION, HISTOGRAMS, KINDS, STALLS, type KindName } from '../../src/event/kinds.ts'

const BRIDGE = fileURLToPath(new URL('../../dist/native/oomscope-bridge', import.meta.url))
const QUIET = ['--no-memcg', '--no-kmsg', '--no-psi']

type Row = readonly [kind: number, tsNs: number, ...fields: unknown[]]
type Frame = { readonly flags: number; readonly tsNs: number; readonly rows: readonly Row[] }

/** A second reader of the format, written from src/README.md alone. */
function framesOf(bytes: Buffer): Frame[] {
  const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length;) {
    expect(bytes.toString('latin1', at, at + 4)).toBe('OOMS')
    const length = bytes.readUInt32LE(at + 4), end = at + 24 + length
    expect(end).toBeLessThanOrEqual(bytes.length)
    expect(bytes.readUInt32LE(at + 8)).toBe(crc32(bytes.subarray(at + 12, end)))
    expect(bytes.readUInt8(at + 12)).toBe(FORMAT_VERSION)
    const rows = unpackr.unpackMultiple(bytes.subarray(at + 24, end)) as Row[]
    expect(rows.length).toBe(bytes.readUInt16LE(at + 14))
    frames.push({ flags: bytes.readUInt8(at + 13), tsNs: Number(bytes.readBigUInt64LE(at + 16)), rows })
    at = end
  }
  return frames
}

const rowsOf = (frames: readonly Frame[], kind: KindName): Row[] => frames.flatMap((frame) => frame.rows).filter(([number]) => number === KINDS[kind].number)
const fieldsOf = (frames: readonly Frame[], kind: KindName): unknown[][] => rowsOf(frames, kind).map(([, , ...fields]) => fields)

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

let directory: string
const children: ChildProcessWithoutNullStreams[] = []

beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'oomscope-bridge-')) })
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
  const child = spawn(BRIDGE, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  children.push(child)
  return child
}

/** The frames that these lines of a tracer become. */
function bridged(lines: readonly string[], args: readonly string[] = []): Frame[] {
  const file = join(directory, 'lines.json')
  writeFileSync(file, lines.map((line) => line + '\n').join(''))
  const result = spawnSync(BRIDGE, ['--lines', file, ...QUIET, ...args], { maxBuffer: 1 << 28 })
  expect(result.stderr.toString()).toBe('')
  expect(result.status).toBe(0)
  return framesOf(result.stdout)
}

/** Frames whose end was not read yet: whoever reads on begins with them. */
const unread = new WeakMap<ChildProcessWithoutNullStreams, Buffer>()

/** Reads frames until they satisfy; for processes that go on. */
async function readUntil(child: ChildProcessWithoutNullStreams, satisfies: (frames: readonly Frame[]) => boolean): Promise<Frame[]> {
  let bytes = unread.get(child) ?? Buffer.alloc(0)
  for (;;) {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
    let whole = 0
    while (whole + 24 <= bytes.length && whole + 24 + bytes.readUInt32LE(whole + 4) <= bytes.length) whole += 24 + bytes.readUInt32LE(whole + 4)
    const frames = framesOf(bytes.subarray(0, whole))
    unread.set(child, bytes.subarray(whole))
    if (satisfies(frames)) return frames
  }
}

/** The value row as bpftrace prints it. */
const line = (...data: readonly unknown[]): string => `{"type": "value", "data": ${JSON.stringify(data)}}`

test('the dictionary of the bridge is kinds.ts, word for word', () => {
  const expected = [
    ...Object.entries(KINDS).map(([name, { number, fields }]) => `kind ${number} ${name} ${Object.entries(fields).map(([field, type]) => `${field}:${type}`).join(' ')}`),
    ...COUNTERS.map((name, index) => `counter ${index} ${name}`),
    ...HISTOGRAMS.map((name, index) => `histogram ${index} ${name}`),
    ...STALLS.map((name, index) => `stall ${index} ${name}`),
    `format ${FORMAT_VERSION}`,
  ]
  const dumped = spawnSync(BRIDGE, ['--dump-schema']).stdout.toString().trimEnd().split('\n')
  expect(dumped).toEqual(expected)
})

test('a stream begins with one frame of flags 3 that holds hello, every schema row and the clock', () => {
  const [first] = bridged([])
  expect(first!.flags).toBe(3)
  expect(first!.tsNs).toBe(first!.rows[0]![1])
  const kinds = Object.entries(KINDS)
  expect(first!.rows.slice(0, kinds.length + 2).map(([kind]) => kind)).toEqual([1, ...kinds.map(() => 2), 3])
  expect(first!.rows.slice(1, kinds.length + 1).map(([, , ...fields]) => fields)).toEqual(kinds.map(([name, { number, fields }]) => [number, name, Object.keys(fields).join(' ')]))
  const hello = Object.fromEntries(Object.keys(KINDS.hello.fields).map((field, index) => [field, first!.rows[0]![2 + index]]))
  expect(hello).toMatchObject({ formatVersion: FORMAT_VERSION, samplePeriodNs: 100_000_000, stallNs: 10_000_000, pageSizeBytes: expect.any(Number) as number })
  expect(Math.abs((hello['wallMs'] as number) - Date.now())).toBeLessThan(60_000)
})

test('lines become rows with the same values', () => {
  const frames = bridged([
    line(0, 5), line(31, 10, 7, 8, 'a"b\n{"type":"value","data":[0,1]}', 66, 67, -1, 3264, -998),
    '{"type": "value", "data": [33,11,7,8,"\\uffffffc3\\uffffffa9",66,0,-9223372036854775808,10240,1,2]}', line(38, 12, 7, 9),
  ])
  expect(fieldsOf(frames, 'oom_begin')).toEqual([[7, 8, 'a"b\n{"type":"value","data":[0,1]}', 66, 67, -1, 3264, -998]])
  expect(fieldsOf(frames, 'oom_candidate')).toEqual([[7, 8, 'é', 66, 0, -(2 ** 63), 10240, 1, 2]])
  expect(fieldsOf(frames, 'mark_victim')).toEqual([[7, 9, ...Array<null>(10).fill(null)]])
  expect(fieldsOf(frames, 'tracer').map(([state]) => state)).toEqual(['starting', 'ready', 'exited'])
})

test('what is not understood is counted, and the lines around it are not lost', () => {
  const good = line(36, 1, 2, 3)
  const bad = ['garbage', '{"type": "value", "data": [36,1,2]}', line(1, 2, 3), line(99, 1), '{"type": "printf", "data": "x"}', '{']
  const frames = bridged([good, ...bad.flatMap((text) => [text, good]), '', '{"type": "lost_events", "data": {"events": 5}}',
    '{"type": "lost_events", "data": {"events": 2}}', '{"type": "helper_error", "msg": "Map full", "helper": "map_update_elem"}'])
  expect(rowsOf(frames, 'oom_group')).toHaveLength(bad.length + 1)
  const last = new Map(fieldsOf(frames, 'loss').map(([where, count]) => [where, count]))
  expect(Object.fromEntries(last)).toEqual({ line: bad.length, bpftrace: 7, map: 1 })
})

test('rows that were printed in the kernel and never came are counted, the ready marker and rows of any kind being rows', () => {
  const frames = bridged([line(0, 1), line(36, 1, 2, 3), line(99, 1), '{"type": "lost_events", "data": {"events": 2}}', '{"type": "map", "data": {"@rows_printed": 12}}'])
  const last = new Map(fieldsOf(frames, 'loss').map(([where, count]) => [where, count]))
  expect(Object.fromEntries(last)).toEqual({ line: 1, bpftrace: 9 })
})

test('counters and histograms are sent when they change and never fall', () => {
  const map = (value: number): string => `{"type": "map", "data": {"@over_high_ns": {"66": ${value}}}}`
  const hist = (count: number): string => `{"type": "hist", "data": {"@over_high_hist": {"66": [{"min":0,"max":1,"count":1},{"min":8,"max":15,"count":${count}}]}}}`
  const frames = bridged([map(5), map(5), map(9), map(2), hist(3), hist(3), hist(1), '{"type": "map", "data": {"@other": {"a": 1}}}'])
  const counter = COUNTERS.indexOf('over_high_ns'), histogram = HISTOGRAMS.indexOf('over_high_hist')
  expect(fieldsOf(frames, 'counter')).toEqual([[counter, 66, 5], [counter, 66, 9], [counter, 66, 11]])
  expect(fieldsOf(frames, 'histogram')).toEqual([[histogram, 66, [1, 0, 0, 3]], [histogram, 66, [2, 0, 0, 4]]])
  expect(fieldsOf(frames, 'loss')).toEqual([])
})

test('a map line of four megabytes is read, a longer one is counted and skipped', () => {
  const keys = (count: number): string => `{"type": "map", "data": {"@scratch": {${Array.from({ length: count }, (_, i) => `"${i}": 1000000000000000`).join(', ')}}}}`
  const fits = keys(150_000), tooLong = keys(200_000)
  expect(fits.length).toBeGreaterThan(4 * 2 ** 20 - 400_000)
  expect(tooLong.length).toBeGreaterThan(5 * 2 ** 20)
  const frames = bridged([fits, line(36, 1, 2, 3), tooLong, line(36, 1, 2, 4)])
  expect(fieldsOf(frames, 'oom_group')).toEqual([[2, 3], [2, 4]])
  expect(fieldsOf(frames, 'loss')).toEqual([['line', 1, expect.stringMatching(/^line too long: \{"type": "map"/) as string]])
})

test('while the reader is stopped bpftrace is still read, and seen plus dropped is what was caused', async () => {
  const caused = 50_000
  const child = start(['--lines', '-', ...QUIET, '--ring-bytes', '400000'])
  const lines = Array.from({ length: caused }, (_, i) => line(35, i + 1, i, 7, 'x'.repeat(100), 66, 0, 1, 2) + '\n').join('')
  // Nobody reads stdout until the last line has been taken from us.
  child.stdin.end(lines)
  await once(child.stdin, 'finish')
  const [bytes, [status]] = await Promise.all([collect(child.stdout), once(child, 'exit')])
  expect(status).toBe(0)
  const frames = framesOf(bytes)
  const seen = frames.reduce((sum, frame) => sum + frame.rows.length, 0)
  const dropped = fieldsOf(frames, 'loss').filter(([where]) => where === 'ring').map(([, count]) => count as number).at(-1) ?? 0
  const cost = Object.keys(KINDS.cost.fields), last = fieldsOf(frames, 'cost').at(-1)!
  expect(last[cost.indexOf('lines')]).toBe(caused)
  expect(seen + dropped).toBe(last[cost.indexOf('rows')])
  const kills = fieldsOf(frames, 'oom_kill').map(([tid]) => tid as number)
  expect(dropped).toBeGreaterThan(0)
  expect(caused - kills.length).toBeGreaterThan(0)
  expect(caused - kills.length).toBeLessThanOrEqual(dropped)
  expect(kills).toEqual([...kills].sort((a, b) => a - b))
  expect(kills.at(-1)).toBe(caused - 1)
  expect(frames[0]!.flags).toBe(3)
})

test('keyframes repeat the state: clock, memcgs, limits, usage, counters', async () => {
  const group = join(directory, 'pod')
  mkdirSync(group)
  writeFileSync(join(group, 'memory.current'), '4096\n')
  writeFileSync(join(group, 'memory.max'), '1048576\n')
  const child = start(['--lines', '-', '--no-kmsg', '--no-psi', '--memcg-root', directory, '--memcg-version', 'v2', '--keyframe-ms', '200'])
  child.stdin.write('{"type": "map", "data": {"@kswapd_wake_count": {"0": 3}}}\n')
  const frames = await readUntil(child, (all) => all.filter(({ flags }) => flags === 1).length >= 3)
  const keyframe = frames.filter(({ flags }) => flags === 1)[1]!
  expect(keyframe.rows[0]![0]).toBe(KINDS.clock.number)
  const births = fieldsOf([keyframe], 'memcg_birth')
  expect(births.map(([, , path, by]) => [path, by])).toEqual([['/', 'keyframe'], ['/pod', 'keyframe']])
  const id = births[1]![0]
  expect(births[1]![1]).toBe(births[0]![0])
  expect(fieldsOf([keyframe], 'memcg_usage')).toEqual([[id, 4096, null, null, null, null, null, null, null, null]])
  expect(fieldsOf([keyframe], 'memcg_limits')).toContainEqual([id, null, null, null, 1048576, null, null])
  expect(fieldsOf([keyframe], 'counter')).toEqual([[COUNTERS.indexOf('kswapd_wake_count'), 0, 3]])
  expect(rowsOf([keyframe], 'node_memory')).toHaveLength(1)
})

test('with --numa each memcg is told node by node, again in every keyframe; where one node has all memory it says so and leaves the file closed', async () => {
  const group = join(directory, 'pod'), tree = ['--lines', '-', '--no-kmsg', '--no-psi', '--memcg-root', directory, '--memcg-version', 'v2', '--keyframe-ms', '200']
  mkdirSync(group)
  writeFileSync(join(group, 'memory.current'), '4096\n')
  writeFileSync(join(group, 'memory.stat'), 'anon 4096\n')
  for (const place of [directory, group]) writeFileSync(join(place, 'memory.numa_stat'), 'anon N0=4096 N1=8192\nfile N0=0 N1=512\n')
  const keyframesOf = (frames: readonly Frame[]): Frame[] => frames.filter(({ flags }) => flags === 1), isEnough = (frames: readonly Frame[]): boolean => keyframesOf(frames).length >= 2
  const frames = await readUntil(start([...tree, '--numa']), isEnough), id = fieldsOf(frames, 'memcg_birth').find(([, , path]) => path === '/pod')![0]
  const rows = [[id, 0, expect.any(Number), 4096, 0, null, null, null, null, null, null], [id, 1, expect.any(Number), 8192, 512, null, null, null, null, null, null]]
  for (const told of [frames.filter(({ flags }) => flags !== 1), [keyframesOf(frames)[1]!]]) expect(fieldsOf(told, 'memcg_numa').filter(([memcgId]) => memcgId === id)).toEqual(rows)
  expect(rowsOf(await readUntil(start(tree), isEnough), 'memcg_numa')).toEqual([])
  writeFileSync(join(directory, 'memory.numa_stat'), 'anon N0=4096\n')
  const alone = await readUntil(start([...tree, '--numa']), isEnough)
  expect(rowsOf(alone, 'memcg_numa')).toEqual([])
  expect(fieldsOf(alone, 'notice')).toContainEqual(['bridge', expect.stringContaining('only one NUMA node has memory')])
})

test('every zone that manages pages is told with its watermarks and free blocks, at the start and in each keyframe', async () => {
  const child = start(['--lines', '-', '--no-kmsg', '--no-psi', '--no-memcg', '--keyframe-ms', '200'])
  const frames = await readUntil(child, (all) => all.filter(({ flags }) => (flags & 1) === 1).length >= 2)
  const managed = [...readFileSync('/proc/zoneinfo', 'latin1').matchAll(/^Node (\d+), zone +(\S+)$[^]*?^ +managed +(\d+)$/gm)].map(([, node, name, pages]) => [Number(node), name, Number(pages)] as const).filter(([, , pages]) => pages > 0)
  const keyframe = frames.filter(({ flags }) => flags === 1)[0]!
  for (const told of [frames, [keyframe]]) {
    const zones = fieldsOf(told, 'node_zone').slice(0, managed.length)
    expect(zones.map(([node, name, , , , , pages]) => [node, name, pages])).toEqual(managed)
    for (const [, , , min, low, high, pages] of zones as number[][]) expect([min! <= low!, low! <= high!, high! <= pages!]).toEqual([true, true, true])
    expect(fieldsOf(told, 'node_buddy').slice(0, managed.length).map(([node, name, blocks]) => [node, name, (blocks as number[]).length >= 11])).toEqual(managed.map(([node, name]) => [node, name, true]))
  }
})

test('a process of a memcg is told as /proc counts it, with its command line, runtime and memory settings, and with its end', async () => {
  const group = join(directory, 'pod'), program = ['--max-old-space-size=200', '-e', 'setInterval(() => {}, 1e6); console.log()', 'x', '--token=hunter2']
  const victim = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'], env: { NODE_OPTIONS: '--max-semi-space-size=8 --no-warnings', GOGC: '70', SECRET: 'hunter3' } }), pid = victim.pid!
  children.push(victim as unknown as ChildProcessWithoutNullStreams)
  await once(victim.stdout, 'data')
  mkdirSync(group)
  writeFileSync(join(group, 'memory.current'), '4096\n')
  writeFileSync(join(group, 'cgroup.procs'), `${pid}\n`)
  const child = start(['--lines', '-', '--no-kmsg', '--no-psi', '--memcg-root', directory, '--memcg-version', 'v2', '--sample-ms', '10', '--keyframe-ms', '300'])
  const frames = await readUntil(child, (all) => all.filter(({ flags }) => flags === 1).length >= 2 && rowsOf(all, 'process_command').length > 0)
  const memcgId = fieldsOf(frames, 'memcg_birth').find(([, , path]) => path === '/pod')![0], status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const kib = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)![1])
  expect(fieldsOf(frames, 'process')[0]).toEqual([pid, expect.any(Number), memcgId, process.pid, process.getuid!(), expect.any(Number), expect.any(String)])
  expect(fieldsOf(frames, 'process_command')[0]).toEqual([pid, expect.any(Number), expect.stringContaining('--max-old-space-size=200 -e setInterval'), 'node', 'node', '--max-semi-space-size=8\nGOGC=70\n--max-old-space-size=200', true])
  expect(JSON.stringify(frames)).not.toMatch(/hunter/)
  const [, , anon, file] = fieldsOf(frames, 'process_memory').at(-1) as number[]
  expect(Math.abs(anon! / 1024 - kib('RssAnon'))).toBeLessThan(0.2 * kib('RssAnon'))
  expect(Math.abs(file! / 1024 - kib('RssFile'))).toBeLessThan(0.2 * kib('RssFile'))
  const keyframe = frames.filter(({ flags }) => flags === 1).at(-1)!
  expect((['process', 'process_command', 'process_memory'] as const).map((kind) => fieldsOf([keyframe], kind)[0]?.[0])).toEqual([pid, pid, pid])
  child.stdin.write(`{"type": "value", "data": [40,5,${pid},"x",${String(memcgId)},9,100]}\n`)
  const rest = await readUntil(child, (all) => rowsOf(all, 'process_end').length > 0)
  expect(fieldsOf(rest, 'process_end')[0]![0]).toBe(pid)
})

test('a change of usage, a birth and a death are told while it runs', async () => {
  const child = start(['--lines', '-', '--no-kmsg', '--no-psi', '--memcg-root', directory, '--memcg-version', 'v2', '--sample-ms', '20'])
  await readUntil(child, (frames) => rowsOf(frames, 'cost').length > 0)
  const group = join(directory, 'a b')
  mkdirSync(group)
  writeFileSync(join(group, 'memory.current'), '11\n')
  const born = await readUntil(child, (frames) => rowsOf(frames, 'memcg_birth').length > 0 && rowsOf(frames, 'memcg_usage').length > 0)
  const [id, , path, by] = fieldsOf(born, 'memcg_birth')[0]!
  expect([path, by]).toEqual(['/a b', 'inotify'])
  rmSync(group, { recursive: true })
  const died = await readUntil(child, (frames) => rowsOf(frames, 'memcg_death').length > 0)
  expect(fieldsOf(died, 'memcg_death')).toEqual([[id, '/a b', 'inotify']])
})

test('once a second it says whom it looks at how often, and what of its budget that takes', async () => {
  for (const name of ['a', 'a/b', 'c']) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'memory.current'), '4096\n')
  }
  const child = start(['--lines', '-', '--no-kmsg', '--no-psi', '--memcg-root', directory, '--memcg-version', 'v2', '--sample-ms', '20', '--budget-centi', '10000'])
  const frames = await readUntil(child, (all) => rowsOf(all, 'sampling').length >= 3), [budget, used, pressure, quiet, active, quick, slowNs, activeNs, quickNs, slow, fast, urgent] = fieldsOf(frames, 'sampling')[2] as number[]
  expect([budget, pressure, slowNs, activeNs, quickNs]).toEqual([10_000, 100, 1e9, 20e6, 5e6])
  // The root has no usage; of those at the top the one with others below is a sentry.
  expect([quiet, active, quick]).toEqual([3, 1, 0])
  expect(used).toBeLessThan(10_000)
  expect(slow).toBeGreaterThanOrEqual(4)
  expect(fast).toBeGreaterThan(slow as number)
  expect(urgent).toBe(0)
})

test('bpftrace is started with the bridge’s pid, the threshold and larger buffers; its end is told with its last words', async () => {
  const fake = join(directory, 'bpftrace')
  writeFileSync(fake, `#!/bin/sh\necho "WARNING: args $*" >&2\nprintf 'WARNING: ' >&2\nenv | grep '^BPFTRACE_' | sort | tr '\\n' ' ' >&2\necho >&2\necho '{"type": "value", "data": [0,5]}'\necho '${line(36, 1, 2, 3)}'\nprintf 'bad \\033[31mthing\\n' >&2\nexit 3\n`)
  chmodSync(fake, 0o755)
  const child = start([...QUIET, '--bpftrace', fake, '--script', 'probes.bt', '--stall-ns', '77'], { BPFTRACE_STRLEN: '150' })
  const frames = await readUntil(child, (all) => rowsOf(all, 'tracer').length >= 3)
  const notices = fieldsOf(frames, 'notice').filter(([from]) => from === 'bpftrace').map(([, text]) => text)
  expect(notices).toEqual([`WARNING: args -f json -B line probes.bt ${child.pid} 77`,
    'WARNING: BPFTRACE_MAP_KEYS_MAX=16384 BPFTRACE_MAX_MAP_KEYS=16384 BPFTRACE_MAX_STRLEN=200 BPFTRACE_PERF_RB_PAGES=1024 BPFTRACE_STRLEN=150', 'bad  [31mthing'])
  const states = fieldsOf(frames, 'tracer')
  expect(states.map(([state]) => state)).toEqual(['starting', 'ready', 'exited'])
  expect(states[2]![2]).toMatch(/^exit status 3: .*bad {2}\[31mthing$/)
  expect(fieldsOf(frames, 'oom_group')).toEqual([[2, 3]])
})

test('a bpftrace that worked and ended is started again: that is told, self-tests run anew, counters go on where they were, rows are counted afresh', async () => {
  const fake = join(directory, 'bpftrace'), lines = ['{"type": "value", "data": [0,5]}', '{"type": "map", "data": {"@memcg_reclaim_count": {"7": 3}}}', '{"type": "map", "data": {"@rows_printed": 1}}']
  writeFileSync(fake, `#!/bin/sh\nprintf '%s\\n' ${lines.map((text) => `'${text}'`).join(' ')}\nkill -9 $$\n`)
  chmodSync(fake, 0o755)
  const child = start([...QUIET, '--bpftrace', fake, '--script', 'x', '--selftest', 'signal'])
  const frames = await readUntil(child, (all) => rowsOf(all, 'tracer').length >= 6), states = fieldsOf(frames, 'tracer')
  expect(states.map(([state]) => state)).toEqual(['starting', 'ready', 'exited', 'restarted', 'ready', 'exited'])
  expect(states[2]![2]).toBe('killed by signal 9')
  expect(new Set([states[0]![1], states[3]![1]]).size).toBe(2)
  expect(fieldsOf(frames, 'selftest').length).toBeGreaterThanOrEqual(2)
  expect(fieldsOf(frames, 'counter').map(([, key, value]) => [key, value])).toEqual([[7, 3], [7, 6]])
  expect(fieldsOf(frames, 'loss')).toEqual([])
})

test('a script that was cleared away since is there when bpftrace is started again', async () => {
  const fake = join(directory, 'bpftrace'), script = join(directory, 'cleared.bt')
  writeFileSync(script, '{"type": "value", "data": [0,5]}\n')
  // Arguments: -f json -B line SCRIPT PID NS
  writeFileSync(fake, '#!/bin/sh\ncat "$5" && rm -f "$OOMSCOPE_TEST_SCRIPT"\nkill -9 $$\n')
  chmodSync(fake, 0o755)
  const child = start([...QUIET, '--bpftrace', fake, '--script', script], { OOMSCOPE_TEST_SCRIPT: script })
  const frames = await readUntil(child, (all) => rowsOf(all, 'tracer').length >= 6)
  expect(existsSync(script)).toBe(false)
  expect(fieldsOf(frames, 'tracer').map(([state]) => state)).toEqual(['starting', 'ready', 'exited', 'restarted', 'ready', 'exited'])
})

test('a bpftrace that ends before it is ready, or cannot be started, is refused, its self-tests fail, and the bridge goes on', async () => {
  const fake = join(directory, 'bpftrace')
  writeFileSync(fake, '#!/bin/sh\necho "ERROR: no such probe" >&2\nexit 1\n')
  chmodSync(fake, 0o755)
  for (const [path, why] of [[fake, /^exit status 1: ERROR: no such probe$/], [join(directory, 'nothing'), /^exit status 127: .*No such file or directory$/]] as const) {
    const child = start([...QUIET, '--bpftrace', path, '--script', 'x', '--selftest', 'signal,oom'])
    const frames = await readUntil(child, (all) => rowsOf(all, 'selftest').length === 2 && rowsOf(all, 'cost').length >= 2)
    expect(fieldsOf(frames, 'tracer').map(([state]) => state)).toEqual(['starting', 'refused'])
    expect(fieldsOf(frames, 'tracer')[1]![2]).toMatch(why)
    expect(fieldsOf(frames, 'selftest')).toEqual([['signal', false, 'the tracer has ended'], ['oom', false, 'the tracer has ended']])
  }
})

test('SIGTERM ends it with status 0 after what it knew was written', async () => {
  const child = start(['--lines', '-', ...QUIET])
  child.stdin.write(line(0, 1) + '\n')
  const done = collect(child.stdout)
  await once(child.stdout, 'data')
  child.stdin.write(line(36, 1, 2, 3) + '\n', () => child.kill('SIGTERM'))
  const [bytes, [status]] = await Promise.all([done, once(child, 'exit')])
  expect(status).toBe(0)
  expect(rowsOf(framesOf(bytes), 'cost').length).toBeGreaterThanOrEqual(2)
})

test('it ends with status 0 when nobody reads any more', async () => {
  const child = start(QUIET)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [status] = (await once(child, 'exit')) as [number | null]
  expect(status).toBe(0)
})

test('it does not outlive its parent', async () => {
  const file = join(directory, 'out.oom')
  // The shell ends once the bridge has written; the bridge holds descriptor 3, so its end is the end of that pipe.
  const shell = spawn('sh', ['-c', `"$0" ${QUIET.join(' ')} >"$1" & while [ ! -s "$1" ]; do sleep 0.01; done`, BRIDGE, file], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const held = shell.stdio[3] as Readable
  held.resume()
  await Promise.all([once(shell, 'exit'), once(held, 'end')])
})

test('wrong arguments are usage, a missing place is the environment, missing lines are a failure', () => {
  const status = (...args: string[]): number | null => spawnSync(BRIDGE, args).status
  expect(status('--nonsense')).toBe(2)
  expect(status('--sample-ms', '0')).toBe(2)
  expect(status('--budget-centi', '0')).toBe(2)
  expect(status('--budget-centi', '10001')).toBe(2)
  expect(status('--selftest', 'everything')).toBe(2)
  expect(status('--memcg-root', '/tmp')).toBe(2)
  expect(status('--memcg-root', join(directory, 'nowhere'), '--memcg-version', 'v2')).toBe(3)
  expect(status('--lines', join(directory, 'nothing'), ...QUIET)).toBe(1)
})
