/** Cases: every witness of a kill becomes one case, whatever the order of arrival; what is no kill becomes none. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent } from '../../../src/model/apply.ts'
import { C1, C2, NODE, POD, T0, MS, birth, decision, event, exit, fixture, fold, hello, interleaved, killsOf, kmsg, limits, shuffled, usage } from './build.ts'

const LONG_MIN = -(2 ** 63)
/** kernel-facts.md §7 (b): the pod's limit, allocator 384 in c2, victim 381 in c1. */
const podLimit = (tsNs = T0): Event[] => decision({
  tid: 384, tsNs, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 936 }],
  candidates: [{ pid: 375, points: LONG_MIN, memcgId: 104, adj: -1000, comm: 'pause' }, { pid: 381, points: 10638, memcgId: 104, adj: 936 }, { pid: 384, points: 6332, memcgId: 142, adj: 936 }],
})

test('a decision seen by probes names limit, invoker, candidates and victim', () => {
  const model = fold([...NODE, ...podLimit(), exit(381, 104, T0 + 13 * MS)])
  expect(model.cases).toHaveLength(1)
  expect(model.cases[0]).toMatchObject({
    constraint: 3, order: 0, gfp: 0xcc0, closed: true, candidatesFrom: 'oom_badness', group: false, totalBytes: 64 << 20,
    limit: { memcgId: 66, path: POD, limitBytes: 64 << 20, usageBytes: 64 << 20 },
    invoker: { pid: 384, comm: 'hog', memcgId: 66 }, witnesses: ['probe'],
    victims: [{ pid: 381, path: C1, points: 9866, oomScoreAdj: 936, anonBytes: 3000 * 1024, killedBy: { pid: 0, comm: 'kernel' } }],
  })
  const kill = model.cases[0]!
  expect(kill.limit).not.toHaveProperty('swapLimitBytes')
  expect(kill.candidates.map((c) => [c.pid, c.eligible, c.chosen, c.points])).toEqual([[381, true, true, 10638], [384, true, false, 6332], [375, false, false, undefined]])
  expect(kill.victims[0]!.msToExit).toBeGreaterThan(12)
  expect(kill.victims[0]!.msToExit).toBeLessThan(13)
  expect(model.memcgs.get(104)!.killCount).toBe(1)
  expect(kill.id).toBe(`4d1c9a6e-${kill.tsNs}-381`)
})

test('probe, kernel log, signal, exit and memory.events in any order make the same case', () => {
  const before = [...NODE, limits(66, 64 << 20), usage(104, 43 << 20, T0 - 100 * MS), usage(142, 20 << 20, T0 - 100 * MS), killsOf(66, 0, T0 - 50 * MS)]
  const free = [...podLimit(), exit(381, 104, T0 + 13 * MS), killsOf(66, 1, T0 + 40 * MS), event('oom_reap', T0 + 9 * MS, { victimTid: 381, phase: 3 })]
  const log = kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS)
  const expected = fold([...before, ...free, ...log]).cases
  expect(expected).toHaveLength(1)
  expect(expected[0]).toMatchObject({ witnesses: ['probe', 'kmsg', 'memory.events'], oomKillRise: 1, disagreements: [], composition: { anonBytes: 65961984, fileWritebackBytes: 4096, slabBytes: 499488 }, contributors: [{ path: C1 }, { path: C2 }] })
  for (let seed = 1; seed <= 300; seed++) expect(fold([...before, ...interleaved(free, log, seed)]).cases, `seed ${seed}`).toEqual(expected)
})

