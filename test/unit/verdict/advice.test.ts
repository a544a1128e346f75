/** Advice by what a program was given, how it waited, who died with it and what it was promised: each with its reason, and silent where a fact is missing or speaks against it. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { verdictOf, accountOf } from '../../../src/verdict/verdict.ts'
import { goMemLimitOf, isGoCollectorOff, isJvmContainerBlind, jvmMaxHeapOf, jvmRamPercentOf, nodeOldSpaceOf } from '../../../src/verdict/settings.ts'
import { MS, NODE, T0, UID, birth, event, exit, fold, hello, limits } from '../model/build.ts'

const MIB = 2 ** 20, PID = 381, PARENT = 380, LIMIT = 512 * MIB
type Given = { readonly comm?: string; readonly runtime?: string; readonly settings?: string; readonly environRead?: boolean; readonly commandLine?: string }

const started = (pid: number, ppid: number, comm: string, memcgId = 104): Event => event('process', T0 - 9e9, { pid, startNs: T0 - 20e9, memcgId, ppid, uid: 0, threads: 1, comm })
const command = ({ runtime, settings = '', environRead = true, commandLine = 'x' }: Given): Event => event('process_command', T0 - 8e9, { pid: PID, startNs: T0 - 20e9, commandLine, exe: 'x', ...(runtime === undefined ? {} : { runtime }), settings, environRead })
const stat = (parts: object): Event => event('memcg_stat', T0 - 50 * MS, { memcgId: 104, anonBytes: 0, fileBytes: 0, ...parts } as never)

type Kill = { readonly anonMib?: number; readonly comm?: string; readonly others?: readonly number[]; readonly group?: boolean }

/** A kill in container 104 by its limit of 512 MiB, its victim's memory as mark_victim tells. */
function kill({ anonMib = 500, comm = 'app', others = [], group = false }: Kill = {}): Event[] {
  const tid = PID, order = 0, pages = LIMIT / 4096
  const mark = (pid: number, mib: number, i: number): Event[] => [
    event('oom_kill', T0 + i * 1e4, { tid, pid, comm, memcgId: 104, oomScoreAdj: 0, totalVmPages: 1000, pgtablesBytes: 8192 }),
    event('mark_victim', T0 + i * 1e4 + 1, { tid, victimTid: pid, comm, memcgId: 104, oomScoreAdj: 0, totalVmKb: mib * 2048, anonKb: mib * 1024, fileKb: 100, shmemKb: 0, pgtablesKb: 8, uid: 0 }),
  ]
  return [
    event('oom_memcg_enter', T0 - 3e4, { tid, memcgId: 104, order, gfp: 0 }), event('oom_begin', T0 - 2e4, { tid, pid: PID, comm, taskMemcgId: 104, memcgId: 104, order, gfp: 0, oomScoreAdj: 0 }),
    event('oom_limit', T0 - 1e4, { tid, memcgId: 104, usagePages: pages, maxPages: pages, highPages: 2 ** 51 - 1, swapUsagePages: 0, swapMaxPages: 0, watermarkPages: pages, oomGroup: group }),
    event('oom_pick', T0 - 5e3, { tid, pid: PID, comm, memcgId: 104, oomScoreAdj: 0, pointsPages: 9866, totalPages: pages, constraint: 3 }),
    ...(group ? [event('oom_group', T0 - 4e3, { tid, memcgId: 104 })] : []), ...mark(PID, anonMib, 0), ...others.flatMap((mib, i) => mark(PID + 1 + i, mib, i + 1)),
    event('oom_end', T0 + 1e6, { tid, result: 1, durationNs: 1e6 }), exit(PID, 104, T0 + 9 * MS),
  ]
}

function adviceIn(events: readonly Event[]): readonly string[] {
  const model = fold([...NODE, limits(104, LIMIT), stat({ anonBytes: 500 * MIB }), ...events]), [target] = model.cases
  expect(model.cases).toHaveLength(1)
  const { advice } = accountOf(model, target!)
  for (const text of advice) expect(text).toContain(', because ')
  return advice
}
const of = (given: Given, how: Kill = {}): readonly string[] => adviceIn([started(PID, 1, given.comm ?? 'app'), command(given), ...kill({ comm: given.comm ?? 'app', ...how })])
const RAISE = /^find out whether it leaks/

