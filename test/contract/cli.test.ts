import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Event } from '../../src/event/event.ts'
import { KINDS } from '../../src/event/kinds.ts'
import { encodeFrames } from '../../src/wire/encode.ts'
import { Decoder } from '../../src/wire/decode.ts'
import { encodeFrame, FrameReader } from '../../src/wire/frame.ts'
import { isAlive } from '../helpers/alive.ts'
import { cli, CLI, startCli } from '../helpers/cli.ts'
import type { CliOptions, Ended } from '../helpers/cli.ts'
import { fakeBridge } from '../helpers/fake-live.ts'
import { freshDirectories } from '../helpers/files.ts'
import { Tui } from '../helpers/pty.ts'
import { skip } from '../helpers/skip.ts'
import { sampleOf, START_NS, streamFrames } from '../helpers/stream.ts'

const fresh = freshDirectories()
let directory = ''
beforeEach(() => { directory = fresh() })
const at = (name: string): string => join(directory, name)
const isRoot = process.getuid?.() === 0

const DEMO = fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url))

const shell = (line: string): Promise<Ended> => new Promise((resolve) => {
  execFile('sh', ['-c', line], { env: { ...process.env, NODE: process.execPath, CLI } }, (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), signal: null, stdout, stderr }))
})

/** Exactly two lines on stderr, the second a hint, nothing on stdout, no stack. */
function expectTwoLines(ended: Ended, code: number, first: RegExp): void {
  expect(ended.stderr).toMatch(/^oomscope: [^\n]+\nhint: [^\n]+\n$/)
  expect(ended.stderr.split('\n')[0]).toMatch(first)
  expect(ended.stdout).toBe('')
  expect(ended.code).toBe(code)
}