test('the same with memory.oom.group: one decision, each victim once', () => {
  const before: Event[] = [hello(), birth(1, '/', 0), birth(9, '/kubepods.slice', 1), birth(66, '/kubepods.slice/grp', 9)]
  const rows = decision({ tid: 503, tsNs: T0, memcgId: 66, limitBytes: 40 << 20, group: true, victims: [{ pid: 503, memcgId: 66 }, { pid: 500, comm: 'sh', memcgId: 66 }, { pid: 502, memcgId: 66 }] })
  const log = kmsg(fixture('6.12-v2-group'), T0 + 5 * MS), expected = fold([...before, ...rows, ...log]).cases
  expect(expected).toHaveLength(1)
  expect(expected[0]!.victims.map((v) => v.pid)).toEqual([503, 500, 502])
  expect(expected[0]).toMatchObject({ group: true, disagreements: [], witnesses: ['probe', 'kmsg'] })
  for (let seed = 1; seed <= 300; seed++) expect(fold([...before, ...interleaved(rows, log, seed)]).cases, `seed ${seed}`).toEqual(expected)
})

test('the kernel log alone tells the whole case, with points computed as the kernel does', () => {
  const model = fold([...NODE, ...kmsg(fixture('6.1-v2-pod'), T0)]), kill = model.cases[0]!
  expect(model.cases).toHaveLength(1)
  expect(kill).toMatchObject({
    constraint: 3, gfpText: 'GFP_KERNEL', candidatesFrom: 'kmsg', totalBytes: 64 << 20, closed: true, witnesses: ['kmsg'],
    limit: { memcgId: 66, path: POD, limitBytes: 64 << 20, usageBytes: 64 << 20 }, invoker: { pid: 384, comm: 'hog' },
    victims: [{ pid: 381, comm: 'hog', path: C1, oomScoreAdj: 936, anonBytes: 41856 * 1024, pgtablesBytes: 72 * 1024 }],
  })
  // rss + pgtables/4096 + adj · (16384/1000): 10620 + 18 + 936·16.
  expect(kill.candidates.find((c) => c.pid === 381)).toMatchObject({ points: 10620 + 18 + 936 * 16, chosen: true, eligible: true })
  expect(kill.victims[0]!.points).toBe(10620 + 18 + 936 * 16)
})

test('a path that a probe could not give whole is completed by the log, in any order, and is no disagreement', () => {
  const long = `${C1}/${'x'.repeat(90)}`, cut = `${long.slice(0, 199)}…`
  const born: Event[] = [hello(), birth(1, '/', 0), event('memcg_birth', T0 - MS, { memcgId: 104, parentId: 66, path: cut, by: 'probe' })]
  const rows = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 936 }] })
  const log = kmsg(fixture('6.1-v2-pod').replaceAll(C1, long), T0 + 5 * MS)
  for (const events of [[...born, ...rows, ...log], [...born, ...log, ...rows], [...log, ...born, ...rows]]) {
    const [kill] = fold(events).cases
    expect(kill).toMatchObject({ disagreements: [], victims: [{ pid: 381, path: long }] })
  }
  // Without the log it stays what it is, and another path is still a disagreement.
  expect(fold([...born, ...rows]).cases[0]!.victims[0]!.path).toBe(cut)
  expect(fold([...born, ...rows, ...kmsg(fixture('6.1-v2-pod').replaceAll(C1, `${C2}/${'x'.repeat(90)}`), T0 + 5 * MS)]).cases[0]!.disagreements).not.toEqual([])
})

test('without the node\'s swap size the total, and so the points, are not known', () => {
  const [, ...rest] = NODE, kill = fold([...rest, ...kmsg(fixture('6.1-v2-pod'), T0)]).cases[0]!
  expect(kill.candidates).toHaveLength(3)
  for (const candidate of kill.candidates) expect(candidate.points).toBeUndefined()
  expect(kill.totalBytes).toBeUndefined()
})

