/** systemd as a source: asked for all units once, for one when it is born or somebody in it dies; whatever it does, nobody waits and nothing throws. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { SystemdSource } from '../../../../src/identity/systemd/source.ts'
import type { NameFact } from '../../../../src/identity/name-source.ts'
import { freshDirectories } from '../../../helpers/files.ts'

const fresh = freshDirectories(), PATH = '/system.slice/web.service'
const open: SystemdSource[] = []
afterEach(() => { for (const source of open.splice(0)) source.close() })

/** A systemctl that says `says` and remembers what it was asked; `booted` is there unless said. */
function setup(says: (args: readonly string[]) => Promise<string> | string, isBooted = true) {
  const booted = join(fresh(), 'system'), calls: (readonly string[])[] = []
  if (isBooted) mkdirSync(booted)
  const source = new SystemdSource(async (args) => { calls.push(args); return says(args) }, booted)
  open.push(source)
  return { source, calls, unitsOf: (call: number) => calls[call]?.slice((calls[call]?.indexOf('--') ?? 0) + 1) }
}
const blockOf = (unit: string, more = ''): string => `Id=${unit}\nControlGroup=/system.slice/${unit}\nDescription=The ${unit}\nNRestarts=0\n${more}`
const until = (isSo: () => void): Promise<void> => vi.waitFor(isSo, { timeout: 30_000, interval: 5 })

test('all units at the start; nothing that could change one is ever called', async () => {
  const { source, calls, unitsOf } = setup(() => `${blockOf('web.service')}\n${blockOf('db.service')}`)
  source.start()
  await source.settled
  expect(source.health.state).toBe('answering')
  expect(source.take().map((fact) => (fact.kind === 'workload' ? fact.unit : ''))).toEqual(['web.service', 'db.service'])
  expect(unitsOf(0)).toContain('*.service')
  // A node of Kubernetes has a thousand of these, all of them containers and pods.
  expect(unitsOf(0)?.filter((pattern) => pattern === '*.scope' || pattern === '*.slice')).toEqual([])
  expect(calls.every(([verb]) => verb === 'show')).toBe(true)
})

test('a unit that is born is asked about once, one in which somebody was killed until its end is told', async () => {
  const killed = 'MainPID=0\nResult=oom-kill\nExecMainCode=2\nExecMainStatus=9\nExecMainStartTimestamp=Sat 2026-11-21 15:30:00.123456 UTC\n'
  const { source, unitsOf, calls } = setup((args) => (args.at(-1) === 'web.service' ? blockOf('web.service', calls.length > 3 ? killed : '') : ''))
  source.start()
  await source.settled
  source.askUnit({ cgroupPath: PATH, why: 'birth' })
  await until(() => expect(calls).toHaveLength(2))
  expect(unitsOf(1)).toEqual(['web.service'])
  source.askUnit({ cgroupPath: PATH, why: 'victim' })
  const facts: NameFact[] = []
  await until(() => { facts.push(...source.take()); expect(facts).toContainEqual(expect.objectContaining({ kind: 'container_status', containerId: PATH, reason: 'oom-kill', exitCode: 137 })) })
})

test('nothing is asked about what is no unit\'s name', async () => {
  const { source, calls } = setup(() => '')
  source.start()
  await source.settled
  for (const cgroupPath of ['/system.slice/--help.service', '/system.slice/*.service', '/x']) source.askUnit({ cgroupPath, why: 'victim' })
  source.askUnit({ cgroupPath: PATH, why: 'victim' })
  await until(() => expect(calls.length).toBeGreaterThan(1))
  expect(calls.slice(1).every((call) => call.slice(call.indexOf('--') + 1).join() === 'web.service')).toBe(true)
})

test('a unit started over and over is one question at a time', async () => {
  let running = 0, most = 0
  const { source, calls } = setup(async () => { running += 1; most = Math.max(most, running); await new Promise((resolve) => setTimeout(resolve, 5)); running -= 1; return '' })
  source.start()
  await source.settled
  for (let i = 0; i < 1500; i++) source.askUnit({ cgroupPath: `/system.slice/run-u${i}.scope`, why: 'victim' })
  await until(() => expect(calls.length).toBeGreaterThan(3))
  expect(most).toBe(1)
  expect(Math.max(...calls.map((call) => call.length - call.indexOf('--') - 1))).toBeLessThanOrEqual(100)
})

test('an older systemd without --timestamp is asked without; any other refusal is told, and asked again later', async () => {
  const old = setup((args) => { if (args.includes('--timestamp=us+utc')) throw new Error("systemctl: unrecognized option '--timestamp=us+utc'"); return blockOf('web.service') })
  old.source.start()
  await old.source.settled
  expect(old.source.health.state).toBe('answering')
  expect(old.source.take()).toHaveLength(1)
  const broken = setup(() => { throw new Error('Failed to connect to bus') })
  broken.source.start()
  await broken.source.settled
  expect(broken.source.health).toMatchObject({ state: 'failing', reason: 'Failed to connect to bus' })
})

test('where systemd is not the init nothing is asked; one that hangs holds nobody', async () => {
  const absent = setup(() => '', false)
  absent.source.start()
  absent.source.askUnit({ cgroupPath: PATH, why: 'victim' })
  await absent.source.settled
  expect([absent.source.health.state, absent.calls.length]).toEqual(['absent', 0])
  const hanging = setup(() => new Promise<string>(() => undefined))
  hanging.source.start()
  await until(() => expect(hanging.calls).toHaveLength(1))
  expect(hanging.source.take()).toEqual([])
  hanging.source.close()
  await hanging.source.settled
})