describe('usage: exit 2', () => {
  test.each<[string[], RegExp]>([
    [['recrod'], /unknown command 'recrod'/], [['kills', '--frobnicate', 'x'], /unknown option '--frobnicate'/], [['record'], /FILE is missing/], [['kills'], /FILE is missing/], [['replay'], /FILE is missing/],
    [['kills', 'a', 'b'], /one argument too many, 'b'/], [['record', '-o', 'x', '--for', 'long'], /--for 'long': not a duration/], [['record', '-o', 'x', '--max-size', '1KiB'], /--max-size '1KiB': too small/],
    [['record', '-o', 'x', '--sample', '1us'], /--sample '1us': out of range/], [['spikes'], /FILE is missing/], [['run', '--limit', '1k', '--', 'true'], /--limit '1k': too small/], [['run', '--swap', '1Gi', '--', 'true'], /--swap without --limit/], [['run', '--fail-over', '110%', '--', 'true'], /'110%': out of range/], [['run', '--fail-over', 'much', '--', 'true'], /neither a share nor a size/],
    [['run', '--cgroup', 'x', '--', 'true'], /unknown option '--cgroup'/], [['run', '--record', 'r.oom', '--no-names', '--cri', 'x', '--', 'true'], /--no-names with --cri/], [['run', '--summary', 'nowhere/s.json', '--', 'true'], /cannot write the summary, nowhere\/s\.json: no such directory/],
    [['replay', 'x', '--speed', 'fast'], /--speed 'fast': not a number/], [['replay', 'x', '--theme', 'pink'], /--theme 'pink'/], [['live', '--tombstones', 'few'], /--tombstones 'few'/], [['recommend', 'x', '--cgroup', '/'], /--cgroup '\/': not a pattern/],
  ])('%j', async (args, first) => {
    expectTwoLines(await cli(args, { cwd: directory }), 2, first)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('what is written nobody takes', () => {
  test.each(['--help', 'doctor --no-names', `kills ${DEMO}`, `kills --json ${DEMO}`, `replay ${DEMO}`])('%s: a full disk is exit 3 and no bug', async (command) => {
    const ended = await shell(`"$NODE" "$CLI" ${command} > /dev/full`)
    expectTwoLines(ended, 3, /cannot write the output: no space left on device/)
  })
  test('a reader that has had enough is no error', async () => {
    expect(await shell(`{ "$NODE" "$CLI" kills --json ${DEMO}; echo "code $?" >&2; } | true`)).toMatchObject({ stdout: '', stderr: 'code 0\n' })
  })
})

describe('a FILE that cannot be read', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['missing', () => undefined, /cannot open .*x: no such file or directory/], ['a directory', (path) => mkdirSync(path), /is a directory/], ['empty', (path) => writeFileSync(path, ''), /is empty/],
    ['no recording', (path) => writeFileSync(path, 'text\n'.repeat(100)), /is not a recording/],
    ['of a newer format', (path) => writeFileSync(path, encodeFrame({ flags: 3, rowCount: 0, tsNs: 1, payload: Buffer.alloc(0), version: 9 })), /recording format 9 is newer/],
  ])('%s: exit 2', async (_, make, first) => {
    make(at('x'))
    expectTwoLines(await cli(['kills', at('x')]), 2, first)
  })
  test('not for us to read: exit 3', async (context) => {
    const path = at('x')
    writeFileSync(path, Buffer.concat(streamFrames({ seconds: 1 })))
    chmodSync(path, 0)
    if (!isRoot) { expectTwoLines(await cli(['kills', path]), 3, /permission denied/); return }
    chmodSync(directory, 0o755)
    const ended = await cli(['kills', path], { uid: 65534 })
    if (/Cannot find module|EACCES.*dist/.test(ended.stderr)) skip(context, 'the checkout is not readable for an unprivileged user')
    expectTwoLines(ended, 3, /permission denied/)
  })
})

describe('an environment that does not allow it: exit 3', () => {
  test.each<[string | undefined, string]>([[undefined, 'TERM is not set'], ['dumb', 'TERM is dumb']])('TERM %s', async (term, why) => {
    writeFileSync(at('r'), Buffer.concat(streamFrames({ seconds: 1 })))
    const terminal = new Tui('/usr/bin/env', term === undefined ? ['-u', 'TERM', process.execPath, CLI, 'replay', at('r')] : [`TERM=${term}`, process.execPath, CLI, 'replay', at('r')], { cols: 200 })
    try {
      expect(await terminal.ended()).toBe(3)
      expect(terminal.text().trimEnd().split('\n')).toEqual([expect.stringContaining(why), expect.stringMatching(/^hint: /)])
    } finally { terminal.kill() }
  })
  test('no bpftrace, and probes required', async () => {
    const ended = await cli(['record', '-o', at('r'), '--require-probes', '--bpftrace', '/nowhere/bpftrace'])
    expectTwoLines(ended, 3, /\/nowhere\/bpftrace is not an executable file/)
    expect(ended.stderr).toContain('--require-probes')
    expect(existsSync(at('r'))).toBe(false)
  })
  test('not root, and probes required', async (context) => {
    const args = ['record', '-o', at('r'), '--require-probes']
    if (!isRoot) { expectTwoLines(await cli(args), 3, /not root/); return }
    chmodSync(directory, 0o777)
    const ended = await cli(args, { uid: 65534 })
    if (/Cannot find module|EACCES.*dist/.test(ended.stderr)) skip(context, 'the checkout is not readable for an unprivileged user')
    expectTwoLines(ended, 3, /not root/)
  })
  test('no bridge', async () => {
    const env = { OOMSCOPE_BRIDGE: '/nowhere/bridge' }
    expectTwoLines(await cli(['record', '-o', at('r'), '--no-probes'], { env }), 3, /cannot start the bridge, \/nowhere\/bridge: no such file/)
    expect(existsSync(at('r'))).toBe(false)
  })
  test('no bridge: --force has not removed the recording that was there', async () => {
    const bytes = Buffer.concat(streamFrames({ seconds: 1 }))
    writeFileSync(at('r'), bytes)
    expectTwoLines(await cli(['record', '-o', at('r'), '--force', '--no-probes'], { env: { OOMSCOPE_BRIDGE: '/nowhere/bridge' } }), 3, /cannot start the bridge/)
    expect(readFileSync(at('r'))).toEqual(bytes)
  })
  test('a device is never recorded to', async () => {
    for (const force of [[], ['--force']]) expectTwoLines(await cli(['record', '-o', '/dev/full', '--no-probes', ...force]), 2, /\/dev\/full: it exists and is not a recording/)
  })
  test('a directory that is not for us to write to', async (context) => {
    chmodSync(directory, 0o555)
    const ended = await cli(['record', '-o', at('r'), '--no-probes'], isRoot ? { uid: 65534 } : {})
    if (/Cannot find module|EACCES.*dist/.test(ended.stderr)) skip(context, 'the checkout is not readable for an unprivileged user')
    expectTwoLines(ended, 3, /cannot record to .*r: permission denied/)
  })
  test('nowhere to write', async () => {
    expectTwoLines(await cli(['record', '-o', '/proc/nowhere/r', '--no-probes']), 2, /cannot record to \/proc\/nowhere\/r: no such file/)
  })
})

describe('help and version', () => {
  test.each([[['--help']], [['-h']], [['record', '--help']], [['doctor', '-h']]])('%j goes to stdout, exit 0', async (args) => {
    const ended = await cli(args)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/usage: oomscope/)
  })
  test('--version is the one of package.json', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: `oomscope ${version}\n` })
  })
})

