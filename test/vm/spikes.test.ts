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
    if (run.spikes.every(({ isExact }) => isExact)) {
      const { doubt, ...counts } = expectAllExact(told)
      if (doubt !== undefined) skip(context, `the machine is too busy to compare: ${doubt}`)
      console.log(`in the same look as a higher one, told less to the spiker, not exact because the bridge lost the CPU: ${JSON.stringify(counts)}`)
    } else console.log(`Linux ${guest.kernel}: by which means: ${JSON.stringify(expectHonest(told))}`)
  })
})
