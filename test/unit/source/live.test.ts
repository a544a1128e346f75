import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SourceError, UserError } from '../../../src/base/errors.ts'
import type { Event, EventOf } from '../../../src/event/event.ts'
import { BridgeProcess, bridgePath } from '../../../src/source/bridge-process.ts'
import { LiveSource } from '../../../src/source/live.ts'
import { DEFAULTS } from '../../../src/source/live-options.ts'
import type { Preparation } from '../../../src/source/prepare-probes.ts'
import { chooseProbes } from '../../../src/source/probe-set.ts'
import type { ProbeFeatures } from '../../../src/source/probe-set.ts'
import type { Batch } from '../../../src/source/source.ts'
import { encodeFrames } from '../../../src/wire/encode.ts'
import { FLAG } from '../../../src/wire/frame.ts'
import { isAlive } from '../../helpers/alive.ts'
import { fakeBpftrace, fakeBridge, FAKE_BRIDGE } from '../../helpers/fake-live.ts'
import type { FakeBridge, FakeRun } from '../../helpers/fake-live.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { sampleOf, START_NS, streamFrames } from '../../helpers/stream.ts'
import { kernel72 } from './probe-kernels.ts'

const fresh = freshDirectories()
let directory = ''
beforeEach(() => { directory = fresh(); vi.stubEnv('TMPDIR', directory) })
afterEach(() => { vi.unstubAllEnvs() })

const tracer = (state: string, detail?: string): EventOf<'tracer'> => ({ kind: 'tracer', tsNs: START_NS + 1, state, pid: 7, detail })
const selftest = (name: string, passed = true): EventOf<'selftest'> => ({ kind: 'selftest', tsNs: START_NS + 2, test: name, passed, detail: undefined })
const script = (file: string, question: string, text: string, tests: readonly string[]) => ({ file, question, rung: file.replace('.bt', ''), emits: [], maps: [], needs: [], selftests: tests, text })

const NODE = { memcg: { version: 'v2', path: '/sys/fs/cgroup' }, psi: true, kmsg: true, bridge: '' } as const

/** A node whose scripts are `signal` and `exit`; the second one is refused by the fake bpftrace when `isBad`. */
function preparation(isBad = false): Preparation {
  const features: ProbeFeatures = {
    kernel: kernel72, bpftrace: { path: fakeBpftrace(directory), version: '0.99.0', trial: 'attach', refusals: {} },
    scripts: [script('fatal-signal.bt', 'fatal-signal', 'good', ['signal']), script('task-exit.bt', 'task-exit', isBad ? 'bad' : 'fine', ['exit'])],
  }
  const { rungs, text, selftests } = chooseProbes(features)
  return { features, node: NODE, rungs, text, selftests, bpftrace: join(directory, 'bpftrace') }
}
function live(runs: readonly FakeRun[], prepared = preparation()): { source: LiveSource; bridge: FakeBridge } {
  const bridge = fakeBridge(directory, runs)
  for (const [name, value] of Object.entries(bridge.env)) vi.stubEnv(name, value)
  return { source: new LiveSource({ ...DEFAULTS }, prepared), bridge }
}
/** Reads batches until `enough`; then closes and reads the rest. */
async function read(source: LiveSource, enough: (events: readonly Event[]) => boolean): Promise<{ events: Event[]; batches: Batch[] }> {
  const events: Event[] = [], batches: Batch[] = []
  for await (const batch of source.batches()) {
    batches.push(batch)
    events.push(...batch.items.flatMap((item) => item.events))
    if (enough(events)) void source.close()
  }
  return { events, batches }
}
const rungsIn = (events: readonly Event[]): string[] => events.filter((e) => e.kind === 'rung' && e.state !== 'absent').map((e) => (e.kind === 'rung' ? `${e.question} ${e.state}` : ''))
const ready = [tracer('ready'), selftest('signal'), selftest('exit')]