const tracer = (state: string): Event => ({ kind: 'tracer', tsNs: START_NS, state, pid: 0, detail: undefined })
const stream = (extra: readonly Event[] = []): Buffer[] => [...streamFrames({ seconds: 2 }), ...encodeFrames([tracer('absent'), ...extra])]
const withFake = (runs: Parameters<typeof fakeBridge>[1]): { options: CliOptions; pids: () => number[] } => {
  const bridge = fakeBridge(directory, runs)
  return { options: { env: bridge.env }, pids: () => bridge.starts().map(({ pid }) => pid) }
}

describe('without the probes that are wanted', () => {
  test('record says on its first line why and on what it runs, and every question in the recording says who answers instead', async () => {
    const { options } = withFake([{ frames: stream() }])
    const ended = await cli(['record', '-o', at('r'), '--bpftrace', '/nowhere/bpftrace', '--for', '50ms'], options)
    expect(ended).toMatchObject({ code: 0, stdout: '' })
    expect(ended.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^oomscope: no probes: .*\/nowhere\/bpftrace is not an executable file.*; running on .*(kernel log|cgroup files)/), expect.stringMatching(/^hint: .*install bpftrace/),
      expect.stringMatching(/^recording .* · no probes · /), expect.stringMatching(/^recorded /)])
    const bytes = readFileSync(at('r')), rows = new FrameReader().push(bytes).flatMap((frame) => new Decoder().decode(frame))
    const rungs = rows.flatMap((row) => (row.kind === 'rung' ? [row] : []))
    expect(rungs.map(({ question }) => question)).toContain('oom-decision')
    for (const { state, reason } of rungs) expect([state, reason]).toEqual(['absent', expect.stringMatching(/nowhere\/bpftrace is not an executable file.*; instead: ./)])
    const kills = await cli(['kills', at('r')]), json = await cli(['kills', at('r'), '--json'])
    expect(kills.stdout.replaceAll('\n', ' ')).toMatch(/recorded without probes: .*\/nowhere\/bpftrace is not an executable file.*; kills are told by .*0 kill cases/)
    expect(json).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/^note: recorded without probes: .*; kills are told by /) as string })
    expect(rows.find((row) => row.kind === 'tracer' && row.detail !== undefined)).toMatchObject({ state: 'absent', detail: expect.stringContaining('/nowhere/bpftrace') as string })
  })
  test('a person who is not root gets a recording all the same', async (context) => {
    const { options } = withFake([{ frames: stream() }])
    if (isRoot) { chmodSync(directory, 0o777); writeFileSync(at('starts.jsonl'), ''); chmodSync(at('starts.jsonl'), 0o666) }
    const ended = await cli(['record', '-o', at('r'), '--for', '50ms'], { ...options, ...(isRoot ? { uid: 65534 } : {}) })
    if (/Cannot find module|EACCES.*dist/.test(ended.stderr)) skip(context, 'the checkout is not readable for an unprivileged user')
    expect(ended.stderr).toMatch(/^oomscope: no probes: not root \(uid \d+\)[^\n]*; running on [^\n]*\nhint: run as root[^\n]*\nrecording [^\n]* · no probes · /)
    expect(ended.code).toBe(0)
  })
  test('the screen says it before and while it is up', async () => {
    const { options } = withFake([{ frames: stream() }])
    const terminal = new Tui(process.execPath, [CLI, '--bpftrace', '/nowhere/bpftrace'], { cols: 200, rows: 40, env: options.env ?? {} })
    try {
      await terminal.see('node-a')
      await terminal.see('/nowhere/bpftrace is not an executable')
      terminal.keys('q')
      expect(await terminal.ended()).toBe(0)
      expect(terminal.text()).toMatch(/oomscope: no probes: .*running on/s)
    } finally { terminal.kill() }
  })
})

