/** Is it true on real kernels? Each guest causes every kind of death while it is recorded; here the recording is compared with the kernel's own word. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { expectSound, expectTold } from '../helpers/lab/judge.ts'
import { explained, killsOf, type CaseJson, type KillsOutput, type RecorderEnd } from '../helpers/lab/recorder.ts'
import { rowsOf, type Rows } from '../helpers/lab/recording-rows.ts'
import { FORGED_PID } from '../helpers/lab/scenarios-hostile.ts'
import { scenariosAt } from '../helpers/lab/scenarios.ts'
import { storyOf, toldInLog } from '../helpers/lab/log-story.ts'
import type { Truth } from '../helpers/lab/truth.ts'
import { CLI } from '../helpers/cli.ts'
import { skip } from '../helpers/skip.ts'
import { forget, GUESTS, runGuest, type NotRun, type Ran } from './guests.ts'

describe.each(GUESTS)('kernel $kernel with bpftrace $bpftrace', (guest) => {
  let ran: Ran | NotRun | undefined, cases: readonly CaseJson[] = [], rows: Rows

  beforeAll(async () => {
    ran = await runGuest(guest)
    if ('skipped' in ran || !ran.results.has('kills')) return
    const file = join(ran.share, 'recording.oom')
    cases = (await killsOf(CLI, file)).cases
    rows = await rowsOf(file)
  })
  afterAll(() => forget(ran))

  /** A result of the guest; one that is missing is a failure and shows the guest's last words. */
  function result<T>(context: TestContext, about: string): T {
    if (ran === undefined) throw new Error('the guest was not run')
    if ('skipped' in ran) return skip(context, ran.skipped)
    if (!ran.results.has(about)) throw new Error(`the guest told nothing about "${about}"; its last words:\n${ran.console}`)
    return ran.results.get(about) as T
  }
  function truthOf(context: TestContext, scenario: string): Truth {
    const { truth, error } = result<{ truth?: Truth; error?: string }>(context, scenario)
    if (truth === undefined) throw new Error(`the scenario failed in the guest: ${error}`)
    result(context, 'kills')
    return truth
  }
  const readingsOf = (context: TestContext, scenario: string, role = 'container'): { id: number; readings: Truth['readings'] } => {
    const truth = truthOf(context, scenario)
    return { id: truth.memcgs[role]?.memcgId ?? 0, readings: truth.readings }
  }

  test('the guest runs the kernel that was asked for', (context) => {
    expect(result<{ kernel: string }>(context, 'ready').kernel.startsWith(`${guest.kernel}.`)).toBe(true)
  })

  describe.each(scenariosAt('guest'))('$name', ({ name }) => {
    test('the kernel did what the lab meant', (context) => expectSound(truthOf(context, name)))
    test('it is told as it was', (context) => expectTold(truthOf(context, name), cases, { candidatesFrom: 'oom_badness' }))
  })

  test('no case is about anything the lab did not cause', (context) => {
    const kills = scenariosAt('guest').flatMap(({ name }) => truthOf(context, name).kills)
    expect(cases.filter((said) => said.victims.length > 0).map((said) => said.victims[0]?.pid).toSorted()).toEqual(kills.map((kill) => kill.victims[0]?.pid).toSorted())
    for (const said of cases.filter(({ victims }) => victims.length === 0)) expect(said.cause, said.sentence).toBe('invoked-no-kill')
    expect(JSON.stringify(cases)).not.toContain(String(FORGED_PID))
  })

  test('the recording says the same on this machine as in the guest, and nothing was lost', (context) => {
    const inside = result<KillsOutput>(context, 'kills'), recorder = result<RecorderEnd>(context, 'recorder')
    expect(recorder.code, recorder.stderr).toBe(130)
    expect(inside.stderr).toBe('')
    expect(cases).toEqual(inside.cases)
  })

  test('the sender of a SIGKILL is named', (context) => {
    const { readings } = readingsOf(context, 'SIGKILL by another process')
    const signals = rows.of('signal').filter((row) => row.signo === 9 && row.targetTid === readings['targetPid'])
    expect(signals.map(({ senderPid, senderComm, targetComm, code }) => ({ senderPid, senderComm, targetComm, code }))).toEqual([{ senderPid: readings['killerPid'], senderComm: 'killer', targetComm: 'innocent', code: 0 }])
  })

  test('the SIGKILL of the killer is the only case about a signal, with its sender', (context) => {
    const { readings } = readingsOf(context, 'SIGKILL by another process'), { signalCases } = result<KillsOutput>(context, 'kills')
    expect(signalCases.map(({ cause, confidence, victims, signal }) => ({ cause, confidence, dead: victims.map(({ pid, comm }) => ({ pid, comm })), signal: signal.signal, sender: { pid: signal.sender.pid, comm: signal.sender.comm } }))).toEqual([
      { cause: 'signal', confidence: 'certain', dead: [{ pid: readings['targetPid'], comm: 'innocent' }], signal: 'SIGKILL', sender: { pid: readings['killerPid'], comm: 'killer' } },
    ])
  })

  test('explain finds the same kills in the kernel log alone', async (context) => {
    const kills = scenariosAt('guest').flatMap(({ name }) => truthOf(context, name).kills), { share } = ran as Ran
    expect((await explained(CLI, join(share, 'kernel.log'))).map(toldInLog)).toEqual(kills.map(storyOf))
  })

  test('waiting for memory.high is counted for the group that waits', (context) => {
    const { id, readings } = readingsOf(context, 'memory.high throttling without a kill')
    const counted = rows.counter('over_high_count', id)
    expect(counted).toBeGreaterThan(0)
    expect(counted).toBeLessThanOrEqual(readings['high'] ?? 0)
  })

  test('reclaim at a limit lies between two readings of memory.stat', (context) => {
    const { id, readings } = readingsOf(context, 'page cache reclaimed at a limit')
    const sampled = rows.of('memcg_stat').filter((row) => row.memcgId === id), pages = rows.counter('memcg_reclaim_target_pages', id)
    expect(pages).toBeGreaterThan(0)
    // memory.stat is behind by up to a batch of each CPU (MEMCG_CHARGE_BATCH), as the host level allows too.
    expect(pages).toBeLessThanOrEqual((readings['pgstealAfter'] ?? 0) - (readings['pgstealBefore'] ?? 0) + (readings['lagPages'] ?? 0))
    expect(sampled.length).toBeGreaterThan(0)
    for (const key of ['pgscan', 'pgsteal'] as const) {
      const values = [readings[`${key}Before`] ?? 0, ...sampled.map((row) => row[key] ?? 0), readings[`${key}After`] ?? 0]
      expect(values).toEqual(values.toSorted((a, b) => a - b))
    }
  })
})
