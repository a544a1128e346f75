/** Hand-written kernel logs in every format that people have them: the right victim, limit holder, constraint and time, and nothing that the log does not say. */
import { readFileSync } from 'node:fs'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { newReading } from '../../src/cli/explain.ts'
import type { LogRecord } from '../../src/source/log-record.ts'
import { LogReading } from '../../src/source/log-streams.ts'
import { Untangle } from '../../src/source/log-untangle.ts'
import { toldInLog, type LogStory } from '../helpers/lab/log-story.ts'
import { casesIn, casesOf, LOGS, logText, readLog } from '../helpers/logs.ts'
import { seeded } from '../helpers/stream.ts'

const A = 'a3'.repeat(32), B = '4f'.repeat(32), C = '9c'.repeat(32)
const POD1 = '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7c1e02d4_91b3_4f0e_8a57_2f6d1b9c4e11.slice', K1 = `${POD1}/cri-containerd-${A}.scope`
const POD2 = '/kubepods/burstable/podb04f7a9e-3c52-4d18-9e6b-c1a7d2085f63', K2 = `${POD2}/${B}`
const MIB = 2 ** 20

type Expected = {
  readonly cause: string | undefined; readonly limit?: string; readonly limitBytes?: number; readonly dead: readonly string[]; readonly path?: string
  readonly time?: string; readonly logTime?: string; readonly bootNs?: number; readonly invoker?: number; readonly points?: number; readonly confidence?: string
}
/** 1 GiB of 512 MiB at adj 936: 129420 rss + 280 page tables + 936 · (131072 / 1000). */
const JAVA: Expected = { cause: 'container-limit', limit: K1, limitBytes: 512 * MIB, dead: ['48213 java'], path: K1, invoker: 48213, points: 129420 + 280 + 936 * 131 }
const PYTHON: Expected = { cause: 'container-limit', limit: K2, limitBytes: 128 * MIB, dead: ['990 python3'], path: K2, invoker: 990, points: 32500 + 76 + 999 * 32 }