describe('record', () => {
  test.each([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const)('%s ends it with exit code %i, a readable recording, and nothing left behind', async (signal, code) => {
    const { options, pids } = withFake([{ frames: stream() }])
    const running = startCli(['record', '-o', at('r'), '--no-probes'], { env: { ...options.env, TMPDIR: directory } })
    await running.sees(/^recording .*r · no probes · sampling 3 memcgs · ctrl-C ends$/m)
    running.child.kill(signal)
    const ended = await running.ended
    expect(ended.code).toBe(code)
    expect(ended.stdout).toBe('')
    expect(ended.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(/^recording /), expect.stringMatching(/^recorded .*r · \d+ events · 0 kills · 0 lost · [\d.]+ KiB · /)])
    expect(pids().map(isAlive)).toEqual([false])
    expect(readdirSync(directory).filter((name) => name.startsWith('oomscope-'))).toEqual([])
    expect(readFileSync(at('r')).subarray(0, 4).toString()).toBe('OOMS')
    expect((await cli(['kills', at('r')])).code).toBe(0)
  })
  test('--for ends it with exit code 0', async () => {
    const { options } = withFake([{ frames: stream() }])
    const ended = await cli(['record', '-o', at('r'), '--no-probes', '--for', '50ms'], options)
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^recording .*\nrecorded .*\n$/) as string })
  })
  test('a bridge that dies: what was read is in the file, its last words on stderr, exit 1', async () => {
    const { options } = withFake([{ frames: stream(), stderr: 'out of descriptors\n', then: 4 }])
    const ended = await cli(['record', '-o', at('r'), '--no-probes'], options)
    expect(ended.code).toBe(1)
    expect(ended.stderr).toMatch(/\noomscope: the bridge ended, .*: exit code 4: out of descriptors\nhint: [^\n]+\n$/)
    expect((await cli(['kills', at('r')])).code).toBe(0)
  })
  test('an existing recording is refused before anything is started, and overwritten with --force', async () => {
    const { options, pids } = withFake([{ frames: stream() }])
    writeFileSync(at('r'), Buffer.concat(streamFrames({ seconds: 1 })))
    expectTwoLines(await cli(['record', '-o', at('r'), '--no-probes'], options), 2, /it exists/)
    expect(pids()).toEqual([])
    expect((await cli(['record', '-o', at('r'), '--no-probes', '--force', '--for', '1ms'], options)).code).toBe(0)
  })
  test('a second signal does not wait for a bridge that is stuck, and leaves none behind', async () => {
    const { options, pids } = withFake([{ frames: stream(), ignoreTerm: true }])
    const running = startCli(['record', '-o', at('r'), '--no-probes'], options)
    await running.sees(/^recording /m)
    const started = performance.now()
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM')
    const { code } = await running.ended
    expect([130, 143]).toContain(code)
    // One signal alone waits ten seconds for it (KILL_MS in bridge-process.ts).
    expect(performance.now() - started).toBeLessThan(10_000)
    await expect.poll(() => pids().map(isAlive)).toEqual([false])
  })
})

describe('kills', () => {
  const kill: Event[] = [
    { ...sampleOf('mark_victim'), tsNs: START_NS + 15e8, tid: 77, victimTid: 77, pid: 77, comm: 'greedy', memcgId: 2 } as Event,
    { ...sampleOf('task_exit'), tsNs: START_NS + 16e8, pid: 77, comm: 'greedy', memcgId: 2, exitCode: 9 } as Event,
  ]
  const recording = (): string => { writeFileSync(at('r'), Buffer.concat(streamFrames({ seconds: 5, extra: { 1: kill } }))); return at('r') }

  test('as text and as one JSON object a line', async () => {
    const path = recording(), text = await cli(['kills', path]), json = await cli(['kills', path, '--json'])
    expect(text).toMatchObject({ code: 0, stderr: '' })
    expect(text.stdout).toContain('greedy')
    expect(json).toMatchObject({ code: 0, stderr: '' })
    expect(json.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as object)).toMatchObject([{ time: '2026-11-20T12:00:01.500Z', victims: [{ pid: 77, comm: 'greedy' }] }])
  })
  test('what is damaged is told beside the cases, exit 0', async () => {
    const bytes = readFileSync(recording())
    bytes[bytes.length - 2] = bytes.at(-2)! ^ 1
    writeFileSync(at('r'), bytes)
    const json = await cli(['kills', at('r'), '--json'])
    expect(json.code).toBe(0)
    expect(json.stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(json.stderr).toMatch(/^note: facts may be missing: 1 damaged frame/)
  })
  test('a reader that stops listening is no error', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [i + 1, [{ ...kill[0], tsNs: START_NS + (i + 1) * 1e9, tid: i + 100, victimTid: i + 100, pid: i + 100 } as Event]]))
    writeFileSync(at('r'), Buffer.concat(streamFrames({ seconds: 401, extra: many })))
    const running = startCli(['kills', at('r')])
    running.child.stdout?.destroy()
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
  })
  test('rows of every kind, in any order, end in exit code 0', async () => {
    const all = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((name) => [sampleOf(name), sampleOf(name, false)])
    writeFileSync(at('r'), Buffer.concat([...streamFrames({ seconds: 3, extra: { 2: all } }), ...encodeFrames(all.toReversed())]))
    expect((await cli(['kills', at('r'), '--json'])).code).toBe(0)
  })
})

