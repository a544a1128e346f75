/** Deaths by a signal of a process: whose hand it was, and that memory had nothing to do with it. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { isSelfTest } from '../../../src/model/case.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killsSummary, killText } from '../../../src/view/kill-report.ts'
import { victimCount } from '../../../src/cli/feed.ts'
import { C1, MS, NODE, T0, UID, birth, decision, event, exit, fold, killsOf, shuffled } from '../model/build.ts'

/** 200: containerd's own cgroup. */
const DAEMONS: readonly Event[] = [...NODE, birth(200, '/system.slice/containerd.service', 1), birth(201, '/system.slice/systemd-oomd.service', 1), birth(202, '/user.slice/user-1000.slice/session-7.scope', 1)]
type From = { readonly comm: string; readonly pid?: number; readonly memcgId?: number }
const signal = (signo: number, target: number, tsNs: number, from: From, over: object = {}): Event => event('signal', tsNs, {
  signo, code: 0, group: 1, result: 0, senderPid: from.pid ?? 77, senderTid: from.pid ?? 77, senderComm: from.comm, senderMemcgId: from.memcgId ?? 200, targetTid: target, targetComm: 'nginx', ...over,
})
const SHIM: From = { comm: 'containerd-shim' }
const only = (model: NodeModel) => {
  expect(model.cases).toHaveLength(1)
  return verdictOf(model, model.cases[0]!)
}

test('SIGTERM, a grace period, SIGKILL by the runtime', () => {
  const rows = [signal(15, 381, T0 - 30e9, SHIM, { result: 1 }), signal(9, 381, T0, { comm: 'runc', pid: 90 }), exit(381, 104, T0 + 5 * MS)]
  const model = fold([...DAEMONS, ...rows]), verdict = only(model)
  expect(verdict).toMatchObject({ cause: 'runtime-stop', confidence: 'likely' })
  expect(verdict.sentence).toBe(`Stopped: runc (pid 90) killed hog (pid 381) in container ${'a'.repeat(12)} of pod 26ab26cd-6409-443f-a13c-fd6c231207c8 with SIGKILL, 30 s after SIGTERM. No OOM kill.`)
  expect(killJson(model.cases[0]!, model)).toMatchObject({
    cause: 'runtime-stop', witnesses: ['signal', 'exit'], victims: [{ pid: 381, path: C1, killedBy: { pid: 90, comm: 'runc' }, msToExit: 5 }],
    signal: { signal: 'SIGKILL', graceMs: 30_000, sender: { pid: 90, comm: 'runc', path: '/system.slice/containerd.service' }, asker: { pid: 77, comm: 'containerd-shim' } },
  })
  for (let seed = 1; seed <= 20; seed++) expect(fold([...DAEMONS, ...shuffled(rows, seed)]).cases, `seed ${seed}`).toHaveLength(1)
})

test('a program that calls itself runc inside a container is just a process', () => {
  expect(only(fold([...DAEMONS, signal(9, 381, T0, { comm: 'runc', memcgId: 142 }), exit(381, 104, T0 + MS)]))).toMatchObject({ cause: 'signal', confidence: 'certain' })
  expect(only(fold([...DAEMONS, signal(9, 381, T0, { comm: 'runc', memcgId: 9999 }), exit(381, 104, T0 + MS)]))).toMatchObject({ cause: 'runtime-stop', confidence: 'possible', doubts: ['the sender is known by its name only'] })
})

test('one of a logged-in user is known by its name only', () => {
  expect(only(fold([...DAEMONS, signal(9, 381, T0, { comm: 'systemd-oomd', memcgId: 202 }), exit(381, 104, T0 + MS)]))).toMatchObject({ cause: 'oom-daemon', confidence: 'possible' })
})