describe('of a Go program', () => {
  test.each<[string, Given, RegExp]>([
    ['without GOMEMLIMIT', { runtime: 'go' }, /^set GOMEMLIMIT to about 461 MiB, because it is a Go program without it, so its collector does not know the limit: app alone had 500 MiB of anonymous memory under a limit of 512 MiB$/],
    ['with the collector off', { runtime: 'go', settings: 'GOGC=off' }, /^set GOMEMLIMIT .* with GOGC=off, so nothing is ever collected/],
    ['with GOMEMLIMIT=off', { runtime: 'go', settings: 'GOMEMLIMIT=off' }, /^set GOMEMLIMIT/],
    ['with a GOMEMLIMIT above the limit', { runtime: 'go', settings: 'GOMEMLIMIT=1GiB' }, /^lower GOMEMLIMIT from 1 GiB to about 461 MiB, because it is not below the limit/],
    ['with one below it', { runtime: 'go', settings: 'GOMEMLIMIT=400MiB', environRead: false }, /^take a heap profile .* because GOMEMLIMIT=400 MiB was in force/],
  ])('%s', (_, given, expected) => expect(of(given)).toEqual([expect.stringMatching(expected), expect.stringMatching(RAISE)]))
  test.each<[string, Given, Kill]>([
    ['whose environment was not read', { runtime: 'go', environRead: false }, {}],
    ['whose GOMEMLIMIT cannot be understood', { runtime: 'go', settings: 'GOMEMLIMIT=lots' }, {}],
    ['that was a small part of it', { runtime: 'go' }, { anonMib: 200 }],
  ])('none when %s', (_, given, how) => expect(of(given, how)).toEqual([expect.stringMatching(RAISE)]))
})