const EXPECTED: Readonly<Record<string, readonly Expected[]>> = {
  '01-container-6.8-dmesg.txt': [{ ...JAVA, bootNs: 9204117e6 }],
  '02-container-6.8-dmesg-T.txt': [{ ...JAVA, logTime: 'Thu Jan 11 14:01:12 2024' }],
  '03-pod-5.15-journalctl-short.txt': [{ cause: 'pod-limit', confidence: 'possible', limit: POD2, limitBytes: 256 * MIB, dead: ['7044 redis-server'], path: K2, invoker: 7001, logTime: 'Jan 11 14:01:12' }],
  '04-hostile-6.1-journal.json': [{ cause: 'slice-limit', limit: '/kubepods.slice/evil,task_memcg=/x', limitBytes: 64 * MIB, dead: ['913 a\nb\u001b[31m) x'], path: '/kubepods.slice/evil,task_memcg=/x', invoker: 913, time: '2024-01-11T14:01:12.381Z', points: 15900 + 39 }],
  // The log lists what every cgroup below the pod used: one container filled it, so its limit is the pod's.
  '05-container-4.14-v1-kern.log': [{ cause: 'container-limit', limit: POD2, limitBytes: 200 * MIB, dead: ['20411 node'], path: K2, invoker: 20411, bootNs: 884211.5e9, logTime: 'Nov 20 12:00:03', points: 50511 + 612 + 7 + 968 * 51 }],
  // 4.x may sacrifice a child: the victim is not whoever was chosen.
  '06-node-4.4-child-dmesg.txt': [{ cause: 'node', dead: ['2051 php'], invoker: 1402, bootNs: 77120.5e9 }],
  '07-node-3.10-uid-short-precise.txt': [{ cause: 'node', dead: ['9911 java'], invoker: 9911, logTime: 'Feb 02 03:04:05.678901', points: 1911200 + 4022 }],
  '08-numa-cpuset-6.1-short-iso.txt': [{ cause: 'numa', dead: ['5100 worker'], path: '/system.slice/pinned.service', invoker: 5100, time: '2024-03-01T09:00:00.000Z' }],
  '09-numa-mempolicy-6.1-short-iso-precise.txt': [{ cause: 'numa', dead: ['5100 worker'], path: '/system.slice/pinned.service', invoker: 5100, time: '2024-03-01T09:00:00.123Z' }],
  '10-sysrq-6.12-kmsg.txt': [{ cause: 'sysrq', dead: ['280 small'], path: '/user.slice', invoker: 167, bootNs: 301200004000, points: 700 + 22 + 900 * 230 }],
  '11-node-5.4-dmesg-x.txt': [{ cause: 'node', limitBytes: (1023868 - 33012) * 4096, dead: ['5200 prometheus'], invoker: 990, bootNs: 45120.9e9, points: 71000 + 210 + 1000 * 990 }],
  '12-kubepods-5.10-dmesg-r.txt': [{ cause: 'slice-limit', limit: '/kubepods.slice', limitBytes: 7168 * MIB, dead: ['3301 stress-ng'], invoker: 3301, bootNs: 600123.4e9, points: 301000 + 601 + 1000 * 1835 }],
  '13-group-6.12-rsyslog-iso.log': [{ cause: 'pod-limit', confidence: 'possible', limit: POD1, limitBytes: 1024 * MIB, dead: ['61230 postgres', '61200 postgres', '61231 postgres'], path: K1, invoker: 61230, time: '2026-02-03T03:05:06.700Z', bootNs: 5123.2e9, points: 153400 + 320 + 901 * 262 }],
  '14-no-killable-6.6-dmesg.txt': [{ cause: 'invoked-no-kill', limit: '/system.slice/guard.service', limitBytes: 16 * MIB, dead: [], invoker: 777 }],
  '15-panic-4.19-console.txt': [{ cause: 'invoked-no-kill', dead: [], invoker: 1 }],
  '16-exiting-5.19-short-full.txt': [{ cause: 'invoked-no-kill', limit: '/build', limitBytes: 2048 * MIB, dead: [], invoker: 8801, time: '2024-06-01T08:00:00.000Z' }],
  '17-rate-limited-6.8-dmesg.txt': [JAVA, ...[48300, 48301, 48302].map((pid): Expected => ({ cause: undefined, confidence: 'possible', dead: [`${pid} java`] }))],
  '18-interleaved-caller-6.8-dmesg.txt': [JAVA, PYTHON],
  // Whose numbers the mixed lines give cannot be told; the lines that name a process can.
  '19-interleaved-6.8-short-monotonic.txt': [{ cause: 'container-limit', limit: K1, dead: ['48213 java'], path: K1 }, { cause: 'container-limit', limit: K2, dead: ['990 python3'], path: K2 }],
  '20-head-lost-6.8-dmesg.txt': [{ cause: 'container-limit', limit: K1, dead: ['48213 java'], path: K1 }],
  '21-tail-lost-6.8-dmesg.txt': [{ cause: 'container-limit', confidence: 'possible', limit: K1, limitBytes: 512 * MIB, dead: [], invoker: 48213 }],
  '22-two-nodes-6.8-syslog.log': [{ ...JAVA, time: '2024-05-05T05:05:05.000Z', bootNs: 100e9 }, { ...PYTHON, time: '2024-05-05T05:05:05.000Z', bootNs: 2000e9 }],
  '23-two-boots-6.8-journal.json': [{ cause: 'container-limit', limit: K1, dead: ['48213 java'], path: K1, time: '2024-01-11T14:01:12.000Z', bootNs: 900e9 }, { cause: 'container-limit', limit: K1, dead: ['1201 java'], path: K1, time: '2024-01-12T14:01:12.000Z', bootNs: 60e9 }],
  '24-two-boots-6.8-kern.log': [{ ...JAVA, bootNs: 90000e9 }, { ...JAVA, bootNs: 61e9 }],
  '25-twice-6.8-syslog.log': [{ ...JAVA, bootNs: 50e9 }],
  // Pages of 64 KiB: nothing is right with 4 KiB.
  '26-arm64-64k-6.6-dmesg.txt': [{ cause: 'container-limit', limit: `/kubepods/pod1d9a6c35-e8f4-4b7a-a2c0-5e3f9b8d7146/${C}`, limitBytes: 1024 * MIB, dead: ['2001 etcd'], points: 15920 + 9 - 997 * 16 }],
  '27-order3-5.2-dmesg.txt': [{ cause: 'node', dead: ['1500 dockerd'], path: '/system.slice/docker.service', invoker: 71, points: 9100 + 45 }],
  '28-dirty-6.12-dmesg-t.txt': [{ cause: 'container-limit', limit: K1, limitBytes: 40 * MIB, dead: ['412 cp'], invoker: 412, points: 413 + 12 }],
  '29-tmpfs-6.6-dmesg-e.txt': [{ cause: 'container-limit', limit: K1, limitBytes: 256 * MIB, dead: ['3111 loader'], logTime: 'Jan11 14:01', points: 2700 + 20 + 977 * 65 }],
  '30-kernel-memory-6.6-dmesg-iso.txt': [{ cause: 'slice-limit', limit: '/system.slice/netd.service', limitBytes: 128 * MIB, dead: ['611 netd'], time: '2024-07-07T05:07:07.100Z', points: 5300 + 22 + 16384 }],
  // Lines of a page allocation failure stand between: its CPU line is not the invoker's.
  '31-docker-4.19-noise-unix.txt': [{ cause: 'container-limit', limit: `/docker/${B}`, limitBytes: 50 * MIB, dead: ['5150 app'], path: `/docker/${B}`, invoker: 5150, time: '2024-01-11T14:01:12.000Z', points: 12400 + 73 + 12800 }],
  '32-paste-crlf.txt': [JAVA],
}