test('v1 without kprobes: mark, signal and exit give the victim, the log gives the limit, hostile names do not confuse it', () => {
  const path = '/hostile-test/a,task_memcg=x', comm = 'x (y),pid=1)'
  const before: Event[] = [hello({ memcgVersion: 'v1' }), birth(1, '/', 0), birth(50, '/hostile-test', 1), birth(51, path, 50)]
  const free: Event[] = [
    event('signal', T0, { signo: 9, code: 128, group: 1, result: 0, senderPid: 18507, senderTid: 18507, senderComm: comm, senderMemcgId: 51, targetTid: 18507, targetComm: comm }),
    event('mark_victim', T0 + 1e4, { tid: 18507, victimTid: 18507, pid: 18507, comm, memcgId: 51, oomScoreAdj: 0, totalVmKb: 34056, anonKb: 24064, fileKb: 1764, shmemKb: 0, pgtablesKb: 108, uid: 0 }),
    event('task_exit', T0 + 6 * MS, { pid: 18507, comm, memcgId: 51, exitCode: 9, maxRssPages: 6457 }),
  ]
  const log = kmsg(fixture('6.18-v1-hostile'), T0 + 2 * MS), expected = fold([...before, ...free, ...log]).cases
  expect(expected).toHaveLength(1)
  expect(expected[0]).toMatchObject({
    limit: { memcgId: 50, path: '/hostile-test', limitBytes: 24576 * 1024 }, disagreements: [], witnesses: ['probe', 'kmsg'], candidatesFrom: 'kmsg',
    victims: [{ pid: 18507, comm, path }], invoker: { pid: 18507, comm, path }, composition: { anonBytes: 24862720, fileBytes: 69632 },
  })
  expect(expected[0]!.limit).not.toHaveProperty('swapLimitBytes')
  expect(expected[0]!.candidates.map((c) => c.comm)).toEqual([comm, 'sleep'])
  for (let seed = 1; seed <= 100; seed++) expect(fold([...before, ...interleaved(free, log, seed)]).cases, `seed ${seed}`).toEqual(expected)
})

test('a run without a kill while the victim is exiting belongs to that kill', () => {
  const again = decision({ tid: 384, tsNs: T0 + 5 * MS, memcgId: 66, victims: [] })
  const model = fold([...NODE, ...podLimit(), ...again, exit(381, 104, T0 + 20 * MS)])
  expect(model.cases).toHaveLength(1)
  expect(model.cases[0]).toMatchObject({ invokedWhileExiting: 1, victims: [{ pid: 381 }] })
})

test('a storm of rounds that wait for a dying process is one case without a victim, and a kill in it is another', () => {
  const round = (i: number, pid?: number): Event[] => decision({ tid: 384, tsNs: T0 + i * 10 * MS, memcgId: 66, victims: [], ...(pid === undefined ? {} : { exiting: pid }) })
  const rows = [...NODE, ...round(0, 381), ...[1, 2, 3, 4].flatMap((i) => round(i))]
  const model = fold([...rows, exit(381, 104, T0 + 45 * MS), ...round(5), ...decision({ tid: 384, tsNs: T0 + 60 * MS, memcgId: 66, victims: [{ pid: 400, memcgId: 104 }] })])
  expect(model.cases.map(({ noKill, exitingPid, invokedWhileExiting, victims }) => ({ noKill, exitingPid, invokedWhileExiting, victims: victims.map(({ pid }) => pid) }))).toEqual([
    { noKill: true, exitingPid: 381, invokedWhileExiting: 4, victims: [] }, { noKill: true, exitingPid: undefined, invokedWhileExiting: undefined, victims: [] }, { noKill: undefined, exitingPid: undefined, invokedWhileExiting: undefined, victims: [400] },
  ])
})

/** What the kernel logs when it finds nobody whom it may kill (out_of_memory). */
const impasse = (path: string, tsNs: number): Event[] => kmsg([
  'hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-1000', 'CPU: 1 PID: 384 Comm: hog Not tainted 6.12.107 #1', 'memory: usage 65536kB, limit 65536kB, failcnt 7',
  `Memory cgroup stats for ${path}:`, 'anon 66818048', 'Tasks state (memory values in pages):', '[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name',
  '[    384]     0   384    16614    16495   172032        0         -1000 hog', 'Out of memory and no killable processes...',
].join('\n'), tsNs)
const empty = (tsNs: number): Event[] => decision({ tid: 384, tsNs, memcgId: 66, victims: [] })
const roundsOf = (events: readonly Event[]) => fold([...NODE, ...events]).cases.map(({ noKill, limit, invokedWhileExiting, witnesses }) => [noKill, limit?.path, invokedWhileExiting, witnesses])
const ROUNDS = Array.from({ length: 300 }, (_, i) => T0 + i * 10 * MS), HOLDER = fold(NODE).memcgs.get(66)!.path