test('an eviction that the kubelet wrote of is as sure as the hand that carried it out', () => {
  const said = event('testimony', T0 - 5e9, { from: 'kubelet.log', says: 'evicted', podUid: UID }), by = (memcgId: number) => only(fold([...DAEMONS, said, signal(9, 381, T0, { comm: 'runc', memcgId }), exit(381, 104, T0 + MS)]))
  const systemd: From = { comm: 'systemd', pid: 1, memcgId: 201 }
  expect(only(fold([...DAEMONS, said, signal(9, 381, T0, systemd), exit(381, 104, T0 + MS)]))).toMatchObject({ cause: 'eviction', confidence: 'certain' })
  expect(by(200)).toMatchObject({ cause: 'eviction', confidence: 'certain' })
  for (const memcgId of [202, 9999]) expect(by(memcgId)).toMatchObject({ cause: 'eviction', confidence: 'possible', doubts: ['the sender is known by its name only'] })
})

test('systemd-oomd by cgroup.kill: one case, every process of the cgroup', () => {
  const oomd: From = { comm: 'systemd-oomd', memcgId: 201 }, rows = [381, 382, 383].flatMap((pid, i) => [signal(9, pid, T0 + i * 1e4, oomd, { group: 0 }), exit(pid, 104, T0 + MS + i * 1e4)])
  const model = fold([...DAEMONS, ...rows])
  expect(only(model)).toMatchObject({ cause: 'oom-daemon', confidence: 'certain', sentence: expect.stringContaining('systemd-oomd (pid 77) killed hog (pid 381) and 2 more in container') })
  expect(model.cases[0]!.victims.map((v) => v.pid)).toEqual([381, 382, 383])
  expect(model.cases[0]!.sentSignal).toMatchObject({ oneByOne: true })
  // tgkill() is to one thread, too, and says so.
  expect(fold([...DAEMONS, signal(9, 381, T0, { comm: 'bash', memcgId: 202 }, { group: 0, code: -6 }), exit(381, 104, T0 + MS)]).cases).toMatchObject([{ sentSignal: { oneByOne: false } }])
})

test('the marks that systemd-oomd leaves on the cgroup it chose are told, also from above the victim; alone they prove nothing', () => {
  const oomd: From = { comm: 'systemd-oomd', memcgId: 201 }, rows = [signal(9, 381, T0, oomd), exit(381, 104, T0 + MS)]
  const mark = (memcgId: number) => event('memcg_oomd', T0 + 2 * MS, { memcgId, ooms: 1, kills: 3 })
  expect(only(fold([...DAEMONS, ...rows])).because).toEqual(['the signal came from systemd-oomd'])
  for (const memcgId of [104, 66]) expect(only(fold([...DAEMONS, ...rows, mark(memcgId)])).because[1]).toMatch(/^the daemon's own marks are on .*: chosen once, 3 processes killed \(oomd_ooms, oomd_kill\)$/)
  expect(only(fold([...DAEMONS, signal(9, 381, T0, { comm: 'bash', memcgId: 202 }), exit(381, 104, T0 + MS), mark(104)]))).toMatchObject({ cause: 'signal' })
})

test('earlyoom asks first: death by its SIGTERM counts', () => {
  const gone = { ...exit(381, 104, T0 + 9 * MS), exitCode: 15 } as Event
  expect(fold([...DAEMONS, signal(15, 381, T0, { comm: 'bash', memcgId: 202 }), gone]).cases, 'SIGTERM of anybody else').toHaveLength(0)
  expect(only(fold([...DAEMONS, signal(15, 381, T0, { comm: 'earlyoom', memcgId: 201 }), gone]))).toMatchObject({ cause: 'oom-daemon', sentence: expect.stringContaining('with SIGTERM') })
})

test('a user', () => {
  const verdict = only(fold([...DAEMONS, signal(9, 381, T0, { comm: 'bash', memcgId: 202 }), exit(381, 104, T0 + MS)]))
  expect(verdict).toMatchObject({ cause: 'signal', sentence: expect.stringMatching(/^Killed by another process, not for memory: bash \(pid 77\) killed hog/) })
})

test('no exit by it, no case: refused, ignored, already dead, another process, too late', () => {
  const kill = signal(9, 381, T0, SHIM)
  expect(fold([...DAEMONS, kill]).cases).toHaveLength(0)
  expect(fold([...DAEMONS, signal(9, 381, T0, SHIM, { result: 1 }), exit(381, 104, T0 + MS)]).cases).toHaveLength(0)
  expect(fold([...DAEMONS, exit(381, 104, T0 - 90 * MS), kill]).cases).toHaveLength(0)
  expect(fold([...DAEMONS, kill, { ...exit(381, 104, T0 + MS), exitCode: 15 } as Event]).cases).toHaveLength(0)
  expect(fold([...DAEMONS, kill, exit(381, 104, T0 + 61e9)]).cases).toHaveLength(0)
  expect(fold([...DAEMONS, kill, exit(381, 1, T0 + MS)]).cases).toHaveLength(0)
})

test('the OOM killer\'s victim stays its victim, whoever else signals, in any order', () => {
  const kill = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104 }] }), rows = [...kill, signal(9, 381, T0 + 2 * MS, SHIM, { result: 2 }), exit(381, 104, T0 + 9 * MS), killsOf(66, 0, T0 - MS), killsOf(66, 1, T0 + 50 * MS)]
  for (let seed = 0; seed <= 60; seed++) {
    const { cases } = fold([...DAEMONS, ...(seed === 0 ? rows : shuffled(rows, seed))])
    expect(cases, `seed ${seed}`).toHaveLength(1)
    expect(cases[0]!.sentSignal, `seed ${seed}`).toBeUndefined()
  }
})

