import { describe, expect, test } from 'vitest'
import type { EventOf } from '../../../src/event/event.ts'
import type { Rung } from '../../../src/source/probe-set.ts'
import { COUNTERS } from '../../../src/event/kinds.ts'
import { Readiness, TESTS_PATIENCE_MS, TRACER_PATIENCE_MS } from '../../../src/source/readiness.ts'
import { RungStates } from '../../../src/source/rung-states.ts'
import { birth, sampleOf, START_NS, usage } from '../../helpers/stream.ts'

const RUNGS: readonly Rung[] = [
  { question: 'fatal-signal', rung: 'tracepoint', script: 'fatal-signal.bt', state: 'chosen', selftests: ['signal'] },
  { question: 'memcg-life', rung: 'raw', script: 'memcg-life.bt', state: 'chosen', selftests: ['memcg_birth', 'memcg_death'] },
  { question: 'oom-decision', rung: 'none', state: 'absent', reason: 'the kernel has no kprobes', selftests: [] },
]
const SCRIPTS = [
  { file: 'fatal-signal.bt', emits: [{ number: 41, name: 'signal' }], maps: [] },
  { file: 'memcg-life.bt', emits: [{ number: 10, name: 'memcg_birth' }, { number: 11, name: 'memcg_death' }], maps: [] },
  { file: 'kswapd.bt', emits: [], maps: ['kswapd_wake_count'] },
]
const tracer = (state: string, detail?: string): EventOf<'tracer'> => ({ kind: 'tracer', tsNs: START_NS, state, pid: 7, detail })
const selftest = (test: string, passed: boolean, detail?: string): EventOf<'selftest'> => ({ kind: 'selftest', tsNs: START_NS, test, passed, detail })
const states = (rows: readonly EventOf<'rung'>[]): string[] => rows.map(({ question, state, reason }) => `${question} ${state}${reason === undefined ? '' : `: ${reason}`}`)

describe('rungs', () => {
  test('begin as they were chosen', () => {
    expect(states(new RungStates(RUNGS, SCRIPTS).rows(1))).toEqual(['fatal-signal chosen', 'memcg-life chosen', 'oom-decision absent: the kernel has no kprobes'])
  })
  test('that are not answered by a probe say who answers instead; the others do not', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS, (question) => `ask ${question}`)
    expect(states(rungs.rows(1))).toEqual(['fatal-signal chosen', 'memcg-life chosen', 'oom-decision absent: the kernel has no kprobes; instead: ask oom-decision'])
    expect(states(rungs.note(tracer('exited')))[0]).toBe('fatal-signal dead: bpftrace exited; instead: ask fatal-signal')
  })
  test('are proven when all their self-tests passed, told once', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    expect(states(rungs.note(selftest('signal', true)))).toEqual(['fatal-signal proven'])
    expect(rungs.note(selftest('signal', true))).toEqual([])
    expect(rungs.note(selftest('memcg_birth', true))).toEqual([])
    expect(states(rungs.note(selftest('memcg_death', true)))).toEqual(['memcg-life proven'])
    expect(rungs.count()).toEqual({ chosen: 2, proven: 2 })
  })
  test('a failed self-test makes them dead, with its words', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    expect(states(rungs.note(selftest('signal', false, 'no row in 3 s')))).toEqual(['fatal-signal dead: self-test signal failed: no row in 3 s'])
    expect(rungs.count()).toEqual({ chosen: 2, proven: 0 })
  })
  test('a real event proves as much as a provoked one, also after a failed test', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    rungs.note(selftest('signal', false))
    expect(states(rungs.note(sampleOf('signal')))).toEqual(['fatal-signal proven'])
  })
  test('a birth told by the probe proves it', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    expect(states(rungs.note(birth(1, 5, 'probe')))).toEqual(['memcg-life proven'])
  })
  test('a counter proves its probe when it counts', () => {
    const rungs = new RungStates([{ question: 'kswapd', rung: 'tracepoint', script: 'kswapd.bt', state: 'chosen', selftests: [] }], SCRIPTS)
    const counter = (value: number, name = 'kswapd_wake_count'): EventOf<'counter'> => ({ kind: 'counter', tsNs: START_NS, counter: (COUNTERS as readonly string[]).indexOf(name), key: 0, value })
    expect([...rungs.note(counter(0)), ...rungs.note(counter(9, 'throttled_count')), ...rungs.note({ ...counter(9), counter: 999 })]).toEqual([])
    expect(states(rungs.note(counter(1)))).toEqual(['kswapd proven'])
  })
  test('what the bridge sends on its own proves nothing', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    expect([...rungs.note(birth(1, 5, 'walk')), ...rungs.note(birth(1, 5, 'inotify')), ...rungs.note(usage(1, 5, 5))]).toEqual([])
  })
  test('nobody who was given up counts as chosen; an event of its own, or a tracer that is ready after all, brings it back', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    rungs.note(selftest('signal', true))
    expect(states(rungs.giveUp('bpftrace hangs', 1))).toEqual(['memcg-life dead: bpftrace hangs'])
    expect(states(rungs.note(tracer('ready')))).toEqual(['memcg-life chosen'])
    rungs.giveUp('bpftrace hangs', 1)
    expect(states(rungs.note(birth(1, 5, 'probe')))).toEqual(['memcg-life proven'])
  })
  test('the end of bpftrace ends them all; its return makes them chosen again, to be proven anew', () => {
    const rungs = new RungStates(RUNGS, SCRIPTS)
    rungs.note(selftest('signal', true))
    expect(states(rungs.note(tracer('exited', 'killed by signal 9')))).toEqual(['fatal-signal dead: bpftrace exited: killed by signal 9', 'memcg-life dead: bpftrace exited: killed by signal 9'])
    expect(states(rungs.note(tracer('ready')))).toEqual(['fatal-signal chosen', 'memcg-life chosen'])
    expect(states(rungs.note(sampleOf('signal')))).toEqual(['fatal-signal proven'])
  })
})