describe('doctor', () => {
  test('--json is one object with every question, whoever asks', async () => {
    const { code, stdout, stderr } = await cli(['doctor', '--json'])
    expect([code, stderr, stdout.trimEnd().split('\n').length]).toEqual([0, '', 1])
    const report = JSON.parse(stdout) as { questions: { question: string; state: string }[] }
    expect(report.questions.map(({ question }) => question)).toContain('mark-victim')
    for (const { state } of report.questions) expect(['chosen', 'absent', 'refused']).toContain(state)
  })
  test('without bpftrace everything is absent and the text says how to get it', async () => {
    const { code, stdout } = await cli(['doctor', '--bpftrace', '/nowhere/bpftrace'])
    expect(code).toBe(0)
    expect(stdout).not.toMatch(/^chosen/m)
    expect(stdout).toMatch(/to get more .*install bpftrace/)
  })
  test('--self-test where no probe can be had: the findings all the same, the two lines, and exit 3', async () => {
    const { code, stdout, stderr } = await cli(['doctor', '--self-test', '--json', '--bpftrace', '/nowhere/bpftrace'])
    expect(code).toBe(3)
    expect(stderr).toMatch(/^oomscope: cannot test the probes: [^\n]*\/nowhere\/bpftrace is not an executable file[^\n]*\nhint: [^\n]+\n$/)
    expect(JSON.parse(stdout)).toMatchObject({ summary: expect.stringContaining('none of 13') as string, bpftraceReason: expect.stringContaining('/nowhere/bpftrace') as string })
  })
})

describe('the screen', () => {
  test('live over a fake bridge shows the node, and q leaves with exit code 0 and no bridge behind', async () => {
    const { options, pids } = withFake([{ frames: stream() }])
    const terminal = new Tui(process.execPath, [CLI, 'live', '--no-probes'], { cols: 120, rows: 40, env: options.env ?? {} })
    try {
      await terminal.see('node-a')
      terminal.keys('q')
      expect(await terminal.ended()).toBe(0)
      expect(pids().map(isAlive)).toEqual([false])
    } finally { terminal.kill() }
  })
  test.each([['SIGTERM', 143], ['SIGHUP', 129], ['SIGINT', 130]] as const)('live, ended by %s: exit code %i, no bridge behind', async (signal, code) => {
    const { options, pids } = withFake([{ frames: stream() }])
    const terminal = new Tui(process.execPath, [CLI, '--no-probes'], { cols: 120, rows: 40, env: options.env ?? {} })
    try {
      await terminal.see('node-a')
      terminal.signal(signal)
      expect(await terminal.ended()).toBe(code)
      await expect.poll(() => pids().map(isAlive)).toEqual([false])
    } finally { terminal.kill() }
  })
  test('a bridge that dies under the screen: the picture stays, and leaving tells why with exit code 1', async () => {
    const { options } = withFake([{ frames: stream(), stderr: 'out of descriptors\n', then: 4 }])
    const terminal = new Tui(process.execPath, [CLI, '--no-probes'], { cols: 200, rows: 40, env: options.env ?? {} })
    try {
      await terminal.see('node-a')
      await terminal.see('the bridge ended')
      terminal.keys('q')
      expect(await terminal.ended()).toBe(1)
      expect(terminal.text()).toMatch(/oomscope: the bridge ended.*out of descriptors/s)
    } finally { terminal.kill() }
  })
  test('replay --at shows that moment', async () => {
    writeFileSync(at('r'), Buffer.concat(streamFrames({ seconds: 45 })))
    const terminal = new Tui(process.execPath, [CLI, 'replay', at('r'), '--at', '12:00:33', '--speed', '0.01'], { cols: 120, rows: 40 })
    try {
      await terminal.see('REPLAY 12:00:33')
      terminal.keys('q')
      expect(await terminal.ended()).toBe(0)
    } finally { terminal.kill() }
  })
})
