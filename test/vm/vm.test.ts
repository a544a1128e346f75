/** Is it true on real kernels? Each guest causes every kind of death while it is recorded; here the recording is compared with the kernel's own word. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { expectNoKills, expectSound, expectStrokes, expectTold } from '../helpers/lab/judge.ts'
import type { ParityTruth } from '../helpers/lab/parity.ts'
import { expectParity } from '../helpers/lab/parity-judge.ts'
import { explained, killsOf, type CaseJson, type KillsOutput, type RecorderEnd, type SignalCaseJson } from '../helpers/lab/recorder.ts'
import { rowsOf, type Rows } from '../helpers/lab/recording-rows.ts'
import { FORGED_PID } from '../helpers/lab/scenarios-hostile.ts'
import { EVICTED, FAILED_PROBE, KUBELET_LOG } from '../helpers/lab/scenarios-signals.ts'
import { scenariosAt } from '../helpers/lab/scenarios.ts'
import { storyOf, toldInLog } from '../helpers/lab/log-story.ts'
import type { Truth } from '../helpers/lab/truth.ts'
import { CLI } from '../helpers/cli.ts'
import { forget, GUESTS, resultOf, runGuest, type NotRun, type Ran } from './guests.ts'

describe.each(GUESTS)('kernel $kernel with bpftrace $bpftrace', (guest) => {
  let ran: Ran | NotRun | undefined, cases: readonly CaseJson[] = [], signalCases: readonly SignalCaseJson[] = [], rows: Rows

  beforeAll(async () => {
    ran = await runGuest(guest)
    if ('skipped' in ran || !ran.results.has('kills')) return
    const file = join(ran.share, 'recording.oom')
    const told = await killsOf(CLI, file)
    cases = told.cases
    signalCases = told.signalCases
    rows = await rowsOf(file)
  })
  afterAll(() => forget(ran))

  const result = <T>(context: TestContext, about: string): T => resultOf<T>(context, ran, about)

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
    test('deaths by signals and rounds without a kill are told as they were', (context) => {
      expectStrokes(truthOf(context, name), signalCases)
      expectNoKills(truthOf(context, name), cases)
    })
  })

  test('no case is about anything the lab did not cause', (context) => {
    const kills = scenariosAt('guest').flatMap(({ name }) => truthOf(context, name).kills)
    expect(cases.filter((said) => said.victims.length > 0).map((said) => said.victims[0]?.pid).toSorted()).toEqual(kills.map((kill) => kill.victims[0]?.pid).toSorted())
    const strokes = scenariosAt('guest').flatMap(({ name }) => truthOf(context, name).strokes)
    expect(signalCases.map(({ victims }) => victims[0]?.pid).toSorted()).toEqual(strokes.map(({ victims }) => victims[0]?.pid).toSorted())
    for (const said of cases.filter(({ victims }) => victims.length === 0)) expect(said.cause, said.sentence).toBe('invoked-no-kill')
    expect(JSON.stringify(cases)).not.toContain(String(FORGED_PID))
  })

  test('the recording says the same on this machine as in the guest, and nothing was lost', (context) => {
    const inside = result<KillsOutput>(context, 'kills'), recorder = result<RecorderEnd>(context, 'recorder')
    expect(recorder.code, recorder.stderr).toBe(130)
    expect(inside.stderr).toBe('')
    expect({ cases, signalCases }).toEqual({ cases: inside.cases, signalCases: inside.signalCases })
  })

  test('the sender of a SIGKILL is named', (context) => {
    const { readings } = readingsOf(context, 'SIGKILL by another process')
    const signals = rows.of('signal').filter((row) => row.signo === 9 && row.targetTid === readings['targetPid'])
    expect(signals.map(({ senderPid, senderComm, targetComm, code }) => ({ senderPid, senderComm, targetComm, code }))).toEqual([{ senderPid: readings['killerPid'], senderComm: 'killer', targetComm: 'innocent', code: 0 }])
  })

  test('who goes with the first process of a PID namespace is counted, and nobody else', (context) => {
    const [kill] = truthOf(context, 'first process of a PID namespace').kills, withCompany = cases.filter(({ evidence }) => evidence.some(({ fact }) => /^the kernel ended \d+ more/.test(fact)))
    expect(withCompany.map(({ victims }) => victims[0]?.pid)).toEqual([kill?.victims[0]?.pid])
    expect(withCompany[0]?.evidence.map(({ fact }) => fact)).toContainEqual(expect.stringMatching(/^the kernel ended 5 more processes with app /))
  })

  test('with the kubelet\'s log an eviction and a failed probe are told from any other stop', async (context) => {
    const stops = new Map([EVICTED, FAILED_PROBE].map((name) => [truthOf(context, name).strokes[0]?.victims[0]?.pid, name])), { share } = ran as Ran
    const told = await killsOf(CLI, join(share, 'recording.oom'), join(share, KUBELET_LOG)), said = told.signalCases.filter(({ victims }) => stops.has(victims[0]?.pid))
    expect(said.map(({ victims, cause, confidence }) => ({ scenario: stops.get(victims[0]?.pid), cause, confidence }))).toEqual([{ scenario: EVICTED, cause: 'eviction', confidence: 'certain' }, { scenario: FAILED_PROBE, cause: 'runtime-stop', confidence: 'certain' }])
    expect(said[1]?.sentence).toContain('the liveness probe failed')
    expect(told.cases).toEqual(cases)
    expect(told.signalCases.filter((one) => !said.includes(one))).toEqual(signalCases.filter(({ victims }) => !stops.has(victims[0]?.pid)))
  })

  test('explain finds the same kills in the kernel log alone', async (context) => {
    const kills = scenariosAt('guest').flatMap(({ name }) => truthOf(context, name).kills), { share } = ran as Ran, stories = kills.map(storyOf)
    expect((await explained(CLI, join(share, 'kernel.log'))).map((said, i) => toldInLog(said, stories[i]))).toEqual(stories)
  })

  test('waiting for memory.high is counted for the group that waits', (context) => {
    const { id, readings } = readingsOf(context, 'memory.high throttling without a kill')
    const counted = rows.counter('over_high_count', id)
    expect(counted).toBeGreaterThan(0)
    expect(counted).toBeLessThanOrEqual(readings['high'] ?? 0)
  })

  test('what is sampled of a memcg at rest is what its files say, and counters of a busy one lie between two readings of them', (context) => {
    const { truth, error } = result<{ truth?: ParityTruth; error?: string }>(context, 'parity')
    if (truth === undefined) throw new Error(`nothing could be read in the guest: ${error}`)
    const { equal, bracketed } = expectParity(truth, rows)
    process.stdout.write(`parity on ${guest.kernel}: ${equal.size} numbers equal at rest; ${bracketed.size} counters bracketed, ${[...bracketed.values()].reduce((sum, count) => sum + count, 0)} times\n`)
    expect(equal.size).toBeGreaterThan(30)
    // The guest has two NUMA nodes, and its recorder was asked.
    expect([...equal.keys()]).toEqual(expect.arrayContaining(['memcg_numa.anonBytes on node 0', 'memcg_numa.anonBytes on node 1']))
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