describe('a bridge that works', () => {
  test('its frames arrive unchanged; rungs are told after the hello and when proven, in frames of their own', async () => {
    const frames = [...streamFrames({ seconds: 3 }), ...encodeFrames(ready)], { source } = live([{ frames }])
    const { events, batches } = await read(source, (seen) => rungsIn(seen).length >= 4)
    const items = batches.flatMap((batch) => batch.items)
    expect(Buffer.concat(items.filter(({ frame }) => frame.flags !== FLAG.names).map(({ frame }) => frame.bytes))).toEqual(Buffer.concat(frames))
    expect(events[0]?.kind).toBe('hello')
    expect(rungsIn(events)).toEqual(['task-exit chosen', 'fatal-signal chosen', 'fatal-signal proven', 'task-exit proven'])
    // So that a reader which starts at a later keyframe finds the tracer's state too.
    expect(items.filter(({ frame }) => frame.flags === FLAG.names).flatMap((item) => item.events).map((e) => e.kind)).toContain('tracer')
    expect(await source.ready).toEqual({ chosen: 2, proven: 2 })
    expect(source.counts()).toEqual({ corruptFrames: 0, corruptBytes: 0, unknownKinds: 0, badRows: 0 })
  })
  test('one that always has more to say than a slow reader takes keeps nobody else waiting', async () => {
    // As much as the pipe holds, again and again: libuv alone would hand over 32 pieces before anything else has its turn.
    const { source } = live([{ frames: streamFrames({ seconds: 200, memcgs: 50 }), loop: true }]), busy = new Int32Array(new SharedArrayBuffer(4))
    let batches = 0, othersTurn: number | undefined
    for await (const { items } of source.batches()) {
      if (items.length > 0) batches += 1
      if (batches === 1) setImmediate(() => { othersTurn = batches })
      // The writer fills the pipe meanwhile.
      Atomics.wait(busy, 0, 0, 5)
      if (batches === 40) break
    }
    expect(othersTurn).toBe(1)
  })
  test('it is told what was chosen; the script is private while it runs and gone afterwards', async () => {
    const { source, bridge } = live([{ frames: [...streamFrames({ seconds: 1 }), ...encodeFrames(ready)] }])
    let mode: number | undefined, holder: number | undefined
    await read(source, () => {
      const [start] = bridge.starts(), path = start?.args[start.args.indexOf('--script') + 1] ?? ''
      mode ??= statSync(path).mode & 0o777
      holder ??= statSync(dirname(path)).mode & 0o777
      return true
    })
    expect([mode, holder]).toEqual([0o600, 0o700])
    expect(bridge.starts()).toMatchObject([{ args: ['--sample-ms', '100', '--budget-centi', '200', '--stall-ns', '10000000', '--bpftrace', join(directory, 'bpftrace'), '--script', expect.any(String), '--selftest', 'exit,signal'], script: expect.stringMatching(/fine\n+good/) as string }])
    expect(readdirSync(directory).filter((name) => name.startsWith('oomscope-'))).toEqual([])
    expect(isAlive(bridge.starts()[0]!.pid)).toBe(false)
  })
  test('bytes that are no frames are counted and passed over', async () => {
    const frames = [...streamFrames({ seconds: 1 }), Buffer.from('not a frame'), ...encodeFrames(ready), ...encodeFrames([sampleOf('signal')])]
    const { source } = live([{ frames }])
    await read(source, (seen) => seen.some((e) => e.kind === 'signal'))
    expect(source.counts()).toMatchObject({ corruptFrames: 1, corruptBytes: 11 })
  })
})

describe('a script that bpftrace refuses', () => {
  test('is found and left out, and the bridge is started again with the others', async () => {
    const refusing = [...streamFrames({ seconds: 1 }), ...encodeFrames([tracer('refused', 'bad is not allowed')])]
    const { source, bridge } = live([{ frames: refusing, loop: true }, { frames: [...streamFrames({ seconds: 1 }), ...encodeFrames([tracer('ready'), selftest('signal')])] }], preparation(true))
    const { events } = await read(source, (seen) => rungsIn(seen).at(-1) === 'fatal-signal proven')
    expect(bridge.starts().map((start) => start.script?.match(/\b(?:bad|good)\b/g))).toEqual([['bad', 'good'], ['good']])
    expect(rungsIn(events).slice(-3)).toEqual(['task-exit refused', 'fatal-signal chosen', 'fatal-signal proven'])
    expect(await source.ready).toEqual({ chosen: 1, proven: 1 })
    expect(bridge.starts().map(({ pid }) => isAlive(pid))).toEqual([false, false])
  })
  test('when nothing is to blame, sampling goes on and the rungs say why there is no more', async () => {
    const { source, bridge } = live([{ frames: [...streamFrames({ seconds: 1 }), ...encodeFrames([tracer('refused', 'no memory')])], loop: true }])
    let isReady = false
    void source.ready.then(() => { isReady = true })
    const { events } = await read(source, () => isReady)
    expect(await source.ready).toMatchObject({ proven: 0 })
    const last = new Map(events.flatMap((e) => (e.kind === 'rung' ? [[e.question, `${e.state} ${e.reason}`]] : [])))
    expect(last.get('fatal-signal')).toBe('dead bpftrace refused: no memory; instead: nothing')
    expect(source.shortage?.message).toBe('no probes: bpftrace refused them: no memory; running on kernel log, cgroup files and pressure (PSI)')
    expect(bridge.starts()).toHaveLength(1)
  })
})

