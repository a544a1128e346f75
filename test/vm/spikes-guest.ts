/** Runs inside the guest: records while 101 spikes happen in 7 memcgs, then a storm of kills and a controller that is taken away, then commands with `oomscope run`; leaves recording, truth and outcomes in the shared directory. */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { memcgMount } from '../helpers/lab/cgroup.ts'
import { runControllerAway } from '../helpers/lab/controller-away.ts'
import { runKillStorm } from '../helpers/lab/kill-storm.ts'
import { Lab } from '../helpers/lab/lab.ts'
import { Recorder } from '../helpers/lab/recorder.ts'
import { performRuns } from '../helpers/lab/runs.ts'
import { runSpikes } from '../helpers/lab/spikes.ts'

/** Compiled to build/lab/vm/spikes-guest.js. */
const repository = fileURLToPath(new URL('../../..', import.meta.url))

async function main(share: string): Promise<void> {
  const tell = (about: string, result: unknown): void => {
    appendFileSync(`${share}/results.jsonl`, `${JSON.stringify({ about, result })}\n`)
    console.log(`${process.uptime().toFixed(1)} s: ${about}`)
  }
  // The judge must not be among the dead.
  writeFileSync('/proc/self/oom_score_adj', '-1000')
  const mount = memcgMount()
  if (mount === undefined) throw new Error('the guest has no memory controller')
  const main = `${repository}dist/cli/main.js`, programs = `${repository}build/workloads`, lab = new Lab({ place: 'guest', mount, root: '', programs, scratch: share })
  // Peaks are read from files; the probes' start would double the time of this test. An emulated CPU takes many times as long for each read.
  const recorder = new Recorder(main, '/run/recording.oom', ['--no-probes', '--sample-budget', '100'])
  tell('ready', { kernel: release(), line: await recorder.ready() })
  tell('spikes', await runSpikes(lab, '/run'))
  tell('recorder', await recorder.end())
  copyFileSync(recorder.file, `${share}/recording.oom`)
  await lab.clear()
  tell('storm', await runKillStorm(lab, '/run'))
  tell('controller', await runControllerAway(lab, '/run'))
  lab.close()
  tell('end', {})
  tell('runs', await performRuns(main, programs))
}

await main(process.argv[2] ?? '/run/share')
