/** What a runtime says of a container stands beside the kernel's word, decides nothing, and is contradicted where it is wrong. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killText } from '../../../src/view/kill-report.ts'
import { decision, event, exit, fold, NODE, T0, UID, type FieldsOf } from '../model/build.ts'

const ID = 'a'.repeat(64), WALL = 1_764_000_000_000, KILL_MS = WALL + (T0 - (T0 - 50e9)) / 1e6
const kill: Event[] = [...decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104, comm: 'python3' }] }), exit(381, 104, T0 + 3e6)]
const name = event('workload', T0 + 2e9, { from: 'cri', podUid: UID, containerId: ID, namespace: 'batch', pod: 'etl-0', container: 'etl' })
const status = (fields: Partial<FieldsOf<'container_status'>> = {}): Event =>
  event('container_status', T0 + 2e9, { from: 'cri', containerId: ID, state: 'exited', exitCode: 137, reason: 'OOMKilled', finishedMs: KILL_MS + 30, ...fields })
const json = (model: NodeModel) => killJson(model.cases[0]!, model)
const told = (...rows: readonly Event[]) => json(fold([...NODE, ...kill, ...rows]))
const runtimeSays = ({ evidence }: ReturnType<typeof json>): string[] => evidence.filter(({ source }) => source.endsWith('container status')).map(({ fact, source }) => `${fact} [${source}]`)

test('its status is evidence, also when name and status came after the death', () => {
  expect(runtimeSays(told(name, status()))).toEqual(['its runtime says of container etl of pod batch/etl-0: exited, exit code 137, OOMKilled [cri container status]'])
  const model = fold([...NODE, ...kill, name, status()])
  expect(killText(model.cases[0]!, model).replaceAll(/\s+/g, ' ')).toContain('exited, exit code 137, OOMKilled [cri container status]')
})

test('it changes neither the cause nor how sure it is', () => {
  const { cause, confidence, because, doubts, sentence } = told(name, status()), without = told(name)
  expect({ cause, confidence, because, doubts, sentence }).toEqual({ cause: without.cause, confidence: without.confidence, because: without.because, doubts: without.doubts, sentence: without.sentence })
})

test('a fold of the same stream that began elsewhere knows it, too', () => {
  const model = createModel({ nameBook: fold([...NODE, ...kill, name, status()]).nameBook })
  for (const row of [...NODE, ...kill]) applyEvent(model, row)
  expect(runtimeSays(json(model))).toHaveLength(1)
})

test('of another container it says nothing, nor of a path that somebody else could have made', () => {
  expect(runtimeSays(told(status({ containerId: 'b'.repeat(64) })))).toEqual([])
  const within = `/user.slice/user-1000.slice/${ID}`
  const model = fold([...NODE, event('memcg_birth', T0 - 9e9, { memcgId: 900, parentId: 1, path: within, by: 'probe' }), ...decision({ tid: 384, tsNs: T0, memcgId: 900, victims: [{ pid: 381, memcgId: 900 }] }), status()])
  expect(json(model).victims[0]?.path).toBe(within)
  expect(runtimeSays(json(model))).toEqual([])
})

describe('systemd of a unit', () => {
  const UNIT_PATH = '/system.slice/web.service'
  const rows = [...NODE, event('memcg_birth', T0 - 9e9, { memcgId: 900, parentId: 1, path: UNIT_PATH, by: 'probe' }), event('memcg_birth', T0 - 9e9, { memcgId: 901, parentId: 900, path: `${UNIT_PATH}/worker`, by: 'probe' })]
  const says = (fields: Partial<FieldsOf<'container_status'>>, killed = 901) => {
    const model = fold([...rows, ...decision({ tid: 384, tsNs: T0, memcgId: killed, victims: [{ pid: 381, memcgId: killed }] }), exit(381, killed, T0 + 3e6), event('workload', T0 + 2e9, { from: 'systemd', unit: 'web.service', cgroupPath: UNIT_PATH, description: 'The shop', restarts: 2 }), status({ from: 'systemd', containerId: UNIT_PATH, ...fields })])
    return json(model)
  }

  test('its word is evidence for what is killed in it, and its description names the workload', () => {
    const told = says({ reason: 'oom-kill' })
    expect(told.evidence.filter(({ source }) => source === 'systemctl status').map(({ fact }) => fact)).toEqual(['systemd says of service web.service: exited, exit code 137, oom-kill'])
    expect(told.victims[0]?.workload).toMatchObject({ unit: 'web.service', description: 'The shop', restarts: 2 })
    expect(told.differences.filter((text) => text.includes('systemctl'))).toEqual([])
  })

  test('of a run that began after the kill it says nothing about it', () => {
    expect(says({ state: 'running', exitCode: undefined, reason: undefined, finishedMs: undefined, startedMs: KILL_MS + 400 }).evidence.filter(({ source }) => source === 'systemctl status')).toEqual([])
  })

  test('a word that misses the kill is contradicted (cgroup v1: systemd is not told)', () => {
    expect(says({ reason: 'signal' }).differences).toContainEqual('systemctl status says signal, exit code 137, of service web.service: systemd missed that the kernel killed process 381 for memory')
  })
})

describe('where it is wrong', () => {
  const differs = (...rows: readonly Event[]): string[] => told(...rows).differences.filter((text) => text.includes('runtime') || text.includes('kubectl describe'))

  test('Error after a kill for memory is contradicted', () => {
    expect(differs(name, status({ reason: 'Error' }))).toEqual(['kubectl describe says Error, exit code 137, of container etl of pod batch/etl-0: its runtime missed that the kernel killed process 381 for memory'])
    expect(differs(name, status({ from: 'podman', reason: 'Error' }))).toEqual([expect.stringMatching(/^podman inspect says Error/)])
  })

  test('OOMKilled of a container that runs on is explained', () => {
    expect(differs(name, status({ state: 'running', exitCode: undefined, finishedMs: undefined }))).toEqual([expect.stringMatching(/although it runs on/)])
  })

  test('what it says of an end at another time, or of which the time is not known, is not compared', () => {
    expect(differs(name, status({ reason: 'Error', finishedMs: KILL_MS + 600_000 }))).toEqual([])
    expect(differs(name, status({ reason: 'Error', finishedMs: undefined }))).toEqual([])
    expect(differs(name, status())).toEqual([])
  })

  test('OOMKilled of a container that a process stopped is contradicted, unless the kernel killed in it', () => {
    const sigkill = [event('signal', T0, { signo: 9, code: 0, group: 1, result: 0, senderPid: 7, senderTid: 7, senderComm: 'killer', senderMemcgId: 1, targetTid: 381, targetComm: 'python3' }), exit(381, 104, T0 + 3e6)]
    const stopped = (...before: readonly Event[]): readonly string[] => {
      const model = fold([...NODE, ...before, ...sigkill, name, status()]), found = model.cases.find(({ sentSignal }) => sentSignal !== undefined)
      return killJson(found!, model).differences
    }
    expect(stopped()).toEqual([expect.stringMatching(/no kill for memory was seen in it/)])
    expect(stopped(...decision({ tid: 384, tsNs: T0 - 2e9, memcgId: 104, victims: [{ pid: 300, memcgId: 104 }] }), exit(300, 104, T0 - 1.9e9))).toEqual([])
  })
})

test('of a container that was started again under its id each kill has the word of its own run, and none of a run that began later', () => {
  const RUN_NS = 4e8, nth = (n: number): Event[] => [...decision({ tid: 384, tsNs: T0 + n * RUN_NS, memcgId: 104, victims: [{ pid: 381 + n, memcgId: 104, comm: 'python3' }] }), exit(381 + n, 104, T0 + n * RUN_NS + 3e6)]
  const run = (n: number, fields: Partial<FieldsOf<'container_status'>> = {}): Event => status({ from: 'docker', exitCode: 100 + n, startedMs: KILL_MS + n * 400 - 70, finishedMs: KILL_MS + n * 400 + 30, ...fields })
  const goesOn = run(3, { state: 'running', exitCode: undefined, reason: undefined, finishedMs: undefined })
  const says = (...rows: readonly Event[]): string[] => { const model = fold([...NODE, ...nth(0), ...nth(1), ...nth(2), name, ...rows]); return model.cases.map((one) => runtimeSays(killJson(one, model)).map((text) => /exit code \d+|running/.exec(text)?.[0]).join()) }
  expect(says(run(0), run(1), run(2), goesOn)).toEqual(['exit code 100', 'exit code 101', 'exit code 102'])
  // Told again from the beginning, as a fold does that begins anew with the same names.
  expect(says(run(0), run(1), run(2), goesOn, run(0), run(1), run(2))).toEqual(['exit code 100', 'exit code 101', 'exit code 102'])
  // podman's coarse clock ends a run a little before the kernel killed in it.
  expect(says(run(0, { finishedMs: KILL_MS - 6 }), run(1, { finishedMs: KILL_MS + 394 }), run(2), goesOn)).toEqual(['exit code 100', 'exit code 101', 'exit code 102'])
  // Docker hears of a start late.
  expect(says(run(0), run(1, { startedMs: KILL_MS + 470 }), run(2), goesOn)).toEqual(['exit code 100', 'exit code 101', 'exit code 102'])
  // Of the first and the last nothing was heard; of the first that it ran.
  expect(says(run(0, { state: 'running', exitCode: undefined, reason: undefined, finishedMs: undefined }), run(1), goesOn)).toEqual(['', 'exit code 101', ''])
  expect(says(run(1), goesOn)).toEqual(['', 'exit code 101', ''])
  // Nobody of this run died with it.
  expect(says(run(0), run(1, { state: 'running', exitCode: undefined, reason: undefined, finishedMs: undefined }))).toEqual(['exit code 100', 'running', 'running'])
})

test('hostile words of a runtime are text', () => {
  const model = fold([...NODE, ...kill, status({ reason: '\u001b[2J{red-fg}', message: 'a\nb' })])
  expect(killText(model.cases[0]!, model)).not.toMatch(/\u001b/)
})
