/** Whoever of recorder, bridge and bpftrace is killed in the middle: what was recorded can be read, it is said, and nothing stays behind. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { isAlive } from '../helpers/alive.ts'
import { CLI } from '../helpers/cli.ts'
import { expectSound } from '../helpers/lab/judge.ts'
import type { Scenario } from '../helpers/lab/lab.ts'
import { killsOf, Recorder, type KillsOutput } from '../helpers/lab/recorder.ts'
import { rowsOf, type Rows } from '../helpers/lab/recording-rows.ts'
import { LIMIT_SCENARIOS } from '../helpers/lab/scenarios-limits.ts'
import { inLab, type OpenLab } from './host-lab.ts'

/** Asks again until it is so; the test's own time limit ends what never becomes so. */
async function until<T>(ask: () => Promise<T> | T, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    await pause(50)
  }
}

type Recorded = { readonly recorder: Recorder; readonly pids: Record<string, number>; readonly isTold: (output: KillsOutput) => boolean }

/** A recorder that has a real kill in its file already, and who works for it. */
async function withKill({ lab, directory }: OpenLab, run: (recorded: Recorded) => Promise<void>): Promise<void> {
  const recorder = new Recorder(CLI, join(directory, 'recording.oom'))
  try {
    await recorder.ready()
    const [scenario] = LIMIT_SCENARIOS as [Scenario], truth = await lab.perform(scenario), victim = truth.kills[0]?.victims[0]?.pid
    expectSound(truth)
    const isTold = (output: KillsOutput): boolean => output.cases.some((said) => said.victims.some(({ pid }) => pid === victim))
    await until(() => killsOf(CLI, recorder.file), isTold)
    // A self-test's process may still be there.
    const family = await until(() => recorder.family(), (now) => now.map(({ comm }) => comm).toSorted().join() === 'bpftrace,oomscope-bridge,oomscope-procs')
    const pids: Record<string, number> = Object.fromEntries(family.map(({ pid, comm }) => [comm, pid]))
    await run({ recorder, pids, isTold })
    expect(isTold(await killsOf(CLI, recorder.file))).toBe(true)
    await until(() => Object.values(pids).filter(isAlive), (running) => running.length === 0)
  } finally {
    await recorder.end('SIGKILL')
  }
}

const kill = (pid: number | undefined): boolean => process.kill(pid ?? Number.NaN, 'SIGKILL')

test('after kill -9 of the recorder the kills are in the file, and bridge and bpftrace end', (context) => inLab(context, (host) => withKill(host, async ({ recorder }) => {
  expect((await recorder.end('SIGKILL')).signal).toBe('SIGKILL')
})))

test('after kill -9 of the bridge the recorder says so, ends with exit code 1, and bpftrace ends', (context) => inLab(context, (host) => withKill(host, async ({ recorder, pids }) => {
  kill(pids['oomscope-bridge'])
  const { code, stderr } = await recorder.ended
  expect({ code, error: /^oomscope: .*$/m.exec(stderr)?.[0], hasHint: /^hint: /m.test(stderr) }).toEqual({ code: 1, error: expect.stringMatching(/the bridge ended.*killed by SIGKILL$/), hasHint: true })
})))

/** The last that is said of each question since then. */
const statesIn = (rows: Rows, sinceNs = 0): Map<string, string> => new Map(rows.of('rung').filter(({ tsNs }) => tsNs >= sinceNs).map(({ question, state }) => [question, state]))

const isOver = (state: string): boolean => state === 'absent' || state === 'refused'

test('after kill -9 of bpftrace its rungs are dead and sampling goes on; it is started again, which is told, and the next kill has all its witnesses', (context) => inLab(context, (host) => withKill(host, async ({ recorder, pids }) => {
  // The kernel's log may have told of the kill before the probe did.
  const chosen = statesIn(await until(() => rowsOf(recorder.file), (now) => statesIn(now).get('mark-victim') === 'proven'))
  kill(pids['bpftrace'])
  // Each result is in the file twice, as the bridge said it and as readers that start later find it; the last self-test answers after the restart, on a busy machine that it saw nothing in time.
  await until(() => rowsOf(recorder.file), (now) => now.of('selftest').filter(({ test: of }) => of === 'memcg_reclaim').length >= 4)
  const truth = await host.lab.perform(LIMIT_SCENARIOS[0] as Scenario), victim = truth.kills[0]?.victims[0]?.pid
  // By its self-test, or else by this death.
  const rows = await until(() => rowsOf(recorder.file), (now) => statesIn(now, now.of('tracer').find(({ state }) => state === 'exited')?.tsNs).get('fatal-signal') === 'proven')
  const exit = rows.of('tracer').find(({ state }) => state === 'exited'), later = rows.of('rung').filter(({ tsNs }) => tsNs >= (exit?.tsNs ?? Number.NaN))
  expect(exit).toMatchObject({ pid: pids['bpftrace'], detail: expect.stringContaining('killed by signal 9') })
  expect(new Set(later.filter(({ state }) => state === 'dead').map(({ question }) => question))).toEqual(new Set([...chosen].flatMap(([question, state]) => (isOver(state) ? [] : [question]))))
  const restart = rows.of('tracer').find(({ state }) => state === 'restarted')
  expect(rows.of('node_memory').some(({ tsNs }) => tsNs > (exit?.tsNs ?? Number.NaN) && tsNs < (restart?.tsNs ?? Number.NaN))).toBe(true)
  pids['bpftrace again'] = restart?.pid ?? Number.NaN
  const { code, stderr } = await recorder.end()
  expect(code).toBe(130)
  expect(stderr.split('\n').filter((line) => line.startsWith('note: bpftrace'))).toEqual([expect.stringMatching(/^note: bpftrace ended \(.*killed by signal 9.*\)/), 'note: bpftrace is started again', 'note: bpftrace is attached again'])
  const told = (await killsOf(CLI, recorder.file)).cases.filter((said) => said.victims.some(({ pid }) => pid === victim))
  expect(told.map(({ witnesses }) => witnesses)).toEqual([expect.arrayContaining(['probe', 'kmsg', 'memory.events'])])
})))
