/** What a victim ran is kept with its case, whether it was read before, during or just after the kill, and whoever has its pid later. */
import { expect, it } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killText } from '../../../src/view/kill-report.ts'
import { birth, decision, event, hello, limits, MS, T0 } from './build.ts'

const PID = 700, START_NS = T0 - 20e9
const found = (tsNs: number, startNs = START_NS): Event => event('process', tsNs, { pid: PID, startNs, memcgId: 2, ppid: 1, uid: 0, threads: 1, comm: 'java' })
const command = (tsNs: number, startNs = START_NS, commandLine = 'java -jar \u001b[31mx.jar'): Event => event('process_command', tsNs, { pid: PID, startNs, commandLine, exe: 'java', runtime: 'jvm', settings: '-Xms1g\n-Xmx2g', environRead: true })
const ended = (tsNs: number): Event => event('process_end', tsNs, { pid: PID, startNs: START_NS })
const killed = decision({ tid: PID, tsNs: T0, memcgId: 2, victims: [{ pid: PID, memcgId: 2, comm: 'java' }] })

function modelOf(events: readonly Event[]): NodeModel {
  const model = createModel()
  for (const row of [hello(), birth(1, '/', 0), birth(2, '/pod', 1), limits(2, 64 << 20), ...events]) applyEvent(model, row)
  return model
}
const PROGRAM = { commandLine: 'java -jar \u001b[31mx.jar', exe: 'java', runtime: 'jvm', settings: ['-Xms1g', '-Xmx2g'], environRead: true }

it.each([
  ['before', [found(T0 - 9e9), command(T0 - 8e9), ...killed]],
  ['and it had ended in the table', [found(T0 - 9e9), command(T0 - 8e9), ...killed.slice(0, 3), ended(T0 + MS), ...killed.slice(3)]],
  ['after the case was merged', [found(T0 - 9e9), ...killed, command(T0 + 300 * MS)]],
])('of a victim that was read %s', (_, events) => {
  expect(modelOf(events).cases[0]?.victims[0]?.program).toEqual(PROGRAM)
})

it('is not what another process with its pid runs', () => {
  const later = T0 + 5e9, model = modelOf([found(T0 - 9e9), ...killed, ended(T0 + MS), found(later, later - MS), command(later, later - MS, 'other')])
  expect(model.cases[0]?.victims[0]?.program).toBeUndefined()
})

it('stays when the table has forgotten it and the case is merged again', () => {
  const model = modelOf([found(T0 - 9e9), command(T0 - 8e9), ...killed, ended(T0 + MS)])
  expect(model.cases).toHaveLength(1)
  model.processes.dead.length = 0
  applyEvent(model, event('oom_reap', T0 + 3 * MS, { victimTid: PID, phase: 3 }))
  applyEvent(model, event('task_exit', T0 + 4 * MS, { pid: PID, comm: 'java', memcgId: 2, exitCode: 9, maxRssPages: 100 }))
  expect(model.cases[0]?.victims[0]).toMatchObject({ program: PROGRAM, exitNs: T0 + 4 * MS })
})

it('is told in JSON as it is, and as text without its control characters', () => {
  const model = modelOf([found(T0 - 9e9), command(T0 - 8e9), ...killed]), [target] = model.cases
  expect(killJson(target!, model).victims[0]?.program).toEqual(PROGRAM)
  const text = killText(target!, model)
  expect(text).toContain('java -jar')
  expect(text).not.toContain('\u001b')
})
