/** Kill cases for people and programs: the contract's fields, 80 columns, nothing that a terminal would execute. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { jsonLine } from '../../../src/view/json-line.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killsHeader, killsSummary, killText } from '../../../src/view/kill-report.ts'
import { C1, MS, NODE, POD, T0, UID, birth, decision, event, exit, fixture, fold, hello, killsOf, kmsg, usage } from '../model/build.ts'

const name = event('workload', T0 - 1e9, { from: 'pod-logs', podUid: UID, containerId: 'a'.repeat(64), namespace: 'batch', pod: 'etl-0', container: 'etl' })
const full = (): Event[] => [
  ...NODE, name, usage(104, 43 << 20, T0 - 100 * MS), usage(142, 20 << 20, T0 - 100 * MS), killsOf(66, 0, T0 - MS),
  ...decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 936 }], candidates: [{ pid: 381, points: 10638, memcgId: 104, adj: 936 }, { pid: 384, points: 6332, memcgId: 142 }] }),
  ...kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS), exit(381, 104, T0 + 13 * MS), killsOf(66, 1, T0 + 50 * MS),
]

test('JSON has the contract\'s fields', () => {
  const model = fold(full()), json = killJson(model.cases[0]!, model)
  expect(json).toMatchObject({
    time: '2025-11-24T16:00:50.000Z', bootNs: T0 + 1e4, cause: 'pod-limit', confidence: 'certain',
    limit: { path: POD, level: 'pod', limitBytes: 64 << 20, usageBytes: 64 << 20 },
    invoker: { pid: 384, comm: 'hog', path: POD, order: 0, gfp: 'GFP_KERNEL' },
    victims: [{ pid: 381, comm: 'hog', path: C1, points: 9866, oomScoreAdj: 936, anonBytes: 3000 * 1024, fileBytes: 100 * 1024, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 8192,
      workload: { level: 'container', runtime: 'cri', qos: 'burstable', podUid: UID, containerId: 'a'.repeat(64), namespace: 'batch', pod: 'etl-0', container: 'etl' }, killedBy: { pid: 0, comm: 'kernel' } }],
    candidates: [{ pid: 381, points: 10638, eligible: true, chosen: true }, { pid: 384, points: 6332, chosen: false }], candidatesFrom: 'oom_badness',
    composition: { anonBytes: 65961984, fileBytes: 4096, shmemBytes: 0, fileDirtyBytes: 0, fileWritebackBytes: 4096, slabBytes: 499488, kernelBytes: 1093632, sockBytes: 0 },
    contributors: [{ path: C1, bytes: 43 << 20, workload: { container: 'etl' } }, { bytes: 20 << 20 }],
    witnesses: ['probe', 'kmsg', 'memory.events'], advice: [],
  })
  for (const { fact, source } of json.evidence) expect([fact, source].every((text) => text.length > 0)).toBe(true)
})

test('a fact that is not known is absent, not null and not 0', () => {
  const line = 'Memory cgroup out of memory: Killed process 9 (x) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0'
  const model = fold(kmsg(line, T0)), json = JSON.parse(jsonLine(killJson(model.cases[0]!, model))) as Record<string, unknown>
  for (const key of ['time', 'bootNs', 'cause', 'limit', 'invoker', 'reclaim', 'composition', 'candidatesFrom', 'totalBytes']) expect(json, key).not.toHaveProperty(key)
  expect(JSON.stringify(json)).not.toContain('null')
  expect(Object.keys((json['victims'] as object[])[0]!)).toEqual(['pid', 'comm', 'oomScoreAdj', 'anonBytes', 'fileBytes', 'shmemBytes', 'pgtablesBytes', 'killedBy'])
})

test('an unlimited limit is absent', () => {
  const rows = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104 }] }).map((e): Event => (e.kind === 'oom_limit' ? { ...e, maxPages: 2 ** 51 - 1 } : e))
  const model = fold([...NODE, ...rows])
  expect(killJson(model.cases[0]!, model).limit).toEqual({ path: POD, level: 'pod', usageBytes: 64 << 20 })
})

test('a limit of a service counts as a slice\'s', () => {
  const model = fold([hello(), birth(1, '/', 0), birth(70, '/system.slice/x.service', 1), ...decision({ tid: 1, tsNs: T0, memcgId: 70, victims: [{ pid: 5, memcgId: 70 }] })])
  expect(killJson(model.cases[0]!, model)).toMatchObject({ cause: 'slice-limit', limit: { level: 'slice' } })
})

test('text fits 80 columns and says the important things first', () => {
  const model = fold(full()), lines = killText(model.cases[0]!, model).split('\n')
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(lines[0]).toBe('2025-11-24T16:00:50.000Z  pod-limit  (certain)')
  expect(lines[1]).toMatch(/^ {2}Pod batch\/etl-0 reached its memory limit of 64 MiB/)
  const text = lines.join('\n')
  for (const part of ['anon 2.9 MiB', '936', '<- chosen', 'gone after 13 ms', 'anon 62.9 MiB', 'witnesses   probe, kmsg, memory.events']) expect(text).toContain(part)
})

test('hostile names are printed as visible escapes, one cell each', () => {
  const comm = '\u001b[31m\u009bJ\n', rows = decision({ tid: 384, tsNs: T0, memcgId: 70, victims: [{ pid: 381, memcgId: 70, comm }], candidates: [{ pid: 381, points: 1, memcgId: 70, comm }] })
  const model = fold([hello({ hostname: 'no\u001bde漢' }), birth(1, '/', 0), birth(70, `/${'漢'.repeat(90)}\u0007`, 1), ...rows])
  const text = `${killsHeader(model)}\n${killText(model.cases[0]!, model)}\n${killsSummary(model)}`
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  expect(text).not.toContain('漢')
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(text).toContain('\\x1b[31m\\x9bJ\\x0a')
  const json = jsonLine(killJson(model.cases[0]!, model))
  expect(json).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  expect((JSON.parse(json) as { victims: { comm: string }[] }).victims[0]!.comm).toBe(comm)
})

test('the summary counts the dead and says what was lost', () => {
  const model = fold(full())
  expect(killsSummary(model)).toBe('1 kill case, 1 process killed; nothing lost')
  const vmstat = (oomKill: number, tsNs: number): Event => event('node_vmstat', tsNs, { oomKill } as never)
  expect(killsSummary(fold([vmstat(5, T0 - 1e9), ...full(), vmstat(6, T0 + 1e9)]))).toBe('1 kill case, 1 process killed; nothing lost')
  expect(killsSummary(fold([vmstat(5, T0 - 1e9), ...full(), vmstat(8, T0 + 1e9)])).replaceAll('\n', ' ')).toContain('the kernel counted 2 kills that no witness described')
  model.health.losses.set('bpftrace', { count: 7, detail: 'perf buffer' })
  model.health.corruptFrames = 1
  expect(killsSummary(model).replaceAll('\n', ' ')).toBe('1 kill case, 1 process killed; facts may be missing: 7 lost at bpftrace (perf buffer), 1 damaged frame (0 bytes)')
  expect(killsHeader(model)).toContain('worker-3, Linux 6.12.107 x86_64')
})

test('a recording without probes says why, for most of the questions, and who tells of kills; one with a probe does not', () => {
  const rung = (question: string, state: string, reason?: string): Event => event('rung', T0 - 1e9, { question, rung: 'none', state, reason })
  const weak = [rung('oom-decision', 'absent', 'kprobe: no kprobes; instead: the kernel log and memory.events'), rung('fatal-signal', 'dead', 'bpftrace hangs; instead: nothing'), rung('kswapd', 'dead', 'bpftrace hangs; instead: /proc/vmstat')]
  expect(killsHeader(fold([...full(), ...weak])).replaceAll('\n', ' ')).toMatch(/ recorded without probes: bpftrace hangs; kills are told by the kernel log and memory\.events$/)
  expect(killsHeader(fold([...full(), ...weak, rung('kswapd', 'proven')]))).not.toContain('without probes')
  expect(killsHeader(fold(full()))).not.toContain('without probes')
})
