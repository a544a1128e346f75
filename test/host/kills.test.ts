/** Real kills on the machine at hand, in cgroups of our own: recorded, replayed, and compared with what the kernel says. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { CLI, cli } from '../helpers/cli.ts'
import { expectSound, expectStrokes, expectTold } from '../helpers/lab/judge.ts'
import { killsOf, Recorder, type KillsOutput } from '../helpers/lab/recorder.ts'
import { rowsOf, type Rows } from '../helpers/lab/recording-rows.ts'
import { FORGED_PID } from '../helpers/lab/scenarios-hostile.ts'
import { scenariosAt } from '../helpers/lab/scenarios.ts'
import type { Truth } from '../helpers/lab/truth.ts'
import { skip } from '../helpers/skip.ts'
import { hostLab, type HostLab } from './host-lab.ts'
import { candidatesFrom } from './points.ts'

const SCENARIOS = scenariosAt('host')
const truths = new Map<string, Truth | Error>()
let host: HostLab, output: KillsOutput, rows: Rows, recorderCode: number | null, text: string, json: string

beforeAll(async () => {
  host = await hostLab()
  if ('reason' in host) return
  const recorder = new Recorder(CLI, join(host.directory, 'recording.oom'))
  await recorder.ready()
  for (const scenario of SCENARIOS) truths.set(scenario.name, await host.lab.perform(scenario).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))))
  recorderCode = (await recorder.end()).code
  output = await killsOf(CLI, recorder.file)
  rows = await rowsOf(recorder.file)
  text = (await cli(['kills', recorder.file])).stdout
  json = (await cli(['kills', recorder.file, '--json'])).stdout
})
afterAll(() => { if (host !== undefined && !('reason' in host)) host.close() })

function truthOf(context: TestContext, scenario: string): Truth {
  if ('reason' in host) return skip(context, host.reason)
  const truth = truths.get(scenario)
  if (truth === undefined || truth instanceof Error) throw truth ?? new Error('not performed')
  return truth
}

describe.each(SCENARIOS)('$name', ({ name }) => {
  test('the kernel did what the lab meant', (context) => expectSound(truthOf(context, name)))
  test('it is told as it was', (context) => expectTold(truthOf(context, name), output.cases, { candidatesFrom: candidatesFrom() }))
  test('a death by a signal is told as it was', (context) => expectStrokes(truthOf(context, name), output.signalCases))
})

test('no case below our cgroup is about anything the lab did not cause', (context) => {
  const kills = SCENARIOS.flatMap(({ name }) => truthOf(context, name).kills)
  if ('reason' in host) return
  const { root } = host.lab.options, ours = output.cases.filter((said) => said.victims.length > 0 && [said.limit?.path, ...said.victims.map((victim) => victim.path)].some((path) => path?.startsWith(root)))
  expect(ours.map((said) => said.victims[0]?.pid).toSorted()).toEqual(kills.map((kill) => kill.victims[0]?.pid).toSorted())
  expect(JSON.stringify(output.cases)).not.toContain(`"pid":${FORGED_PID}`)
  expect(recorderCode).toBe(130)
})

test('no name reaches a terminal or a line of JSON as anything but text', (context) => {
  const victim = truthOf(context, 'hostile comms, 7 candidates').kills[0]?.victims[0], hostile = truthOf(context, 'hostile cgroup name').memcgs['hostile']
  // C0, DEL and C1: what a terminal may obey, also where it comes as UTF-8.
  const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/
  expect(text.match(control)).toBeNull()
  expect(json.match(control)).toBeNull()
  // They are there, and harmless.
  expect(text).toContain('oom-kill: x=1')
  expect(text).toContain('task_memcg=root')
  const cases = json.split('\n').slice(0, -1).map((line) => JSON.parse(line) as { readonly victims: readonly { readonly pid: number; readonly comm: string }[]; readonly limit?: { readonly path?: string } })
  expect(cases.find((said) => said.victims[0]?.pid === victim?.pid)?.victims[0]?.comm).toBe(victim?.comm)
  expect(cases.filter((said) => said.limit?.path === hostile?.path)).toHaveLength(1)
})

test('the sender of a SIGKILL is named', (context) => {
  const { readings } = truthOf(context, 'SIGKILL by another process')
  const signals = rows.of('signal').filter((row) => row.signo === 9 && row.targetTid === readings['targetPid'])
  expect(signals.map(({ senderPid, senderComm, targetComm, code }) => ({ senderPid, senderComm, targetComm, code }))).toEqual([{ senderPid: readings['killerPid'], senderComm: 'killer', targetComm: 'innocent', code: 0 }])
})

describe.each(['page cache reclaimed at a limit', 'page cache read at a limit'])('%s', (scenario) => {
  test('attempts and pages lie between readings of the kernel\'s own counters', (context) => {
    const { memcgs, readings } = truthOf(context, scenario), id = memcgs['container']?.memcgId ?? 0, rose = (what: string): number => (readings[`${what}After`] ?? Number.NaN) - (readings[`${what}Before`] ?? Number.NaN)
    const { filePages = Number.NaN, cachedPagesAfter = Number.NaN, lagPages = Number.NaN } = readings, attempts = rows.counter('memcg_reclaim_count', id), pages = rows.counter('memcg_reclaim_pages', id)
    expect(attempts).toBeGreaterThan(0)
    expect(attempts).toBeLessThanOrEqual(rose('attempts'))
    // What went through and is no longer there was reclaimed; nothing else takes pages from a file that stays.
    expect(pages).toBeGreaterThanOrEqual(filePages - cachedPagesAfter - lagPages)
    expect(pages).toBeLessThanOrEqual(rose('steals') + lagPages)
  })
})