test('every fixture is expected, and there are enough of them', () => {
  expect(Object.keys(EXPECTED)).toEqual(LOGS)
  expect(LOGS.length).toBeGreaterThanOrEqual(25)
})

test.each(LOGS)('%s', (name) => {
  const kills = casesIn(logText(name)), expected = EXPECTED[name] ?? []
  expect(kills.map((kill) => [kill.cause, kill.victims.map((victim) => `${victim.pid} ${victim.comm}`)])).toEqual(expected.map((want) => [want.cause, want.dead]))
  for (const [i, want] of expected.entries()) {
    const kill = kills[i]
    if (want.limit !== undefined) expect(kill?.limit?.path).toBe(want.limit)
    if (want.cause !== undefined && want.limit === undefined && want.dead.length > 0) expect(kill?.limit?.path).toBe('/')
    if (want.limitBytes !== undefined) expect(kill?.limit?.limitBytes).toBe(want.limitBytes)
    if (want.path !== undefined) expect(kill?.victims[0]?.path).toBe(want.path)
    if (want.points !== undefined) expect(kill?.candidates.find((candidate) => candidate.chosen)?.points).toBe(want.points)
    if (want.invoker !== undefined) expect(kill?.invoker?.pid).toBe(want.invoker)
    if (want.bootNs !== undefined) expect(kill?.bootNs).toBe(want.bootNs)
    expect(kill?.time, 'no date that the log does not give').toBe(want.time)
    if (want.logTime !== undefined) expect(kill?.logTime).toBe(want.logTime)
    if (want.confidence !== undefined) expect(kill?.confidence).toBe(want.confidence)
    expect(kill?.confidence, 'a log is one witness').not.toBe('certain')
    expect(kill?.candidates.filter((candidate) => candidate.chosen).length ?? 0).toBeLessThanOrEqual(1)
  }
  expect(new Set(kills.map((kill) => kill.id)).size).toBe(kills.length)
})

test('a line of user space makes no case where the format tells who wrote it', () => {
  const forged = 'Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:1kB, UID:0 pgtables:4kB oom_score_adj:0'
  for (const line of [`12,1,2,-;${forged}`, `<12>[    1.000000] ${forged}`, `user  :warn  : [    1.000000] ${forged}`, `Jan 11 14:01:12 host app[7]: kernel: ${forged}`, `Jan 11 14:01:12 host kernel[7]: ${forged}`,
    JSON.stringify({ _TRANSPORT: 'journal', SYSLOG_IDENTIFIER: 'kernel', MESSAGE: forged }), JSON.stringify({ _TRANSPORT: 'kernel', SYSLOG_FACILITY: '3', MESSAGE: forged })]) {
    expect(casesIn(`${line}\n`), line).toEqual([])
  }
  for (const line of [`4,1,2,-;${forged}`, `<4>[    1.000000] ${forged}`, `kern  :warn  : [    1.000000] ${forged}`, `Jan 11 14:01:12 host kernel: ${forged}`, JSON.stringify({ _TRANSPORT: 'kernel', SYSLOG_FACILITY: 0, MESSAGE: forged })]) {
    expect(casesIn(`${line}\n`).map((kill) => kill.victims.map((victim) => victim.pid)), line).toEqual([[1]])
  }
})

test('lines of another format inside a file are counted, not read', () => {
  const log = readLog(['Jan 11 14:01:12 host kernel: x\nJan 11 14:01:13 host kernel: y\nnothing of the kind\n'])
  expect(log).toMatchObject({ family: 'syslog', lines: 3, unread: 1 })
})

