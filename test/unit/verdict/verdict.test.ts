/** Causes: whose limit it was decides; missing facts make an honest sentence. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { isOomCase } from '../../../src/model/case.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { C1, C2, MS, NODE, T0, UID, birth, decision, event, exit, fixture, fold, hello, killsOf, kmsg, limits, usage } from '../model/build.ts'

const only = (model: NodeModel) => verdictOf(model, model.cases[0]!)
const kill = (memcgId: number, victimMemcgId = 104): Event[] => decision({ tid: 384, tsNs: T0, memcgId, victims: [{ pid: 381, memcgId: victimMemcgId, comm: 'python3' }] })
const name = event('workload', T0 - 1e9, { from: 'pod-logs', podUid: UID, containerId: 'a'.repeat(64), namespace: 'batch', pod: 'etl-0', container: 'etl' })
const LIMIT = 64 << 20

test('the container\'s own limit', () => {
  expect(only(fold([...NODE, name, ...kill(104)]))).toEqual({
    cause: 'container-limit', level: 'container', confidence: 'likely', because: ['the cgroup whose limit was hit is a container'], doubts: ['only a probe tells of it'],
    sentence: 'Container etl of pod batch/etl-0 reached its memory limit of 64 MiB: the kernel killed python3 (pid 381, 2.9 MiB anonymous).',
    brief: 'Container etl of pod batch/etl-0 reached its memory limit of 64 MiB.',
  })
})

test('a single-container pod whose limit equals the container\'s is the container\'s limit', () => {
  const pause = usage(142, 700_000, T0 - 100 * MS)
  const verdict = only(fold([...NODE, name, limits(66, LIMIT), limits(104, LIMIT), pause, ...kill(66)]))
  expect(verdict).toMatchObject({ cause: 'container-limit', level: 'pod' })
  expect(verdict.sentence).toContain('Container etl of pod batch/etl-0 reached its memory limit of 64 MiB (the pod\'s limit is the same)')
})

test('an unlimited neighbour that uses a good part of the pod makes it the pod\'s limit', () => {
  expect(only(fold([...NODE, limits(66, LIMIT), limits(104, LIMIT), usage(142, 20 << 20, T0 - 100 * MS), ...kill(66)]))).toMatchObject({ cause: 'pod-limit' })
})

test('a container that died before the decision does not count, one that died with it does', () => {
  const death = (id: number, tsNs: number): Event => event('memcg_death', tsNs, { memcgId: id, path: '', by: 'inotify' })
  const before: Event[] = [...NODE, limits(66, LIMIT), limits(104, LIMIT), limits(142, LIMIT / 2)]
  expect(only(fold([...before, death(142, T0 - 5e9), ...kill(66)]))).toMatchObject({ cause: 'container-limit' })
  expect(only(fold([...before, ...kill(66), death(104, T0 + 12 * MS), death(66, T0 + 13 * MS)]))).toMatchObject({ cause: 'pod-limit' })
  expect(only(fold([...NODE, limits(66, LIMIT), limits(104, LIMIT), ...kill(66), death(104, T0 + 12 * MS)]))).toMatchObject({ cause: 'container-limit' })
})

test('a pod with two limited containers, or with a limit below its container\'s, is the pod\'s limit', () => {
  const verdict = only(fold([...NODE, name, limits(66, LIMIT), limits(104, LIMIT / 2), limits(142, LIMIT / 2), ...kill(66)]))
  expect(verdict).toMatchObject({ cause: 'pod-limit', level: 'pod' })
  expect(verdict.sentence).toContain('Pod batch/etl-0 reached its memory limit of 64 MiB: the kernel killed python3 (pid 381, 2.9 MiB anonymous) in container etl of pod batch/etl-0')
  expect(only(fold([...NODE, limits(66, LIMIT), limits(104, LIMIT * 2), ...kill(66)]))).toMatchObject({ cause: 'pod-limit' })
})

test('everything above the pod, and every other cgroup, is a slice', () => {
  expect(only(fold([...NODE, ...kill(3)]))).toMatchObject({ cause: 'slice-limit', level: 'qos' })
  expect(only(fold([...NODE, ...kill(2)]))).toMatchObject({ cause: 'slice-limit', level: 'kubepods' })
  expect(only(fold([...NODE, birth(70, '/system.slice/backup.service', 1), ...kill(70, 70)]))).toMatchObject({ cause: 'slice-limit', level: 'service', sentence: expect.stringContaining('Service backup.service reached') })
  expect(only(fold([...NODE, birth(70, '/lab', 1), ...kill(70, 70)]))).toMatchObject({ cause: 'slice-limit', level: 'cgroup' })
})

test('node, numa and sysrq', () => {
  const global = (over: { order?: number; constraint?: number }): Event[] => decision({ tid: 384, tsNs: T0, memcgId: 0, victims: [{ pid: 381, memcgId: 104 }], ...over })
  expect(only(fold([...NODE, ...global({})]))).toMatchObject({ cause: 'node', level: 'root' })
  expect(only(fold([...NODE, ...global({ constraint: 1 })]))).toMatchObject({ cause: 'numa' })
  expect(only(fold([...NODE, ...global({ constraint: 2 })]))).toMatchObject({ cause: 'numa' })
  expect(only(fold([...NODE, ...global({ order: -1 })]))).toMatchObject({ cause: 'sysrq' })
  expect(only(fold([hello(), ...kmsg(`sysrq: Manual OOM execution\n${fixture('7.2-global').replace('order=0', 'order=-1')}`, T0)]))).toMatchObject({ cause: 'sysrq' })
  expect(only(fold([hello(), ...kmsg(fixture('7.2-global'), T0)]))).toMatchObject({ cause: 'node' })
})

test('"no limit" read while a container was being made is none: its limit is read again after the kill', () => {
  const born = T0 - 400 * MS, young = [...NODE.slice(0, 5), birth(104, C1, 66, born), birth(142, C2, 66, born)]
  const read = (memcgId: number, tsNs: number, maxBytes?: number): Event => event('memcg_limits', tsNs, { memcgId, minBytes: 0, lowBytes: 0, highBytes: undefined, maxBytes, swapMaxBytes: undefined, oomGroup: false })
  const before = [...young, limits(66, LIMIT), read(104, born + MS), read(142, born + MS), ...kill(66), exit(381, 104, T0 + 9 * MS)]
  expect(only(fold(before))).toMatchObject({ cause: 'pod-limit', confidence: 'possible' })
  expect(only(fold([...before, read(104, T0 + 4 * MS, LIMIT)]))).toMatchObject({ cause: 'container-limit' })
  expect(only(fold([...before, read(104, T0 + 4 * MS, LIMIT / 2), read(142, T0 + 5 * MS, LIMIT / 2)]))).toMatchObject({ cause: 'pod-limit', confidence: 'likely' })
})

test('nobody killed', () => {
  expect(only(fold([...NODE, ...decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [] })]))).toMatchObject({ cause: 'invoked-no-kill', confidence: 'likely' })
})

/** Both containers have limits of their own: then it is the pod's. */
const HALVES = [limits(104, LIMIT / 2), limits(142, LIMIT / 2)]