test('round after round in which nobody may be killed is one case, whoever tells of it; another limit and another time have their own', () => {
  expect(roundsOf(ROUNDS.flatMap((ns) => impasse(HOLDER, ns)))).toEqual([[true, HOLDER, 299, ['kmsg']]])
  expect(roundsOf(ROUNDS.flatMap(empty))).toEqual([[true, HOLDER, 299, ['probe']]])
  // Either witness may be read first.
  expect(roundsOf(ROUNDS.flatMap((ns) => [...impasse(HOLDER, ns), ...empty(ns)]))).toEqual([[true, HOLDER, 299, ['probe', 'kmsg']]])
  expect(roundsOf(ROUNDS.flatMap((ns) => [...empty(ns), ...impasse(HOLDER, ns)]))).toEqual([[true, HOLDER, 299, ['probe', 'kmsg']]])
  expect(roundsOf([T0, T0 + MS, T0 + 2 * MS].flatMap((ns) => [...impasse(HOLDER, ns), ...impasse('/other', ns)]))).toEqual([[true, HOLDER, 2, ['kmsg']], [true, '/other', 2, ['kmsg']]])
  expect(roundsOf([T0, T0 + MS, T0 + 30e9].flatMap((ns) => impasse(HOLDER, ns)))).toEqual([[true, HOLDER, 1, ['kmsg']], [true, HOLDER, undefined, ['kmsg']]])
})

test('others of its PID namespace that die with a victim are counted in the evidence and are no victims', () => {
  const zapped = [501, 502].map((pid, i) => event('signal', T0 + (12 + i) * MS, { signo: 9, code: 128, group: 1, result: 0, senderPid: 381, senderTid: 381, senderComm: 'x', senderMemcgId: 104, targetTid: pid, targetComm: 'kid' }))
  const model = fold([...NODE, ...podLimit(), exit(381, 104, T0 + 11 * MS), ...zapped, exit(501, 104, T0 + 14 * MS), exit(502, 104, T0 + 15 * MS)])
  expect(model.cases.map(({ victims }) => victims.map(({ pid }) => pid))).toEqual([[381]])
  expect(model.cases[0]!.evidence.map(({ fact }) => fact)).toContainEqual(expect.stringContaining('the kernel ended 2 more processes with'))
})

test('whom a process killed and the OOM killer then found dying is a victim of the process, in any order of the rows', () => {
  const sent = event('signal', T0 - MS, { signo: 9, code: 0, group: 1, result: 0, senderPid: 77, senderTid: 77, senderComm: 'tracer', senderMemcgId: 1, targetTid: 381, targetComm: 'x' })
  const picked = event('oom_pick', T0 + 3e4, { tid: 384, pid: 381, comm: 'x', memcgId: 104, oomScoreAdj: 0, pointsPages: 7500, totalPages: 12288, constraint: 3 })
  const [enter, ...rest] = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [], exiting: 381 }), round = decision({ tid: 384, tsNs: T0 + 9 * MS, memcgId: 66, victims: [] })
  for (let seed = 1; seed <= 50; seed++) {
    const { cases } = fold([...NODE, ...interleaved([sent, exit(381, 104, T0 + 20 * MS)], [enter!, ...rest.slice(0, 2), picked, ...rest.slice(2), ...round], seed)])
    expect(cases.map(({ noKill, exitingPid, sentSignal, victims }) => ({ noKill, exitingPid, by: sentSignal?.sender.comm, victims: victims.map(({ pid }) => pid) })), `seed ${seed}`).toEqual([
      { noKill: undefined, exitingPid: undefined, by: 'tracer', victims: [381] }, { noKill: true, exitingPid: 381, by: undefined, victims: [] },
    ])
  }
})