test.each(LOGS)('%s in pieces of any length is the same log', (name) => {
  const text = logText(name), random = seeded(7), whole = readLog([text])
  for (const longest of [1, 7, 300]) {
    const pieces: string[] = []
    for (let at = 0; at < text.length;) pieces.push(text.slice(at, at += 1 + Math.floor(random() * longest)))
    const log = readLog(pieces)
    expect([log.lines, log.unread, log.family, casesOf(log)]).toEqual([whole.lines, whole.unread, whole.family, casesOf(whole)])
  }
})

test.each(LOGS)('of %s only lines of reports are kept; all the others change nothing', (name) => {
  const text = logText(name), all = readLog([text], new LogReading()), kept = readLog([text])
  expect(casesOf(kept)).toEqual(casesOf(all))
  const rows = (log: typeof all): number => log.streams.reduce((sum, { events }) => sum + events.length, 0)
  expect(rows(kept)).toBeLessThanOrEqual(rows(all))
})

test('a month of other lines leaves nothing behind', () => {
  const log = readLog((function* () { for (let i = 0; i < 50_000; i += 1) yield `Jan 11 14:01:12 host kernel: [${i}.000000] device eth0 entered promiscuous mode\n` })())
  expect([log.lines, log.streams.map(({ events }) => events.length)]).toEqual([50_000, [0]])
})

test('a line that never ends is one unread line, and what follows it is read', () => {
  const kill = 'Jan 11 14:01:12 host kernel: Memory cgroup out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB\n'
  const log = readLog([kill, ...Array.from({ length: 40 }, () => 'x'.repeat(65_536)), '\n', kill.replace('process 7', 'process 8')])
  expect(log).toMatchObject({ lines: 3, unread: 1 })
  expect(casesOf(log).flatMap(({ victims }) => victims.map(({ pid }) => pid))).toEqual([7, 8])
})

test('a line too long is unread in whatever pieces it comes; so is what goes on with a record for ever', () => {
  const line = 'Jan 11 14:01:12 host kernel: device eth0 entered promiscuous mode\n', long = `${line}${line.replace('eth0', 'x'.repeat(1_100_000))}`, pieces = Array.from({ length: 5 }, (_, i) => long.slice(i * 250_000, (i + 1) * 250_000))
  for (const log of [readLog([long]), readLog(pieces)]) expect(log).toMatchObject({ lines: 2, unread: 1 })
  const endless = readLog([line, ...Array.from({ length: 40 }, () => ' y\n'.repeat(10_000)), line])
  expect([endless.lines, endless.unread > 0]).toEqual([400_002, true])
})

test('threads whose reports have no end hold back so many lines and no more, and not the pieces of the log they came in', () => {
  const given: LogRecord[] = [], all = new Untangle((record) => given.push(record)), invoked = 'app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0'
  for (let i = 0; i < 120_000; i += 1) all.take({ text: i < 10 ? invoked : `line ${i}`, isKernel: true, caller: `T${i % 10}` })
  expect(given.length).toBeGreaterThan(0)
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void, reading = newReading(), used = (): number => { gc(); return getHeapStatistics().used_heap_size }
  reading.push(`[100.000000] [ T7] ${invoked}\n`)
  const before = used()
  for (let i = 0; i < 100; i += 1) reading.push(Buffer.from(`[101.000000] [ T7] one more line of the same thread\n${'[101.000000] [ T9] device eth0\n'.repeat(8000)}`).toString('utf8'))
  expect(used() - before).toBeLessThan(8 * 2 ** 20)
  expect(reading.end().unread).toBe(0)
})

/** Lines of a kernel of 6.x, microseconds apart from `second` on. */
const dmesg = (second: number, texts: readonly string[]): string => texts.map((text, i) => `[${(second + i / 1e6).toFixed(6)}] ${text}\n`).join('')
const decided = (path: string, pid: number): string => `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${path},task_memcg=${path},task=app,pid=${pid},uid=0`
const killed = (pid: number): string => `Memory cgroup out of memory: Killed process ${pid} (app) total-vm:36000kB, anon-rss:20000kB, file-rss:1200kB, shmem-rss:0kB, UID:0 pgtables:88kB oom_score_adj:0`

