/** One guest, four subjects: 101 spikes in 7 memcgs, compared with what each spiker measured through the kernel's own files; 40 kills at one moment, told by inotify alone; a controller taken away and given back; and `oomscope run` on cgroup v2. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectAllExact, expectHonest, expectSoundSpikes, headline, paired, type Judged } from '../helpers/lab/judge-spikes.ts'
import type { ControllerAway } from '../helpers/lab/controller-away.ts'
import type { RecorderEnd } from '../helpers/lab/recorder.ts'
import type { GuestRuns, Told } from '../helpers/lab/runs.ts'
import { STORM_KILLS, STORM_PODS, type Storm } from '../helpers/lab/kill-storm.ts'
import { SPIKES, type SpikeRun } from '../helpers/lab/spikes.ts'
import { skip } from '../helpers/skip.ts'
import { forget, GUESTS, resultOf, runGuest, type NotRun, type Ran } from './guests.ts'

// The probes have no part in it: one bpftrace is as good as another.
const KERNELS = GUESTS.filter(({ kernel }, i) => GUESTS.findIndex((other) => other.kernel === kernel) === i)

const MIB = 2 ** 20

describe.each(KERNELS)('kernel $kernel', (guest) => {
  let ran: Ran | NotRun | undefined, judged: Judged | undefined

  beforeAll(async () => {
    ran = await runGuest(guest, 'spikes-guest')
    if (!('skipped' in ran) && ran.results.has('end')) judged = await paired(CLI, join(ran.share, 'recording.oom'), ran.results.get('spikes') as SpikeRun)
  })
  afterAll(() => forget(ran))

  function outcome(context: TestContext): { readonly run: SpikeRun; readonly judged: Judged; readonly recorder: RecorderEnd } {
    resultOf(context, ran, 'end')
    return { run: resultOf(context, ran, 'spikes'), judged: judged as Judged, recorder: resultOf(context, ran, 'recorder') }
  }
  const runs = (context: TestContext): GuestRuns => resultOf(context, ran, 'runs')

  test('the lab made 101 spikes, each as high as what was touched', (context) => {
    const { run } = outcome(context)
    expect(run.spikes).toHaveLength(SPIKES)
    expectSoundSpikes(run)
  })

  test('every spike is told as exactly as this kernel allows, and no more exactly', (context) => {
    const { run, judged: told, recorder } = outcome(context)
    expect(recorder.code, recorder.stderr).toBe(130)
    console.log(headline(`Linux ${guest.kernel}`, run, told))
    // Whether memory.peak can be reset is found out by the spiker itself, not by the version.
    if (run.spikes.every(({ isExact }) => isExact)) {
      const { doubt, ...counts } = expectAllExact(told)
      if (doubt !== undefined) skip(context, `the machine is too busy to compare: ${doubt}`)
      console.log(`in the same look as a higher one, told less to the spiker, not exact because the bridge lost the CPU: ${JSON.stringify(counts)}`)
    } else console.log(`Linux ${guest.kernel}: by which means: ${JSON.stringify(expectHonest(told))}`)
  })

  test('in a storm of kills what memory.events counts is told of every memcg and of all above it, without a look at any', (context) => {
    outcome(context)
    const { places, readings } = (ran as Ran).results.get('storm') as Storm, kills = new Map(places.map(({ path, kernel }) => [path, kernel.oomKill]))
    // The kernel did what the lab meant: one kill in each container, and all of them counted above.
    expect([kills.get('/storm'), kills.get('/storm/pod0'), kills.get('/storm/pod0/c0')]).toEqual([STORM_KILLS, STORM_KILLS / STORM_PODS, 1])
    expect(places.map(({ path, told }) => ({ path, told }))).toEqual(places.map(({ path, kernel }) => ({ path, told: kernel })))
    console.log(`Linux ${guest.kernel}: ${STORM_KILLS} kills in ${places.length} memcgs told by ${readings} readings of memory.events`)
  })

  test('a cgroup that loses the memory controller is dead as a memcg until it has it again; the one below it goes on', (context) => {
    outcome(context)
    expect((ran as Ran).results.get('controller')).toEqual({ said: ['birth', 'usage', 'death', 'birth', 'usage'], saidBelow: ['birth'] } satisfies ControllerAway)
  })

  function endOf<T>(told: Told<T>): T {
    if ('error' in told) throw new Error(told.error)
    return told.end
  }

  /** The peak of a command that stood at its limit, as exactly as this kernel knows it (memory.peak: 5.19). */
  const atLimit = (context: TestContext): { readonly peakExact: boolean; readonly peakBytes?: number } => (endOf(runs(context).lived).peakBytes === undefined ? { peakExact: false } : { peakExact: true, peakBytes: 64 * MIB })

  test('run: SIGINT reaches a command below its limit, whose answer is the exit status; its peak is the kernel\'s own number', (context) => {
    const { code, stderr, summary, peakBytes } = endOf(runs(context).lived)
    expect(code, stderr).toBe(42)
    expect(summary).toMatchObject({ exitCode: 42, limitBytes: 64 * MIB, peakExact: peakBytes !== undefined, kills: [], oomsWithoutKill: 0, leftBehind: 1 })
    if (peakBytes !== undefined) expect(summary?.peakBytes).toBe(peakBytes)
    // 40 MiB touched, and what a shell and a process need besides; without the kernel's mark what was seen of it.
    expect(summary?.peakBytes).toBeGreaterThan(peakBytes === undefined ? 0 : 40 * MIB)
    expect(summary?.peakBytes).toBeLessThan(46 * MIB)
    expect(summary?.failure).toBeUndefined()
  })

  test('run: a child and then the command itself are killed at the limit, and both are told', (context) => {
    const { code, stderr, summary } = endOf(runs(context).killed)
    expect(code, stderr).toBe(137)
    expect(summary).toMatchObject({ exitCode: 137, limitBytes: 64 * MIB, oomsWithoutKill: 0, ...atLimit(context) })
    expect(summary?.kills.map(({ victims, limit }) => [victims.map(({ comm }) => comm), limit?.path])).toEqual([[['child'], summary?.path], [['itself'], summary?.path]])
    // The guest's own processes are immune. A command that was, too, would never end.
    expect(stderr).toContain('the command gets oom_score_adj 0, not the -1000 it would inherit')
  })

  test('run: a command that nobody may kill stands at its limit until SIGTERM, and no kill is told', (context) => {
    const { code, stderr, summary } = endOf(runs(context).immune)
    expect(code, stderr).toBe(143)
    expect(summary).toMatchObject({ exitCode: 143, signal: 'SIGTERM', kills: [], leftBehind: 1, ...atLimit(context) })
    expect(summary?.oomsWithoutKill).toBeGreaterThan(0)
  })

  test('run: a command that does not exist is exit 127, and no memcg is left behind by any of them', (context) => {
    const { missing, leftovers } = runs(context), { code, stderr } = endOf(missing)
    expect(code, stderr).toBe(127)
    expect(stderr).toContain('no-such-command')
    expect(leftovers).toEqual([])
  })
})
