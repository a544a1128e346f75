/** What belongs to another life: pids, paths and counts that come again are no evidence of a case, however long the fold has run. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent } from '../../../src/model/apply.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { C1, C2, MS, NODE, POD, T0, birth, decision, event, exit, fixture, fold, kmsg, limits, usage } from './build.ts'

const HOUR = 3600e9
const killed = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104 }] })
const signal = (signo: number, targetTid: number, tsNs: number, sender: { readonly comm: string; readonly pid: number; readonly code?: number; readonly memcgId?: number }, targetComm = 'hog'): Event => event('signal', tsNs, {
  signo, code: sender.code ?? 0, group: 1, result: 0, senderPid: sender.pid, senderTid: sender.pid, senderComm: sender.comm, senderMemcgId: sender.memcgId ?? 200, targetTid, targetComm,
})
const process = (pid: number, startNs: number, tsNs: number, memcgId = 104): Event => event('process', tsNs, { pid, startNs, memcgId, ppid: 1, uid: 0, threads: 1, comm: 'hog' })

test('who allocated when the kernel killed an earlier process of this pid is not the invoker', () => {
  const log = kmsg(fixture('6.1-v2-pod').replace('CPU: 0 PID: 384', 'CPU: 0 PID: 385'), T0 + HOUR)
  const [kill] = fold([...NODE, signal(9, 381, T0, { comm: 'ghost', pid: 999, code: 128 }), ...log]).cases
  expect(kill?.invoker).toEqual({ pid: 385, comm: 'hog' })
})

test('a SIGTERM to an earlier process of this pid began no grace period', () => {
  const bash = { comm: 'bash', pid: 50 }, shim = { comm: 'containerd-shim', pid: 77 }, end = [signal(9, 381, T0, shim), exit(381, 104, T0 + MS)], node = [...NODE, birth(200, '/system.slice/containerd.service', 1)]
  const graceOf = (rows: readonly Event[]): number | undefined => fold([...node, ...rows]).cases[0]?.sentSignal?.graceNs
  const earlier = signal(15, 381, T0 - 20e9, bash), young = process(381, T0 - 10e9, T0 - 9e9), old = process(381, T0 - 30e9, T0 - 29e9)
  expect(graceOf([earlier, young, ...end])).toBeUndefined()
  expect(graceOf([old, earlier, ...end])).toBe(20e9)
  expect(graceOf([earlier, young, signal(15, 381, T0 - 5e9, shim), ...end])).toBe(5e9)
  // Of one that was never seen in /proc only the name can tell.
  expect(graceOf([signal(15, 381, T0 - 20e9, bash, 'cat'), ...end])).toBeUndefined()
  expect(graceOf([earlier, ...end])).toBe(20e9)
})

test('a cgroup that was made anew at the path of the log is not the one whose limit was hit', () => {
  const again = [event('memcg_death', T0 + 100 * MS, { memcgId: 66, path: POD, by: 'inotify' }), birth(266, POD, 3, T0 + 200 * MS), usage(266, 1 << 20, T0 + 210 * MS), birth(304, `${POD}/${'c'.repeat(64)}`, 266, T0 + 220 * MS)]
  const model = fold([...NODE, limits(66, 64 << 20), usage(66, 64 << 20, T0 - 50 * MS), usage(104, 43 << 20, T0 - 50 * MS), ...kmsg(fixture('6.1-v2-pod'), T0), ...again, event('oom_reap', T0 + 300 * MS, { victimTid: 381, phase: 3 })])
  expect(model.cases).toMatchObject([{ limit: { memcgId: 66, path: POD } }])
  expect(model.cases[0]?.holderChildren?.map(({ path }) => path)).toEqual([C1, C2])
})

test('the death of a later process with the victim\'s pid is not the victim\'s, however often its case is looked at again', () => {
  const late = event('memcg_limits', T0 + HOUR + 1e9, { memcgId: 142 })
  const model = fold([...NODE, birth(143, `${POD}/${'c'.repeat(64)}`, 66, T0 - 5e9), ...killed, exit(381, 104, T0 + HOUR), late, { ...late, memcgId: 143 } as Event])
  expect(model.cases).toHaveLength(1)
  expect(model.cases[0]?.victims[0]).not.toHaveProperty('exitNs')
})

test('that a young neighbour has no limit is believed once it had the time to get one, also when its case is final by then', () => {
  const young = birth(142, C2, 66, T0 - 5e9), read = (tsNs: number): Event => event('memcg_limits', tsNs, { memcgId: 142 })
  const model = fold([...NODE.slice(0, 6), young, limits(104, 32 << 20), limits(66, 64 << 20), read(T0 - 4e9), ...decision({ tid: 381, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104 }] })])
  const sure = (): string => verdictOf(model, model.cases[0]!).confidence
  expect(sure()).toBe('possible')
  applyEvent(model, read(T0 + 25e9))
  expect(sure()).toBe('possible')
  applyEvent(model, read(T0 + 35e9))
  expect(model.cases[0]?.holderChildren?.every(({ limitsRead }) => limitsRead === true)).toBe(true)
  expect(sure()).toBe('likely')
})

test('what another process of this pid in another cgroup runs is not the victim\'s program', () => {
  const command = event('process_command', T0 - 8e9, { pid: 381, startNs: T0 - 10e9, commandLine: 'runc init', settings: '', environRead: true })
  const programIn = (memcgId: number): unknown => fold([...NODE, process(381, T0 - 10e9, T0 - 9e9, memcgId), command, ...killed]).cases[0]?.victims[0]?.program
  for (const memcgId of [104, 66]) expect(programIn(memcgId)).toMatchObject({ commandLine: 'runc init' })
  expect(programIn(142)).toBeUndefined()
})

test('a count that was read late is the kill that was told meanwhile, and no second one', () => {
  const count = (tsNs: number, oomKill: number): Event => event('memcg_events', tsNs, { memcgId: 104, oomKill })
  const model = fold([...NODE, count(T0 - 15e9, 0), ...killed, count(T0 + 17e9, 1), event('clock', T0 + 30e9, { wallMs: 1, bootNs: T0 + 30e9 })])
  expect(model.cases).toMatchObject([{ victims: [{ pid: 381 }] }])
})