test('everybody of a group that was killed is told, also when the next line of a report is an hour away', () => {
  const pids = Array.from({ length: 20 }, (_, i) => 1000 + i), group = [decided('/a', 1000), killed(1000), 'Tasks in /a are going to be killed due to memory.oom.group set', ...pids.map(killed)]
  for (const between of ['', dmesg(101, ['eth0: link up', 'eth0: link down'])]) {
    expect(casesIn(`${dmesg(100, group)}${between}${dmesg(3700, [decided('/b', 5000), killed(5000)])}`).map(({ victims }) => victims.map(({ pid }) => pid))).toEqual([pids, [5000]])
  }
})

test('a task table that comes after the kill is of another report, whose beginning is lost', () => {
  const table = ['[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name', '[    990]     0   990     9000     5300    90112    16384           999 python3']
  expect(casesIn(dmesg(100, [decided('/a', 1000), killed(1000), ...table])).map(({ candidates }) => candidates)).toEqual([[]])
  expect(casesIn(dmesg(100, [decided('/a', 1000), killed(1000), ...table, decided('/b', 990), killed(990)])).map(({ candidates }) => candidates)).toEqual([[], []])
})

/** Captured in our own guests (test/vm): /dev/kmsg of a real 6.1 and 7.2 after five kinds of kill, and a line that user space forged. */
const CAPTURED: Readonly<Record<string, readonly (readonly [cause: string, dead: readonly number[], chosen: number | undefined])[]>> = {
  'explain-6.1.txt': [['container-limit', [119], 31109], ['pod-limit', [120], 38949], ['pod-limit', [122], 27284], ['slice-limit', [137, 135, 136], 9463], ['sysrq', [138], 114222], ['node', [140], 191165]],
  'explain-7.2.txt': [['container-limit', [128], 31157], ['pod-limit', [129], 39043], ['pod-limit', [131], 11163], ['slice-limit', [146, 144, 145], 10125], ['sysrq', [147], 113784], ['node', [149], 190905]],
}

test.each(Object.keys(CAPTURED))('the kernel log of a real kernel: %s', (name) => {
  const kills = casesIn(readFileSync(new URL(`../fixtures/kmsg/${name}`, import.meta.url), 'utf8'))
  expect(kills.map((kill) => [kill.cause, kill.victims.map((victim) => victim.pid), kill.candidates.find((candidate) => candidate.chosen)?.points])).toEqual(CAPTURED[name])
  for (const { composition, limit, candidates } of kills) {
    expect(composition?.['anonBytes']).toBeGreaterThan(0)
    expect(limit?.limitBytes).toBeGreaterThan(0)
    // The kernel picked the highest points: so ours rank as its own did.
    expect(candidates[0]?.chosen).toBe(true)
  }
  expect(kills.map(({ limit }) => limit?.limitBytes).slice(0, 4)).toEqual([64, 96, 96, 64].map((mib) => mib * MIB))
})

test.each(['6.1', '6.12', '7.2'])('the kernel log of the lab on %s: the kills that the lab meant, and no other, with everybody\'s points', (kernel) => {
  const file = (end: string): Buffer => readFileSync(new URL(`../fixtures/kmsg/lab-${kernel}.${end}`, import.meta.url))
  const log = brotliDecompressSync(file('txt.br')).toString('utf8'), stories = JSON.parse(file('json').toString('utf8')) as LogStory[]
  expect(stories.length).toBeGreaterThan(20)
  expect(casesIn(log).map((said, i) => toldInLog(said, stories[i]))).toEqual(stories)
})

test('how much swap a limit could use decides whether points can be computed', () => {
  const log = readFileSync(new URL('../fixtures/kernel-log/6.1-v2-pod.txt', import.meta.url), 'utf8').replace('69632        0           936', '69632        0             0')
  const points = (swap: string): (number | undefined)[] => casesIn(log.replace(/^swap: usage.*$/m, `swap: ${swap}, failcnt 0`))[0]!.candidates.toSorted((a, b) => a.pid - b.pid).map(({ points: of }) => of)
  const PAGES = 64 * MIB / 4096, of = (size: number, adj: number, pages = PAGES): number => size + adj * Math.floor(pages / 1000), pause = 1 + 7, hog = 10620 + 18, small = 6300 + 17
  expect(points('usage 0kB, limit 0kB')).toEqual([of(pause, -998), of(hog, 936), small])
  // A swap limit says nothing of how much swap the node has; who has no oom_score_adj does not care.
  expect(points('usage 4kB, limit 65536kB')).toEqual([undefined, undefined, small])
  expect(points('usage 65536kB, limit 65536kB')).toEqual([of(pause, -998, 2 * PAGES), of(hog, 936, 2 * PAGES), small])
})
