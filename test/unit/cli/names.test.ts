/** What sources say becomes rows of the stream; who is born or killed without a name is asked about. */
import { expect, test } from 'vitest'
import { Names } from '../../../src/cli/names.ts'
import type { Event } from '../../../src/event/event.ts'
import type { UnitQuestion } from '../../../src/identity/name-source.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { FLAG } from '../../../src/wire/frame.ts'
import { HandSource } from '../../helpers/name-source.ts'
import { birth, event } from '../model/build.ts'

const UID = '26ab26cd-6409-443f-a13c-fd6c231207c8', ID = 'a'.repeat(64), PATH = `/kubepods/burstable/pod${UID}/${ID}`

test('facts of all sources become rows with their source and a time, each once', () => {
  const cri = new HandSource('cri'), logs = new HandSource('pod-logs'), names = new Names([cri, logs])
  cri.facts.push({ kind: 'container_status', containerId: ID, state: 'exited', exitCode: 137, reason: 'OOMKilled' })
  logs.facts.push({ kind: 'workload', podUid: UID, namespace: 'shop', pod: 'web' })
  const items = names.items(5)
  expect(items.every(({ frame }) => frame.flags === FLAG.names)).toBe(true)
  expect(items.flatMap(({ events }) => events)).toMatchObject([
    { kind: 'container_status', tsNs: 5, from: 'cri', containerId: ID, exitCode: 137, reason: 'OOMKilled', finishedMs: undefined },
    { kind: 'workload', tsNs: 5, from: 'pod-logs', podUid: UID, pod: 'web', containerId: undefined },
  ])
  expect(names.items(6)).toEqual([])
})

test('a container born without a name is asked about, a known one and a plain cgroup are not', () => {
  const source = new HandSource('cri'), names = new Names([source]), model = createModel()
  const see = (...events: Parameters<typeof applyEvent>[1][]): void => {
    for (const one of events) applyEvent(model, one)
    names.see(events, model)
  }
  see(birth(7, '/system.slice/ssh.service', 1), birth(8, PATH, 1), birth(9, `/kubepods/burstable/pod${UID}`, 1))
  expect(source.asked).toEqual([{ containerId: ID, podUid: UID, why: 'birth' }])
  see(event('workload', 1, { from: 'cri', containerId: ID, namespace: 'shop', pod: 'web', container: 'nginx' }), birth(10, PATH, 1))
  expect(source.asked).toHaveLength(1)
})

test('the container of somebody killed is asked about although its name is known', () => {
  const source = new HandSource('cri'), names = new Names([source]), model = createModel()
  const rows = [
    event('workload', 1, { from: 'cri', containerId: ID, namespace: 'shop', pod: 'web', container: 'nginx' }), birth(8, `${PATH}/inner`, 1),
    event('mark_victim', 2, { tid: 1, victimTid: 5, pid: 5, memcgId: 8 }), event('mark_victim', 3, { tid: 1, victimTid: 6 }),
  ]
  for (const row of rows) applyEvent(model, row)
  names.see(rows, model)
  expect(source.asked).toEqual([{ containerId: ID, podUid: UID, why: 'victim' }])
})

test('a container whose limit is not the declared one is asked about, once for each limit', () => {
  const source = new HandSource('docker'), names = new Names([source]), model = createModel()
  const limit = (maxBytes: number | undefined, memcgId = 8): Parameters<typeof applyEvent>[1] => event('memcg_limits', 1, { memcgId, maxBytes })
  const see = (...events: Parameters<typeof applyEvent>[1][]): void => {
    for (const one of events) applyEvent(model, one)
    names.see(events, model)
  }
  see(birth(8, `/docker/${ID}`, 1), birth(9, `/docker/${ID}/inner`, 1), limit(1 << 20))
  source.asked.length = 0
  see(event('workload', 1, { from: 'docker', containerId: ID, container: 'web', memoryLimitBytes: 48 << 20 }))
  see(limit(undefined), limit(48 << 20), limit((48 << 20) - 4095), limit(1 << 20, 9))
  expect(source.asked).toEqual([])
  see(limit(64 << 20), limit(64 << 20), limit(80 << 20), limit(80 << 20))
  expect(source.asked).toEqual([{ containerId: ID, why: 'resized' }, { containerId: ID, why: 'resized' }])
  see(event('workload', 1, { from: 'docker', containerId: ID, container: 'web', memoryLimitBytes: 80 << 20 }), limit(80 << 20))
  expect(source.asked).toHaveLength(2)
})

test('a unit that is started is asked about, each time; one of a container, a user or another unit is not', () => {
  const source = new HandSource('systemd'), asked: UnitQuestion[] = [], names = new Names([Object.assign(source, { askUnit: (question: UnitQuestion) => { asked.push(question) } })]), model = createModel()
  const rows = [
    birth(7, '/system.slice/ssh.service', 1), birth(8, '/system.slice/ssh.service', 1), birth(9, '/system.slice/ssh.service/sub', 1), birth(10, `/system.slice/docker-${ID}.scope/system.slice/ssh.service`, 1),
    birth(11, '/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service', 1), birth(12, '/system.slice/web.service/ssh.service', 1), birth(13, '/user.slice/user-1000.slice/session-3.scope', 1),
    event('mark_victim', 2, { tid: 1, victimTid: 5, pid: 5, memcgId: 9 }),
  ]
  for (const row of rows) applyEvent(model, row)
  names.see(rows, model)
  expect(asked).toEqual([
    { cgroupPath: '/system.slice/ssh.service', why: 'birth' }, { cgroupPath: '/system.slice/ssh.service', why: 'birth' }, { cgroupPath: '/user.slice/user-1000.slice/session-3.scope', why: 'birth' }, { cgroupPath: '/system.slice/ssh.service', why: 'victim' },
  ])
  expect(source.asked.filter(({ why }) => why === 'victim')).toEqual([])
})

test('where only the kernel\'s log tells of a kill, its victim is asked about', () => {
  const source = new HandSource('cri'), names = new Names([source])
  const line = (text: string): Event => event('kmsg', 1, { seq: 1, level: 6, kmsgUs: 1, text })
  names.see([line(`oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${ID},mems_allowed=0,oom_memcg=${PATH},task_memcg=${PATH},task=java,pid=7,uid=0`), line('Memory cgroup out of memory: Killed process 7 (java)'), line(`not oom-kill:,task_memcg=${PATH},task=x`)], createModel())
  expect(source.asked).toEqual([{ containerId: ID, podUid: UID, why: 'victim' }])
})

test('closing closes every source', () => {
  const source = new HandSource('cri')
  new Names([source]).close()
  expect(source.health.state).toBe('closed')
})
