/** What systemctl prints becomes rows; what does not fit names nobody. */
import { expect, test } from 'vitest'
import { factsOf, unitOf } from '../../../../src/identity/systemd/units.ts'

/** As systemd 252 prints it with --timestamp=us+utc. */
const blockOf = (values: Readonly<Record<string, string>>): string => Object.entries(values).map(([key, value]) => `${key}=${value}\n`).join('')
const RUNNING = { MainPID: '812', NRestarts: '2', Result: 'success', ExecMainStartTimestamp: 'Sat 2026-11-21 15:30:00.123456 UTC', ExecMainExitTimestamp: '', ExecMainCode: '0', ExecMainStatus: '0', MemoryMax: '67108864', Id: 'web.service', Description: 'The shop = a front', ControlGroup: '/system.slice/web.service' }
const KILLED = { ...RUNNING, MainPID: '0', Result: 'oom-kill', ExecMainExitTimestamp: 'Sat 2026-11-21 15:30:02.000789 UTC', ExecMainCode: '2', ExecMainStatus: '9', ControlGroup: '' }
const START = Date.UTC(2026, 10, 21, 15, 30, 0, 123)

test('a running service: description, limit, restarts, since when', () => {
  expect(factsOf(blockOf(RUNNING))).toEqual([
    { kind: 'workload', unit: 'web.service', cgroupPath: '/system.slice/web.service', runtime: 'systemd', description: 'The shop = a front', memoryLimitBytes: 64 << 20, restarts: 2, pid: 812 },
    { kind: 'container_status', containerId: '/system.slice/web.service', state: 'running', startedMs: START },
  ])
})

test('one that was killed has no cgroup any more: it is the one that was asked about', () => {
  expect(factsOf(blockOf(KILLED))).toEqual([])
  const [named, status] = factsOf(blockOf(KILLED), new Map([['web.service', '/system.slice/web.service']]))
  expect(named).toMatchObject({ cgroupPath: '/system.slice/web.service', pid: undefined })
  expect(status).toEqual({ kind: 'container_status', containerId: '/system.slice/web.service', state: 'exited', startedMs: START, finishedMs: Date.UTC(2026, 10, 21, 15, 30, 2), exitCode: 137, reason: 'oom-kill' })
})

test.each([
  ['ended by itself', { ExecMainCode: '1', ExecMainStatus: '3', Result: 'exit-code' }, { exitCode: 3, reason: 'exit-code' }],
  ['dumped core', { ExecMainCode: '3', ExecMainStatus: '11', Result: 'core-dump' }, { exitCode: 139, reason: 'core-dump' }],
  ['times to the second only (before systemd 247)', { ExecMainExitTimestamp: 'Sat 2026-11-21 15:30:02 UTC' }, { finishedMs: undefined }],
  ['times of another zone', { ExecMainExitTimestamp: 'Sat 2026-11-21 15:30:02.000789 CET' }, { finishedMs: undefined }],
] as const)('a service that %s', (_, values, expected) => {
  const facts = factsOf(blockOf({ ...KILLED, ControlGroup: '/system.slice/web.service', ...values }))
  expect(facts[1]).toMatchObject({ state: 'exited', ...expected })
})

test('scopes, slices and services that never ran have no end; infinity is no limit; a name is no description', () => {
  const slice = { Id: 'user.slice', Description: 'user.slice', ControlGroup: '/user.slice', MemoryMax: 'infinity' }
  expect(factsOf(`${blockOf(slice)}\n${blockOf({ ...RUNNING, MainPID: '0', ExecMainStartTimestamp: '', MemoryMax: '18446744073709551615' })}`)).toEqual([
    { kind: 'workload', unit: 'user.slice', cgroupPath: '/user.slice', runtime: 'systemd' },
    { kind: 'workload', unit: 'web.service', cgroupPath: '/system.slice/web.service', runtime: 'systemd', description: 'The shop = a front', restarts: 2 },
  ])
})

test('a block whose cgroup is not its unit\'s, or without a unit, names nobody; control characters do not pass', () => {
  expect(factsOf(blockOf({ ...RUNNING, ControlGroup: '/system.slice/other.service' }))).toEqual([])
  expect(factsOf(blockOf({ ...RUNNING, Id: '' }))).toEqual([])
  expect(factsOf('garbage\n\n=x\n\n\u0000')).toEqual([])
  expect(factsOf(blockOf({ ...RUNNING, Description: 'a\u001b[2Jb' }))[0]).toMatchObject({ description: 'a?[2Jb' })
})

test.each([
  ['/system.slice/web.service', 'web.service'], ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'], ['/system.slice/run-u12.scope', 'run-u12.scope'], ['/system.slice/a\\x2db.service', 'a\\x2db.service'],
  ['/system.slice/--version.service', undefined], ['/system.slice/*.service', undefined], ['/system.slice/a b.service', undefined], ['/system.slice/a\nb.service', undefined], ['/system.slice', 'system.slice'], ['/a/.service', undefined], ['/', undefined], [`/${'x'.repeat(300)}.service`, undefined],
])('%s is asked about as %s', (path, unit) => expect(unitOf(path)).toBe(unit))