test('a run without a kill after the victim has gone is a case of its own, with nobody in it', () => {
  const model = fold([...NODE, ...podLimit(), exit(381, 104, T0 + 3 * MS), ...decision({ tid: 384, tsNs: T0 + 5 * MS, memcgId: 66, victims: [] })])
  expect(model.cases.map((c) => [c.victims.length, c.noKill])).toEqual([[1, undefined], [0, true]])
})

test('a run without a kill for another limit is not folded', () => {
  const model = fold([...NODE, ...podLimit(), ...decision({ tid: 500, tsNs: T0 + 5 * MS, memcgId: 142, victims: [] })])
  expect(model.cases).toHaveLength(2)
})

test('two decisions of one thread are two cases, also 50 ms apart', () => {
  const second = decision({ tid: 384, tsNs: T0 + 50 * MS, memcgId: 66, victims: [{ pid: 384, memcgId: 142 }] })
  expect(fold([...NODE, ...podLimit(), ...second]).cases.map((c) => c.victims.map((v) => v.pid))).toEqual([[381], [384]])
})

test('two marks of one thread are two cases, unless memory.oom.group makes them one', () => {
  const pair = (pid: number, tsNs: number): Event[] => [
    event('signal', tsNs, { signo: 9, code: 128, group: 1, result: 0, senderPid: 384, senderTid: 384, senderComm: 'hog', senderMemcgId: 142, targetTid: pid, targetComm: 'hog' }),
    event('mark_victim', tsNs + 1e4, { tid: 384, victimTid: pid, pid, comm: 'hog', memcgId: 104, oomScoreAdj: 0, totalVmKb: 1, anonKb: 1, fileKb: 1, shmemKb: 1, pgtablesKb: 1, uid: 0 }),
  ]
  const rows = [...pair(381, T0), ...pair(382, T0 + MS)]
  expect(fold([...NODE, ...rows]).cases).toHaveLength(2)
  const grouped = fold([...NODE, limits(104, 1 << 20, true), ...rows]).cases
  expect(grouped).toHaveLength(1)
  expect(grouped[0]).toMatchObject({ group: true, victims: [{ pid: 381 }, { pid: 382 }] })
})

test('SIGKILL by the kernel without an OOM victim is no case, and one by a process without its exit neither', () => {
  const signal = (code: number): Event => event('signal', T0, { signo: 9, code, group: 1, result: 0, senderPid: 1, senderTid: 1, senderComm: 'init', senderMemcgId: 1, targetTid: 381, targetComm: 'hog' })
  expect(fold([...NODE, signal(128), exit(381, 104, T0 + MS)]).cases).toHaveLength(0)
  expect(fold([...NODE, signal(0)]).cases).toHaveLength(0)
  expect(fold([...NODE, signal(0), exit(382, 104, T0 + MS)]).cases).toHaveLength(0)
})

test('a mark without its SIGKILL is a task that was exiting anyway', () => {
  const other = event('signal', T0 - MS, { signo: 15, code: 0, group: 1, result: 0, senderPid: 1, senderTid: 1, senderComm: 'init', senderMemcgId: 1, targetTid: 9, targetComm: 'x' })
  const mark = event('mark_victim', T0, { tid: 381, victimTid: 381, pid: 381, comm: 'hog', memcgId: 104, oomScoreAdj: 0, totalVmKb: 1, anonKb: 1, fileKb: 1, shmemKb: 1, pgtablesKb: 1, uid: 0 })
  expect(fold([...NODE, other, mark]).cases).toHaveLength(0)
})

