/**
 * Runs inside the guest: records, performs every scenario, and leaves the recording with the truth in the shared directory.
 * The comparison happens outside, which also proves that a recording can be read on another machine.
 */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Memcg, memcgMount } from '../helpers/lab/cgroup.ts'
import { kernelLogText } from '../helpers/lab/kernel-log.ts'
import { Lab } from '../helpers/lab/lab.ts'
import { performParity } from '../helpers/lab/parity.ts'
import { killsOf, Recorder } from '../helpers/lab/recorder.ts'
import { scenariosAt } from '../helpers/lab/scenarios.ts'

/** Compiled to build/lab/vm/guest.js. */
const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** One line of results.jsonl; `about` is a scenario, or `guest` for what concerns all of them. */
function tell(share: string, about: string, result: unknown): void {
  appendFileSync(`${share}/results.jsonl`, `${JSON.stringify({ about, result })}\n`)
  console.log(`${process.uptime().toFixed(1)} s: ${about}`)
}

async function main(share: string): Promise<void> {
  // The judge must not be among the dead.
  writeFileSync('/proc/self/oom_score_adj', '-1000')
  const mount = memcgMount()
  if (mount === undefined) throw new Error('the guest has no memory controller')
  const main = `${repository}dist/cli/main.js`, lab = new Lab({ place: 'guest', mount, root: '', programs: `${repository}build/workloads`, scratch: share })
  // An emulated CPU takes ten times as long for each look: with the usual budget they would be half a minute apart.
  const recorder = new Recorder(main, '/run/recording.oom', ['--sample-budget', '50', '--numa'])
  tell(share, 'ready', { kernel: release(), line: await recorder.ready() })
  for (const scenario of scenariosAt('guest')) {
    // One scenario that fails must not hide the others.
    tell(share, scenario.name, await lab.perform(scenario).then((truth) => ({ truth }), (error: unknown) => ({ error: error instanceof Error ? error.stack : String(error) })))
  }
  const parity = performParity({ parent: new Memcg(mount, '/oomscope-parity').create(), version: mount.version, programs: `${repository}build/workloads`, scratch: share })
  tell(share, 'parity', await parity.then((truth) => ({ truth }), (error: unknown) => ({ error: error instanceof Error ? error.stack : String(error) })))
  writeFileSync(`${share}/kernel.log`, kernelLogText())
  tell(share, 'recorder', await recorder.end())
  copyFileSync(recorder.file, `${share}/recording.oom`)
  tell(share, 'kills', await killsOf(main, recorder.file))
  lab.close()
}

await main(process.argv[2] ?? '/run/share')
