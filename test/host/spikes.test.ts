/** 101 spikes in 7 memcgs on this machine: told by which means, honestly marked. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectAllExact, expectHonest, expectSoundSpikes, headline, paired } from '../helpers/lab/judge-spikes.ts'
import { Recorder } from '../helpers/lab/recorder.ts'
import { runSpikes, SPIKES } from '../helpers/lab/spikes.ts'
import { skip } from '../helpers/skip.ts'
import { inLab } from './host-lab.ts'

test('every spike is told as exactly as this kernel allows, and no more exactly', (context) => inLab(context, async ({ lab, directory }) => {
  const recorder = new Recorder(CLI, join(directory, 'recording.oom'), ['--no-probes', '--sample-budget', '50'])
  try {
    await recorder.ready()
    const run = await runSpikes(lab, directory)
    expect((await recorder.end()).code).toBe(130)
    expect(run.spikes).toHaveLength(SPIKES)
    expectSoundSpikes(run)
    const judged = await paired(CLI, recorder.file, run)
    console.log(headline('this machine', run, judged))
    if (run.spikes.every(({ isExact }) => isExact)) {
      const { doubt, ...counts } = expectAllExact(judged)
      if (doubt !== undefined) skip(context, `the machine is too busy to compare: ${doubt}`)
      console.log(`in the same look as a higher one, told less to the spiker, not exact because the bridge lost the CPU: ${JSON.stringify(counts)}`)
    } else console.log(`this machine: by which means: ${JSON.stringify(expectHonest(judged))}`)
  } finally {
    await recorder.end('SIGKILL')
  }
}))