test('a victim whose leader is gone is one process under several thread ids', () => {
  const rows = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 394, tid: 395, memcgId: 104 }] })
  const log = kmsg('Memory cgroup out of memory: Killed process 395 (hog) total-vm:45248kB, anon-rss:41856kB, file-rss:624kB, shmem-rss:0kB, UID:0 pgtables:72kB oom_score_adj:0', T0 + 2 * MS)
  for (let seed = 1; seed <= 50; seed++) {
    const { cases } = fold([...NODE, ...interleaved(rows, log, seed)])
    expect(cases, `seed ${seed}`).toHaveLength(1)
    expect(cases[0]!.victims).toMatchObject([{ pid: 394, tids: [395] }])
    expect(cases[0]!.witnesses).toEqual(['probe', 'kmsg'])
  }
})

test('a log that names the process in "oom-kill:" and a thread in "Killed process" tells one case, with and without task table', () => {
  const log = fixture('6.18-v1-hostile').replace('[  18507]     0 18507', '[  18508]     0 18507').replace('Killed process 18507', 'Killed process 18508')
  expect(fold([hello(), ...kmsg(log, T0)]).cases.map((c) => c.victims)).toMatchObject([[{ pid: 18507, tids: [18508] }]])
  const [kill, ...others] = fold([hello(), ...kmsg(log.replace(/^(Tasks state|\[).*\n/gm, ''), T0)]).cases
  expect(others).toEqual([])
  expect(kill!.victims.map((v) => v.tids)).toEqual([[18508]])
})

test('when the tracer dies in the middle, the kernel log finishes the case', () => {
  const rows = podLimit(), cut = rows.slice(0, rows.findIndex((e) => e.kind === 'oom_pick'))
  const model = fold([...NODE, ...cut, ...kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS)])
  expect(model.cases).toHaveLength(1)
  expect(model.cases[0]).toMatchObject({ witnesses: ['probe', 'kmsg'], candidatesFrom: 'oom_badness', closed: true, victims: [{ pid: 381, comm: 'hog' }], limit: { memcgId: 66 } })
})

test('when the tracer dies after its pick and nothing else is heard, the pick stands as the likely victim', () => {
  const rows = podLimit(), cut = rows.slice(0, rows.findIndex((e) => e.kind === 'oom_pick') + 1)
  const model = fold([...NODE, ...cut])
  expect(model.cases).toHaveLength(0)
  applyEvent(model, event('tracer', T0 + MS, { state: 'exited', pid: 1, detail: undefined }))
  expect(model.cases).toMatchObject([{ victims: [{ pid: 381 }], closed: false }])
})

test('the log of a rate-limited decision still names the victim', () => {
  const line = (pid: number): string => `Memory cgroup out of memory: Killed process ${pid} (hog) total-vm:45248kB, anon-rss:41856kB, file-rss:624kB, shmem-rss:0kB, UID:0 pgtables:72kB oom_score_adj:0`
  const { cases } = fold([...NODE, ...kmsg(`${fixture('6.1-v2-pod')}${line(390)}\n${line(391)}\n`, T0)])
  expect(cases.map((c) => c.victims.map((v) => v.pid))).toEqual([[381], [390], [391]])
  expect(cases[1]!.limit).toBeUndefined()
})

test('witnesses that differ are told, not smoothed', () => {
  const log = fixture('6.1-v2-pod').replace('limit 65536kB', 'limit 70000kB').replaceAll('(hog) total', '(cat) total')
  const [kill] = fold([...NODE, ...podLimit(), ...kmsg(log, T0 + 5 * MS)]).cases
  expect(kill!.disagreements).toHaveLength(2)
  expect(kill!.disagreements.join()).toContain(String(70000 * 1024))
})

test('the same pid a minute later is another kill', () => {
  const { cases } = fold([...NODE, ...podLimit(), ...kmsg(fixture('6.1-v2-pod'), T0 + 60e9)])
  expect(cases).toHaveLength(2)
  expect(cases.map((c) => c.witnesses)).toEqual([['probe'], ['kmsg']])
})