describe('a bridge that fails', () => {
  const failureOf = async (source: LiveSource): Promise<{ error: unknown; events: Event[] }> => {
    const events: Event[] = []
    try { for await (const batch of source.batches()) events.push(...batch.items.flatMap((item) => item.events)) } catch (error) { return { error, events } }
    throw new Error('did not fail')
  }
  test('with its frames read, its exit code and its last words', async () => {
    const { source } = live([{ frames: streamFrames({ seconds: 2 }), stderr: 'first\nno room for \u001b[31mrows\n', then: 3 }])
    const { error, events } = await failureOf(source)
    expect(error).toBeInstanceOf(SourceError)
    expect((error as SourceError).message).toMatch(/^the bridge ended, .*fake-bridge\.mjs, after .*: exit code 3: no room for \?\[31mrows$/)
    expect((error as SourceError).cause).toMatchObject({ exit: { code: 3 }, stderr: ['first', 'no room for ?[31mrows'] })
    expect(events.some((e) => e.kind === 'memcg_usage')).toBe(true)
  })
  test('killed: the hint thinks of the OOM killer', async () => {
    const { error } = await failureOf(live([{ frames: streamFrames({ seconds: 1 }), then: 'SIGKILL' }]).source)
    expect(error).toMatchObject({ message: expect.stringContaining('killed by SIGKILL') as string, hint: expect.stringContaining('OOM-killed') as string })
  })
  test('by ending without being asked, even with status 0', async () => {
    expect((await failureOf(live([{ frames: streamFrames({ seconds: 1 }), then: 0 }]).source)).error).toMatchObject({ message: expect.stringContaining('exit code 0') as string })
  })
  test('in the middle of a frame: the part is counted', async () => {
    const { source } = live([{ frames: [Buffer.concat(streamFrames({ seconds: 2 })).subarray(0, -5)], then: 1 }])
    await failureOf(source)
    expect(source.counts()).toMatchObject({ corruptFrames: 1 })
  })
  test('by not being there: exit 3 and what to do', async () => {
    const { source } = live([])
    vi.stubEnv('OOMSCOPE_BRIDGE', '/nowhere/bridge')
    const { error } = await failureOf(source)
    expect(error).toBeInstanceOf(UserError)
    expect(error).toMatchObject({ code: 'bridge-start', exitCode: 3, message: 'cannot start the bridge, /nowhere/bridge: no such file or directory', hint: expect.stringContaining('make build') as string })
  })
})

describe('ending', () => {
  test('a bridge deaf to SIGTERM is killed', { timeout: 15_000 }, async () => {
    const { source, bridge } = live([{ frames: streamFrames({ seconds: 1 }), ignoreTerm: true }])
    await read(source, () => true)
    expect(isAlive(bridge.starts()[0]!.pid)).toBe(false)
  })
  test('a reader that walks away ends the bridge', async () => {
    const { source, bridge } = live([{ frames: streamFrames({ seconds: 1 }), loop: true }])
    for await (const batch of source.batches()) { void batch; break }
    expect(isAlive(bridge.starts()[0]!.pid)).toBe(false)
  })
  test('stopping twice, or after the end, does nothing more', async () => {
    const bridge = new BridgeProcess('/bin/true', [])
    await bridge.exited
    await bridge.stop()
    await bridge.stop()
    expect(bridge.lastLines).toEqual([])
  })
})

test('the bridge is the one of OOMSCOPE_BRIDGE, else the one that was built', () => {
  expect(bridgePath({ OOMSCOPE_BRIDGE: FAKE_BRIDGE })).toBe(FAKE_BRIDGE)
  expect(bridgePath({ OOMSCOPE_BRIDGE: '' })).toMatch(/native\/oomscope-bridge$/)
  expect(existsSync(FAKE_BRIDGE)).toBe(true)
})
