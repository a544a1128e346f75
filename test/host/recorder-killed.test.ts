/** A recorder that is killed in the middle leaves a file that can be read, and no process behind. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { killsOf, Recorder, type KillsOutput } from '../helpers/lab/recorder.ts'
import { LIMIT_SCENARIOS } from '../helpers/lab/scenarios-limits.ts'
import type { Scenario } from '../helpers/lab/lab.ts'
import { skip } from '../helpers/skip.ts'
import { hostLab } from './host-lab.ts'

/** Asks again until it is so; the test's own time limit ends what never becomes so. */
async function until<T>(ask: () => Promise<T> | T, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isSo(answer)) return answer
    await pause(50)
  }
}

/** A zombie nobody has waited for yet does nothing any more. */
const runs = (pid: number): boolean => existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))

test('after kill -9 of the recorder the kills are in the file, and bridge and bpftrace end', async (context) => {
  const host = await hostLab()
  if ('reason' in host) return skip(context, host.reason)
  const recorder = new Recorder(CLI, join(host.directory, 'recording.oom'))
  try {
    await recorder.ready()
    const [scenario] = LIMIT_SCENARIOS as [Scenario], truth = await host.lab.perform(scenario), victim = truth.kills[0]?.victims[0]?.pid
    const about = (output: KillsOutput): boolean => output.cases.some((said) => said.victims.some(({ pid }) => pid === victim))
    await until(() => killsOf(CLI, recorder.file), about)
    const others = recorder.descendants()
    expect(others.length).toBeGreaterThanOrEqual(1)
    expect((await recorder.end('SIGKILL')).signal).toBe('SIGKILL')
    expect(about(await killsOf(CLI, recorder.file))).toBe(true)
    await until(() => others.filter(runs), (running) => running.length === 0)
  } finally {
    await recorder.end('SIGKILL')
    host.close()
  }
})
