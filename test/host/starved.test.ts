/** Real kills while the program gets no time now and then: what it tells must not depend on who came late. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { expectTold } from '../helpers/lab/judge.ts'
import { killsOf, Recorder } from '../helpers/lab/recorder.ts'
import { LIMIT_SCENARIOS } from '../helpers/lab/scenarios-limits.ts'
import type { Truth } from '../helpers/lab/truth.ts'
import { inLab } from './host-lab.ts'
import { candidatesFrom } from './points.ts'

/** Longer than a container of the lab lives after its kill; short enough that no buffer overflows. */
const STOPS_MS = [50, 200, 500, 1200]

/** To whoever is still there: the self-tests' processes come and go. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Stops the recorder, its bridge and its bpftrace in turns, until told to end. */
async function starve(recorder: Recorder, isOver: () => boolean): Promise<number> {
  let stops = 0
  for (; !isOver(); stops += 1) {
    const all = [recorder.pid, ...recorder.descendants()], pid = all[stops % all.length] ?? recorder.pid
    send(pid, 'SIGSTOP')
    try {
      await pause(STOPS_MS[stops % STOPS_MS.length])
    } finally {
      send(pid, 'SIGCONT')
    }
  }
  return stops
}

test('kills are told as they were while recorder, bridge and bpftrace are stopped again and again', (context) => inLab(context, async ({ lab, directory }) => {
  const recorder = new Recorder(CLI, join(directory, 'recording.oom')), truths: Truth[] = []
  let isOver = false
  try {
    await recorder.ready()
    const starved = starve(recorder, () => isOver)
    for (const scenario of LIMIT_SCENARIOS.filter(({ places }) => places.includes('host'))) truths.push(await lab.perform(scenario))
    isOver = true
    expect(await starved).toBeGreaterThan(0)
    expect((await recorder.end()).code).toBe(130)
    const { cases } = await killsOf(CLI, recorder.file)
    // A container that is gone before anybody looked leaves its limit unknown: less sure is honest, with the reason; wrong is not.
    for (const said of cases) if (said.confidence !== 'certain') expect(said.doubts).not.toEqual([])
    const sure = cases.map((said) => ({ ...said, confidence: 'certain' }))
    for (const truth of truths) expectTold(truth, sure, { candidatesFrom: candidatesFrom() })
  } finally {
    isOver = true
    await recorder.end('SIGKILL')
  }
}))