test('an exit before the kill, or the next exit of the same pid, is another process', () => {
  const early = fold([...NODE, exit(381, 104, T0 - 5e9), ...podLimit()]).cases[0]!
  expect(early.victims[0]!.msToExit).toBeUndefined()
  const twice = fold([...NODE, ...podLimit(), exit(381, 104, T0 + 13 * MS), exit(381, 104, T0 + 90e9)]).cases[0]!
  expect(twice.victims[0]!.exitNs).toBe(T0 + 13 * MS)
})

test('a global OOM: the node is the limit and every task has points', () => {
  const [kill] = fold([hello(), ...kmsg(fixture('7.2-global'), T0)]).cases
  expect(kill).toMatchObject({ constraint: 0, limit: { memcgId: 0, path: '/', limitBytes: 943_230_976 }, totalBytes: 943_230_976, victims: [{ pid: 210, path: '/user.slice' }] })
  expect(kill!.candidates.map((c) => [c.pid, c.eligible, c.chosen])).toEqual([[210, true, true], [214, true, false], [171, true, false], [1, false, false]])
  // kernel-facts.md §7 (c): 198671 points for the small one at 900 of 230281 pages, more than the 641 MB hog.
  expect(kill!.candidates[0]!.points).toBe(5140 + 18 + 900 * Math.floor(943_230_976 / 4096 / 1000))
})

test('what a page counter calls unlimited depends on the size of a page', () => {
  const rows = podLimit().map((row) => (row.kind === 'oom_limit' ? { ...row, maxPages: 1024, swapMaxPages: 2 ** 47 - 1 } : row)), of = (pageSizeBytes: number) => fold([hello({ pageSizeBytes }), ...NODE.slice(1), ...rows]).cases[0]?.limit
  expect(of(65_536)).toMatchObject({ limitBytes: 64 << 20 })
  expect(of(65_536)).not.toHaveProperty('swapLimitBytes')
  expect(of(4096)).toHaveProperty('swapLimitBytes')
})

test('lines written long before the stream are not kills of now', () => {
  const old = kmsg(fixture('6.1-v2-pod'), T0).map((e) => ({ ...e, kmsgUs: 1e6 }) as Event)
  expect(fold([hello({ tsNs: T0 - 1 }), ...old]).cases).toHaveLength(0)
})

test('reclaim before the decision comes from the counters of the memcg reclaimed', () => {
  const counter = (index: number, value: number, tsNs: number): Event => event('counter', tsNs, { counter: index, key: 66, value })
  const clock = (tsNs: number): Event => event('clock', tsNs, { wallMs: 1, bootNs: tsNs })
  const [kill] = fold([...NODE, clock(T0 - 40e9), clock(T0 - 30e9), counter(0, 5e9, T0 - 20e9), counter(1, 100, T0 - 20e9), counter(0, 5.3e9, T0 - 2e9), counter(1, 117, T0 - 2e9), counter(2, 300, T0 - 2e9), ...podLimit()]).cases
  expect(kill!.reclaim).toEqual({ attempts: 17, stalledNs: 0.3e9, reclaimedPages: 300 })
  expect(fold([...NODE, ...podLimit()]).cases[0]!.reclaim).toBeUndefined()
})

test('what was tried last is in the print that comes after the decision, and in no later one; nothing counted is nothing known', () => {
  const counter = (value: number, tsNs: number): Event => event('counter', tsNs, { counter: 1, key: 66, value })
  const clocks = [T0 - 40e9, T0 - 30e9].map((tsNs) => event('clock', tsNs, { wallMs: 1, bootNs: tsNs })), end = event('clock', T0 + 5e9, { wallMs: 1, bootNs: T0 + 5e9 })
  const reclaimed = (...after: readonly Event[]): unknown => fold([...NODE, ...clocks, counter(1, T0 - 20e9), ...podLimit(), ...after, end]).cases[0]!.reclaim
  expect(reclaimed()).toBeUndefined()
  expect(reclaimed(counter(18, T0 + 0.9e9), counter(99, T0 + 1.9e9))).toMatchObject({ attempts: 17 })
  expect(reclaimed(counter(18, T0 + 1.1e9), counter(99, T0 + 2.1e9))).toMatchObject({ attempts: 17 })
})

