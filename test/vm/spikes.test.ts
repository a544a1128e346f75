/** No spike missed: 101 spikes in 7 memcgs on real kernels, compared with what each spiker measured through the kernel's own files. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectAllExact, expectHonest, expectSoundSpikes, headline, paired, type Judged } from '../helpers/lab/judge-spikes.ts'
import type { RecorderEnd } from '../helpers/lab/recorder.ts'
import { SPIKES, type SpikeRun } from '../helpers/lab/spikes.ts'
import { skip } from '../helpers/skip.ts'
import { forget, GUESTS, runGuest, type NotRun, type Ran } from './guests.ts'

// The probes have no part in it: one bpftrace is as good as another.
const KERNELS = GUESTS.filter(({ kernel }, i) => GUESTS.findIndex((other) => other.kernel === kernel) === i)

type GuestRun = { readonly code: number | null; readonly leftovers: readonly string[]; readonly summary: { readonly path: string; readonly peakBytes: number; readonly peakExact: boolean } }

describe.each(KERNELS)('kernel $kernel', (guest) => {
  let ran: Ran | NotRun | undefined, judged: Judged | undefined

  beforeAll(async () => {
    ran = await runGuest(guest, 'spikes-guest')
    if (!('skipped' in ran) && ran.results.has('end')) judged = await paired(CLI, join(ran.share, 'recording.oom'), ran.results.get('spikes') as SpikeRun)
  })
  afterAll(() => forget(ran))

  function outcome(context: TestContext): { readonly run: SpikeRun; readonly judged: Judged; readonly recorder: RecorderEnd } {
    if (ran === undefined) throw new Error('the guest was not run')
    if ('skipped' in ran) return skip(context, ran.skipped)
    if (judged === undefined) throw new Error(`the guest did not come to its end; its last words:\n${ran.console}`)
    return { run: ran.results.get('spikes') as SpikeRun, judged, recorder: ran.results.get('recorder') as RecorderEnd }
  }

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
    if (run.spikes.every(({ isExact }) => isExact)) console.log(`in the same look as a higher one, told less to the spiker, not exact because the bridge lost the CPU: ${JSON.stringify(expectAllExact(told))}`)
    else console.log(`Linux ${guest.kernel}: by which means: ${JSON.stringify(expectHonest(told))}`)
  })

  test('run makes a memcg on v2, with the command\'s exit status, its exact peak and why it was killed, and leaves none behind', (context) => {
    outcome(context)
    const runs = (ran as Ran).results.get('runs') as readonly GuestRun[], MIB = 2 ** 20
    expect(runs.map(({ code, leftovers }) => ({ code, leftovers }))).toEqual([{ code: 0, leftovers: [] }, { code: 137, leftovers: [] }])
    const [lived, killed] = runs.map(({ summary }) => summary)
    expect(lived).toMatchObject({ exitCode: 0, limitBytes: 64 * MIB, kills: [] })
    // Before 5.19 there is no memory.peak: these kernels have it.
    expect(lived?.peakExact).toBe(true)
    expect(lived?.peakBytes).toBeGreaterThan(40 * MIB)
    expect(lived?.peakBytes).toBeLessThan(46 * MIB)
    expect(killed).toMatchObject({ exitCode: 137, peakBytes: 64 * MIB, kills: [{ limit: { path: killed?.path } }] })
  })
})