describe('of a JVM', () => {
  test.each<[string, Given, RegExp]>([
    ['whose heap may be the limit', { settings: '-Xmx512m' }, /^lower -Xmx to leave a quarter of the limit free, because -Xmx of 512 MiB leaves nothing of 512 MiB/],
    ['the last of several holds', { settings: '-Xmx100m\n-Xmx500m' }, /^lower -Xmx .* -Xmx of 500 MiB leaves 12 MiB of 512 MiB/],
    ['by percentage', { settings: '-XX:MaxRAMPercentage=95.0' }, /^lower -XX:MaxRAMPercentage .* because -XX:MaxRAMPercentage=95 leaves 25\.6 MiB/],
    ['with more than its heap may have', { settings: '-Xms1g\n-Xmx256m' }, /^look at memory outside the JVM's heap .* because the heap may have 256 MiB \(-Xmx of 256 MiB\) and java alone had 500 MiB/],
    ['whose heap was full in its bound', { settings: '-Xmx450m' }, /^look at what the heap holds/],
    ['that does not see its container', { settings: '-XX:-UseContainerSupport' }, /^remove -XX:-UseContainerSupport or set -Xmx/],
    ['of which nothing is set', {}, /^let the JVM's heap be no more than three quarters of the limit, and look at memory outside it first .* because nothing sets it: then it may have a quarter of the limit/],
    ['of which nobody could read what is set', { environRead: false }, /^let the JVM's heap be no more than three quarters of the limit \(-XX:MaxRAMPercentage=75\), because metaspace/],
  ])('%s', (_, given, expected) => expect(of({ runtime: 'jvm', comm: 'java', ...given })[0]).toMatch(expected))
  test('known by its name only', () => expect(adviceIn(kill({ comm: 'java' }))[0]).toMatch(/^the JVM's heap, metaspace/))
  test('a program that is called java and is something else is not taken for one', () => expect(of({ comm: 'java', runtime: 'python' })).toEqual([expect.stringMatching(RAISE)]))
})

describe('of Node', () => {
  test('without a bound, above the limit, and with memory outside the heap', () => {
    expect(of({ runtime: 'node' })[0]).toMatch(/^set --max-old-space-size to about three quarters of the limit \(384\), because without it/)
    expect(of({ runtime: 'node', settings: '--max-old-space-size=4096' })[0]).toMatch(/^lower --max-old-space-size from 4096 to about 384, because V8's old space alone may have 4 GiB/)
    expect(of({ runtime: 'node', settings: '--max-old-space-size=256' })[0]).toMatch(/^look at memory outside V8's heap/)
  })
  test('none when the bound was reasonable, or nobody could look', () => {
    expect(of({ runtime: 'node', settings: '--max-old-space-size=450' })).toEqual([expect.stringMatching(RAISE)])
    expect(of({ runtime: 'node', environRead: false })).toEqual([expect.stringMatching(RAISE)])
  })
})

test('of workers of Python that are never renewed; not when they are, or when the command line was cut', () => {
  const python = (commandLine: string): string | undefined => of({ runtime: 'python', commandLine }).find((text) => text.startsWith('let workers'))
  expect(python('/usr/bin/python3 /app/gunicorn app:main -w 4')).toMatch(/\(--max-requests\)/)
  expect([python('gunicorn app:main --max-requests 100'), python('gunicorn app:main -w 4 --some…'), python('python3 train.py')]).toEqual([undefined, undefined, undefined])
})

test('none about a heap when file cache filled the limit', () => {
  expect(adviceIn([stat({ fileBytes: 500 * MIB, shmemBytes: 490 * MIB, anonBytes: MIB }), started(PID, 1, 'app'), command({ runtime: 'go' }), ...kill()]).join()).not.toMatch(/GOMEMLIMIT/)
})

describe('of who died', () => {
  const child = (more: readonly Event[]): readonly string[] => adviceIn([started(PARENT, 1, 'entrypoint\u001b[m'), started(PID, PARENT, 'worker'), ...more]).filter((text) => text.includes('lives on'))
  test('a child, while its parent lives on', () => {
    expect(child(kill())).toEqual([expect.stringMatching(/^set memory\.oom\.group, or let the parent exit or restart it, if the rest cannot go on without app, because only this child was killed and its parent entrypoint\\x1b\[m \(pid 380\) lives on/)])
    expect(child([hello({ memcgVersion: 'v1' }), ...kill()])).toEqual([expect.stringMatching(/^let the parent exit/)])
  })
  test('not when the parent ended, or is outside of the container', () => {
    expect(child([...kill(), event('process_end', T0 + 20 * MS, { pid: PARENT, startNs: T0 - 20e9 })])).toEqual([])
    expect(adviceIn([started(PARENT, 1, 'containerd-shim', 2), started(PID, PARENT, 'worker'), ...kill()]).join()).not.toMatch(/lives on/)
  })
  test('a group that died for one of them; not for all of them', () => {
    const grouped = (others: readonly number[]): readonly string[] => adviceIn(kill({ group: true, anonMib: 400, others })).filter((text) => text.includes('die alone'))
    expect(grouped([20, 30])).toEqual([expect.stringMatching(/because 2 others died with app, which had 400 MiB of 450 MiB$/)])
    expect(grouped([300, 300])).toEqual([])
    expect(grouped([])).toEqual([])
  })
})

describe('of memory.high', () => {
  const high = (highBytes: number | undefined, rate: number): readonly string[] => {
    const events = Array.from({ length: 12 }, (_, i) => event('memcg_events', T0 - (11 - i) * 1e9, { memcgId: 104, high: rate * i, max: 0, oom: 0, oomKill: 0 } as never))
    const set = event('memcg_limits', T0 - 12e9, { memcgId: 104, maxBytes: LIMIT, ...(highBytes === undefined ? {} : { highBytes }) } as never)
    return adviceIn([set, ...events, ...kill()]).filter((text) => text.includes('memory.high'))
  }
  test('that was above the limit, or throttled in vain', () => {
    expect(high(600 * MIB, 0)).toEqual([expect.stringMatching(/^set memory\.high below memory\.max or not at all, because at 600 MiB it throttles nothing/)])
    expect(high(400 * MIB, 40)).toEqual([expect.stringMatching(/^do not count on memory\.high here: .* because it was throttled above 400 MiB 40 times a second/)])
  })
  test('none when it hardly throttled, or is not set', () => expect([high(400 * MIB, 1), high(undefined, 0)]).toEqual([[], []]))
})

describe('of a failed probe', () => {
  const daemon = birth(200, '/system.slice/containerd.service', 1)
  const stopped = (percent: number, says = 'liveness-failed'): readonly string[] => {
    const psi = Array.from({ length: 13 }, (_, i) => event('memcg_psi', T0 - (12 - i) * 1e9, { memcgId: 104, someAvg10Centi: percent * 100, someTotalUs: percent * 1e4 * i, fullAvg10Centi: 0, fullTotalUs: 0 }))
    const signal = event('signal', T0, { signo: 9, code: 0, group: 1, result: 0, senderPid: 90, senderTid: 90, senderComm: 'runc', senderMemcgId: 200, targetTid: PID, targetComm: 'app' })
    return adviceIn([daemon, ...psi, event('testimony', T0 - 31e9, { from: 'kubelet.log', says, podUid: UID }), signal, exit(PID, 104, T0 + 5 * MS)])
  }
  test('while all waited for memory, and while none did', () => {
    expect(stopped(60)).toEqual([expect.stringMatching(/^give it more memory, or its probe a longer timeout, because the probe failed while tasks waited for memory (?:59|60) % of the time/)])
    expect(stopped(2)).toEqual([expect.stringMatching(/^look at the probe's timeout .* and not memory$/)])
    expect(stopped(60, 'deleted')).toEqual([])
  })
})

test('of a request that made it the first to be evicted', () => {
  const signal = event('signal', T0, { signo: 9, code: 0, group: 1, result: 0, senderPid: 90, senderTid: 90, senderComm: 'runc', senderMemcgId: 200, targetTid: PID, targetComm: 'app' })
  const evicted = (memoryRequestBytes: number | undefined): readonly string[] => adviceIn([
    birth(200, '/system.slice/containerd.service', 1), event('workload', T0 - 40e9, { from: 'cri', podUid: UID, containerId: 'a'.repeat(64), namespace: 'n', pod: 'p', container: 'c', ...(memoryRequestBytes === undefined ? {} : { memoryRequestBytes }) } as never),
    event('memcg_usage', T0 - MS, { memcgId: 104, currentBytes: 300 * MIB }), event('testimony', T0 - 31e9, { from: 'kubelet.log', says: 'evicted', podUid: UID }), signal, exit(PID, 104, T0 + 5 * MS),
  ])
  expect(evicted(64 * MIB)).toEqual([expect.stringMatching(/^raise its memory request to what it uses, because the kubelet evicts first who is above the request: it used 300 MiB and had a request of 64 MiB$/)])
  expect([evicted(400 * MIB), evicted(undefined)]).toEqual([[], []])
})

test('settings are understood as their runtimes understand them, or not at all', () => {
  const program = (...settings: string[]): Parameters<typeof goMemLimitOf>[0] => ({ settings, environRead: true })
  expect(['GOMEMLIMIT=100', 'GOMEMLIMIT=1KiB', 'GOMEMLIMIT=2GiB', 'GOMEMLIMIT=off', 'GOMEMLIMIT=', 'GOMEMLIMIT=1GB', 'GOMEMLIMIT=-1', 'GOMEMLIMIT=99999999999999999999'].map((text) => goMemLimitOf(program(text)))).toEqual([100, 1024, 2 ** 31, 'none', 'none', undefined, undefined, undefined])
  expect(['GOGC=off', 'GOGC=-1', 'GOGC=100', ''].map((text) => isGoCollectorOff(program(text)))).toEqual([true, true, false, false])
  expect(['-Xmx1g', '-Xmx512M', '-Xmx1024', '-XX:MaxHeapSize=2k', '-Xmx', '-Xmxlots'].map((text) => jvmMaxHeapOf(program(text)))).toEqual([2 ** 30, 512 * MIB, 1024, 2048, undefined, undefined])
  expect(['-XX:MaxRAMPercentage=75.5', '-XX:MaxRAMPercentage=0', '-XX:MaxRAMPercentage=x'].map((text) => jvmRamPercentOf(program(text)))).toEqual([75.5, undefined, undefined])
  expect([isJvmContainerBlind(program('-XX:-UseContainerSupport')), isJvmContainerBlind(program('-XX:-UseContainerSupport', '-XX:+UseContainerSupport')), isJvmContainerBlind(program())]).toEqual([true, false, false])
  expect(['--max-old-space-size=400', '--max_old_space_size=1', '--max-old-space-size=1e3'].map((text) => nodeOldSpaceOf(program(text)))).toEqual([400 * MIB, MIB, undefined])
})

test('the cause stays what it was: advice is no evidence', () => {
  const model = fold([...NODE, limits(104, LIMIT), stat({ anonBytes: 500 * MIB }), started(PID, 1, 'app'), command({ runtime: 'go' }), ...kill()])
  expect(verdictOf(model, model.cases[0]!)).toMatchObject({ cause: 'container-limit' })
})