test('two independent witnesses make it certain, a disagreement takes that away', () => {
  const log = fixture('6.1-v2-pod')
  expect(only(fold([...NODE, ...HALVES, ...kill(66).map((e) => e), killsOf(66, 0, T0 - MS), killsOf(66, 1, T0 + 50 * MS)])).confidence).toBe('certain')
  const agreeing = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 936 }] })
  expect(only(fold([...NODE, ...HALVES, ...agreeing, ...kmsg(log, T0 + 5 * MS), exit(381, 104, T0 + 9 * MS)])).confidence).toBe('certain')
  expect(only(fold([...NODE, ...HALVES, ...kill(66), ...kmsg(log, T0 + 5 * MS)])).confidence).toBe('likely')
})

const MARK = event('mark_victim', T0, { tid: 384, victimTid: 381, pid: 381, comm: 'hog', memcgId: 104, oomScoreAdj: 0, totalVmKb: 1, anonKb: 1, fileKb: 1, shmemKb: 1, pgtablesKb: 1, uid: 0 })
const BY_KERNEL = event('signal', T0, { signo: 9, code: 128, group: 1, result: 0, senderPid: 384, senderTid: 384, senderComm: 'hog', senderMemcgId: 142, targetTid: 381, targetComm: 'hog' })

test('a mark alone proves no kill, because who is dying anyway is marked, too', () => {
  const model = fold([...NODE, MARK, exit(381, 104, T0 + MS)]), verdict = only(model)
  expect(verdict).not.toHaveProperty('cause')
  expect(verdict).toMatchObject({ confidence: 'possible', sentence: 'hog (pid 381) was marked as a victim of the OOM killer; whether that killed it is not known, because only mark_victim tells of it, which marks processes that are dying anyway, too.' })
  expect(model.cases[0]!.victims[0]).not.toHaveProperty('killedBy')
})