describe('ready', () => {
  const count = (): { chosen: number; proven: number } => ({ chosen: 2, proven: 1 })
  /** What `ready` says now, or undefined. */
  const now = async (readiness: Readiness): Promise<unknown> => Promise.race([readiness.promise, Promise.resolve(undefined)])

  test('needs a keyframe, numbers, the tracer and every answer', async () => {
    const readiness = new Readiness(() => 0)
    readiness.begin(['signal', 'exit'])
    for (const step of [() => readiness.sawKeyframe(), () => readiness.note(usage(1, 1, 1)), () => readiness.note(tracer('starting')), () => readiness.note(tracer('ready')), () => readiness.note(selftest('signal', true))]) {
      step()
      readiness.settle(count)
      expect(await now(readiness)).toBeUndefined()
    }
    readiness.note(selftest('exit', false))
    readiness.settle(count)
    expect(await now(readiness)).toEqual({ chosen: 2, proven: 1 })
  })
  test('without a tracer there is nothing to wait for', async () => {
    const readiness = new Readiness(() => 0)
    readiness.begin(['signal'])
    readiness.sawKeyframe()
    readiness.note(sampleOf('node_memory'))
    readiness.note(tracer('absent'))
    readiness.settle(count)
    expect(await now(readiness)).toEqual({ chosen: 2, proven: 1 })
  })
  test('a refused tracer may be followed by another set of scripts', async () => {
    const readiness = new Readiness(() => 0)
    readiness.begin([])
    readiness.sawKeyframe()
    readiness.note(usage(1, 1, 1))
    readiness.note(tracer('refused', 'line 3'))
    readiness.settle(count)
    expect(await now(readiness)).toBeUndefined()
    readiness.giveUpTracer()
    readiness.settle(count)
    expect(await now(readiness)).toBeDefined()
  })
  test('a tracer that attaches slowly is waited for; its self-tests have their time from then on', async () => {
    const clock = { ms: 0 }, readiness = running(clock)
    const at = async (ms: number): Promise<unknown> => { clock.ms = ms; readiness.settle(count); return now(readiness) }
    expect(await at(TRACER_PATIENCE_MS)).toBeUndefined()
    readiness.note(tracer('ready'))
    expect(await at(TRACER_PATIENCE_MS + TESTS_PATIENCE_MS)).toBeUndefined()
    readiness.note(selftest('signal', true))
    expect(await at(TRACER_PATIENCE_MS + TESTS_PATIENCE_MS)).toEqual({ chosen: 2, proven: 1 })
  })
  test('a tracer that hangs does not hide for ever that sampling runs; each word of it is a sign of life', async () => {
    const clock = { ms: 0 }, readiness = running(clock)
    clock.ms = 50_000
    readiness.note(tracer('restarted'))
    clock.ms = 50_000 + TRACER_PATIENCE_MS
    readiness.settle(count)
    expect(await now(readiness)).toBeUndefined()
    clock.ms += 1
    readiness.settle(count)
    expect(await now(readiness)).toEqual({ chosen: 2, proven: 1, overdue: 'tracer' })
  })
  test('a tracer whose lines nobody understands is not called hung; lines lost elsewhere, or none, say nothing about it', async () => {
    const loss = (where: string, count: number): EventOf<'loss'> => ({ kind: 'loss', tsNs: 1, where, count, detail: undefined })
    for (const [event, overdue] of [[loss('line', 3), 'unreadable'], [loss('line', 0), 'tracer'], [loss('ring', 3), 'tracer']] as const) {
      const clock = { ms: 0 }, readiness = running(clock)
      readiness.note(event)
      clock.ms = TRACER_PATIENCE_MS + 1
      expect(readiness.settle(count)).toBe(overdue)
      expect(readiness.settle(count), 'told once').toBeUndefined()
      expect(await now(readiness)).toEqual({ chosen: 2, proven: 1, overdue })
    }
  })
  test('while refused scripts are tried one by one, however long, nobody is called hung', async () => {
    const clock = { ms: 0 }, readiness = running(clock)
    readiness.note(tracer('refused', 'line 3'))
    clock.ms = 10 * TRACER_PATIENCE_MS
    readiness.settle(count)
    expect(await now(readiness)).toBeUndefined()
  })
  test('a self-test that never answers does not either', async () => {
    const clock = { ms: 0 }, readiness = running(clock)
    clock.ms = 60_000
    readiness.note(tracer('ready'))
    clock.ms += TESTS_PATIENCE_MS + 1
    readiness.settle(count)
    expect(await now(readiness)).toEqual({ chosen: 2, proven: 1, overdue: 'self-tests' })
  })
})

/** One that waits for the tracer and the `signal` test only. */
function running(clock: { readonly ms: number }): Readiness {
  const readiness = new Readiness(() => clock.ms)
  readiness.begin(['signal'])
  readiness.sawKeyframe()
  readiness.note(usage(1, 1, 1))
  return readiness
}