test('what the runtime ends after an OOM kill is told as that, and is not counted as an OOM kill', () => {
  const kill = decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] })
  const model = fold([...DAEMONS, ...kill, exit(381, 104, T0 + 9 * MS), signal(9, 400, T0 + 100 * MS, SHIM), exit(400, 104, T0 + 101 * MS)])
  expect(model.cases.map((c) => verdictOf(model, c).cause)).toEqual(['container-limit', 'runtime-stop'])
  expect(verdictOf(model, model.cases[1]!)).toMatchObject({ confidence: 'certain', sentence: expect.stringMatching(/^Ended after an OOM kill in the same cgroup/) })
  expect(victimCount(model)).toBe(1)
  expect(model.memcgs.get(104)!.killCount).toBe(1)
  expect(killsSummary(model)).toContain('1 kill case, 1 process killed; 1 more case of a signal that a process sent')
  expect(killText(model.cases[1]!, model)).toContain('SIGKILL')
})

test('thousands of signals do not push an OOM kill out of the list, nor its late witnesses', () => {
  const kill = decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104 }] }), births = Array.from({ length: 3000 }, (_, i) => birth(1000 + i, `/c${i}`, 1))
  const strokes = births.flatMap((_, i) => [signal(9, 5000 + i, T0 + MS + i * 1e5, { comm: 'bash', memcgId: 202 }), exit(5000 + i, 1000 + i, T0 + MS + i * 1e5 + 1e4)])
  const model = fold([...DAEMONS, ...births, ...kill, ...strokes, exit(381, 104, T0 + 1e9)])
  expect(model.cases.length).toBeLessThanOrEqual(1002)
  expect(model.cases.filter((target) => target.sentSignal === undefined)).toMatchObject([{ victims: [{ pid: 381, msToExit: expect.any(Number) as number }] }])
  expect(verdictOf(model, model.cases.at(-1)!).cause).toBe('signal')
})

test('the process that a self-test of another oomscope kills is told as that, and not as somebody\'s signal; one beside it is', () => {
  const bridge: From = { comm: 'oomscope-bridge', pid: 8642 }, kills = [signal(9, 8734, T0, bridge), exit(8734, 70, T0 + MS)]
  const own = fold([...DAEMONS, birth(70, '/oomscope-selftest.8642', 1), ...kills]), borrowed = fold([...DAEMONS, birth(69, '/lab', 1), birth(70, '/lab/oomscope-selftest.8642', 69), ...kills])
  expect([own.cases, borrowed.cases].map((cases) => cases.map(isSelfTest))).toEqual([[true], [false]])
  expect(only(own).sentence).toMatch(/^Self-test of oomscope: Killed by another process, not for memory: oomscope-bridge/)
  expect(killsSummary(own)).toBe('0 kill cases, 0 processes killed; 1 self-test of oomscope; nothing lost')
  expect(killsSummary(borrowed)).toContain('1 more case of a signal')
})