test('without a witness for the limit the cause is absent and the sentence says why', () => {
  const verdict = only(fold([...NODE, MARK, BY_KERNEL]))
  expect(verdict).not.toHaveProperty('cause')
  expect(verdict.confidence).toBe('possible')
  expect(verdict.sentence).toBe(`The kernel killed hog (pid 381, 1 KiB anonymous) in container ${'a'.repeat(12)} of pod ${UID}; cause unknown, because neither a probe nor the kernel log told whose limit was hit.`)
})

test('with marks only, the memcg that counts oom for itself is the one whose limit was hit', () => {
  const counts = (memcgId: number, localOom: number, tsNs: number): Event => event('memcg_events', tsNs, { memcgId, oomKill: localOom, localOom } as never)
  const mark = event('mark_victim', T0, { tid: 384, victimTid: 381, pid: 381, comm: 'hog', memcgId: 104, oomScoreAdj: 0, totalVmKb: 1, anonKb: 1, fileKb: 1, shmemKb: 1, pgtablesKb: 1, uid: 0 })
  const model = fold([...NODE, ...HALVES, limits(66, LIMIT), counts(66, 0, T0 - 50 * MS), counts(104, 0, T0 - 50 * MS), mark, counts(66, 1, T0 + 50 * MS)])
  expect(only(model)).toMatchObject({ cause: 'pod-limit', confidence: 'certain' })
  expect(model.cases[0]!.limit).toEqual({ memcgId: 66, path: NODE[4]!.kind === 'memcg_birth' ? NODE[4]!.path : '', limitBytes: LIMIT })
})

test('a copy that fills its limit with unwritten file cache is told as such', () => {
  const stat = event('memcg_stat', T0 - 50 * MS, { memcgId: 104, anonBytes: 131072, fileBytes: 60 << 20, fileWritebackBytes: 33 << 20 } as never)
  expect(only(fold([...NODE, stat, ...kill(104)])).sentence).toContain('; the limit was filled with 128 KiB anonymous and 60 MiB file memory (33 MiB of it not yet written to disk).')
})

test('hostile names cannot break out of the sentence', () => {
  const rows = decision({ tid: 384, tsNs: T0, memcgId: 70, victims: [{ pid: 381, memcgId: 70, comm: '\u001b[2Jx\n\u009b31m' }] })
  const { sentence } = only(fold([hello(), birth(1, '/', 0), birth(70, '/evil\u202e\u001b]0;x\u0007', 1), ...rows]))
  expect(sentence).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  expect(sentence).toContain('\\x1b[2Jx\\x0a\\x9b31m')
  expect(sentence).toContain('\\u202e')
})

test('paths of both containers are told apart', () => {
  expect(C1).not.toBe(C2)
  expect(only(fold([...NODE, ...kill(66, 142)])).sentence).toContain('b'.repeat(12))
})

test('a pod of which nobody knows the containers\' limits is only possibly more than its container', () => {
  const verdict = only(fold([...NODE.slice(0, 6), ...kill(66), killsOf(66, 0, T0 - MS), killsOf(66, 1, T0 + 50 * MS)]))
  expect(verdict).toMatchObject({ cause: 'pod-limit', confidence: 'possible', doubts: [expect.stringContaining('more than one container is not known')] })
})

test('a kill that a self-test of oomscope caused is told as that and counts as nobody\'s; the same name deeper down hides nothing', () => {
  const own = fold([...NODE, birth(70, '/oomscope-selftest.381.oom', 1), ...kill(70, 70)]), borrowed = fold([...NODE, birth(70, '/lab', 1), birth(71, '/lab/oomscope-selftest.381.oom', 70), ...kill(71, 71)])
  expect([isOomCase(own.cases[0]!), isOomCase(borrowed.cases[0]!)]).toEqual([false, true])
  expect([only(own).sentence.startsWith('Self-test of oomscope: '), only(borrowed).sentence.startsWith('Self-test')]).toEqual([true, false])
  expect([killJson(own.cases[0]!, own).selfTest, killJson(borrowed.cases[0]!, borrowed).selfTest]).toEqual([true, undefined])
})