test('samples older than two seconds, or younger than the decision, are not its composition', () => {
  const stat = (tsNs: number, anonBytes: number): Event => event('memcg_stat', tsNs, { memcgId: 66, anonBytes } as never)
  expect(fold([...NODE, stat(T0 - 3e9, 5), ...podLimit()]).cases[0]!.composition).toBeUndefined()
  const late = fold([...NODE, stat(T0 - 60 * MS, 7), stat(T0 + 40 * MS, 1), ...podLimit()]).cases[0]!
  expect(late.composition).toEqual({ anonBytes: 7 })
  expect(late.evidence.some((e) => e.source.includes('60 ms before'))).toBe(true)
})

test('what was sampled before the decision is kept, however late somebody looks', () => {
  const stat = (tsNs: number, anonBytes: number): Event => event('memcg_stat', tsNs, { memcgId: 66, anonBytes } as never)
  const clock = (tsNs: number): Event => event('clock', tsNs, { wallMs: 1, bootNs: tsNs })
  const counters = (value: number, tsNs: number): Event[] => [event('counter', tsNs, { counter: 1, key: 66, value })]
  const samples = Array.from({ length: 500 }, (_, i) => stat(T0 + i * 10 * MS, 1)), late = Array.from({ length: 60 }, (_, i) => counters(20 + i, T0 + (i + 1) * 1e9)).flat()
  const rows = [...NODE, clock(T0 - 40e9), clock(T0 - 30e9), ...counters(3, T0 - 5e9), stat(T0 - 10 * MS, 7), stat(T0 + MS, 2), ...podLimit(), ...samples, ...late, exit(381, 104, T0 + 60e9), exit(381, 104, T0 + 90e9)]
  const [kill] = fold(rows).cases
  expect(kill).toMatchObject({ composition: { anonBytes: 7 }, reclaim: { attempts: 3 }, victims: [{ exitNs: T0 + 60e9 }] })
})

test('a group of a thousand processes does not stall the fold', () => {
  const victims = Array.from({ length: 1000 }, (_, i) => ({ pid: 1000 + i, memcgId: 104 })), candidates = victims.map((v, i) => ({ ...v, points: i }))
  const line = (pid: number): string => `Memory cgroup out of memory: Killed process ${pid} (hog) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0`
  const log = kmsg([line(1000), `Tasks in ${C1} are going to be killed due to memory.oom.group set`, ...victims.map((v) => line(v.pid))].join('\n'), T0 + MS)
  const rows = [...NODE, ...decision({ tid: 7, tsNs: T0, memcgId: 104, group: true, victims, candidates }), ...log, ...victims.map((v, i) => exit(v.pid, 104, T0 + 50 * MS + i * 1e4))]
  const started = process.cpuUsage(), { cases } = fold(rows)
  expect(cases).toMatchObject([{ group: true, disagreements: [] }])
  expect(cases[0]!.victims).toHaveLength(1000)
  expect(cases[0]!.victims.every((v) => v.exitNs !== undefined)).toBe(true)
  // Merging at every row took 21 s. Of this process's own time: others make the machine slow, not the fold.
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(5000)
})

test('the order of interleaved decisions of several threads does not matter', () => {
  const rows = [...podLimit(), ...decision({ tid: 600, tsNs: T0 + 200 * MS, memcgId: 142, victims: [{ pid: 601, memcgId: 142 }] })]
  const expected = fold([...NODE, ...rows]).cases.map((c) => [c.tsNs, c.victims.map((v) => v.pid), c.limit?.memcgId])
  for (let seed = 1; seed <= 100; seed++) expect(fold([...NODE, ...shuffled(rows, seed)]).cases.map((c) => [c.tsNs, c.victims.map((v) => v.pid), c.limit?.memcgId]), `seed ${seed}`).toEqual(expected)
})
