/** Why reclaim did not save it, why a dashboard showed less, and what to do: each with its reason, none against the evidence. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { accountOf, verdictOf } from '../../../src/verdict/verdict.ts'
import { casesIn, LOGS, logText } from '../../helpers/logs.ts'
import { C1, C2, MS, NODE, POD, T0, birth, decision, event, fold, hello, limits, usage } from '../model/build.ts'

const MIB = 2 ** 20
const only = (model: NodeModel) => ({ ...verdictOf(model, model.cases[0]!), ...accountOf(model, model.cases[0]!) })
const logged = (prefix: string) => casesIn(logText(LOGS.find((name) => name.startsWith(prefix))!))[0]!
const stat = (memcgId: number, parts: object): Event => event('memcg_stat', T0 - 50 * MS, { memcgId, ...parts } as never)
/** A kill in container 104 by its own limit of 64 MiB. */
const own = (parts: object, before: readonly Event[] = []): Event[] => [...NODE, ...before, stat(104, parts), ...decision({ tid: 384, tsNs: T0, memcgId: 104, victims: [{ pid: 381, memcgId: 104, comm: 'python3' }] })]
const names = (model: NodeModel): string[] => only(model).reasons.map(({ name }) => name)

test('each reason from what the memory was', () => {
  expect(names(fold(own({ anonBytes: 60 * MIB })))).toEqual(['anonymous-no-swap'])
  expect(names(fold([hello({ swapTotalBytes: 1 << 30 }), ...own({ anonBytes: 60 * MIB }).slice(1)]))).toEqual(['anonymous'])
  expect(names(fold(own({ anonBytes: 0, fileBytes: 60 * MIB, fileDirtyBytes: 4 * MIB, fileWritebackBytes: 30 * MIB })))).toEqual(['dirty-pages'])
  expect(names(fold(own({ anonBytes: MIB, fileBytes: 60 * MIB, shmemBytes: 58 * MIB })))).toEqual(['tmpfs'])
  expect(names(fold(own({ anonBytes: 9 * MIB, kernelBytes: 50 * MIB, slabReclaimableBytes: MIB, slabUnreclaimableBytes: 47 * MIB })))).toEqual(['kernel-memory'])
  expect(names(fold(own({ anonBytes: 9 * MIB, sockBytes: 40 * MIB })))).toEqual(['sockets'])
  expect(names(fold(own({ anonBytes: 20 * MIB, pagetablesBytes: 9 * MIB, kernelStackBytes: 4 * MIB })))).toEqual(['page-tables'])
  expect(names(fold(own({ anonBytes: 20 * MIB, fileBytes: 20 * MIB })))).toEqual([])
})

test('dirty pages beside much anonymous memory are not the reason', () => {
  expect(names(fold(own({ anonBytes: 40 * MIB, fileBytes: 20 * MIB, fileDirtyBytes: 17 * MIB })))).toEqual(['anonymous-no-swap'])
})

test('the same from a kernel log alone, each with a number and its source', () => {
  const reasons = Object.fromEntries(['01', '08', '27', '28', '29', '30'].map((prefix) => [prefix, logged(prefix).reasons.map(({ name }) => name)]))
  expect(reasons).toEqual({ '01': ['anonymous-no-swap'], '08': ['numa-node-empty'], '27': ['fragmentation'], '28': ['dirty-pages'], '29': ['tmpfs'], '30': ['kernel-memory', 'swap-exhausted'] })
  expect(logged('06').reasons.map(({ name }) => name)).toEqual(['swap-exhausted'])
  for (const { evidence, text } of LOGS.flatMap((name) => casesIn(logText(name)).flatMap((kill) => kill.reasons))) {
    expect(text.length).toBeGreaterThan(20)
    expect(evidence.length).toBeGreaterThan(0)
    for (const { fact, source } of evidence) { expect(fact).toMatch(/\d/); expect(source).not.toBe('') }
  }
})

const podKill = (pathless: readonly Event[]): NodeModel => fold([
  ...NODE, limits(66, 64 * MIB), ...pathless, ...decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 984 }], candidates: [{ pid: 381, points: 10638, memcgId: 104, adj: 984 }, { pid: 384, points: 6332, memcgId: 142 }] }),
])

test('another container of the pod ate it: contributors, its missing limit, and that the victim was below its own', () => {
  const verdict = only(podKill([limits(104, 30 * MIB), limits(142, undefined), usage(104, 10 * MIB, T0 - MS), usage(142, 50 * MIB, T0 - MS)]))
  expect(verdict.cause).toBe('pod-limit')
  expect(verdict.reasons.map(({ name }) => name)).toEqual(['other-container'])
  expect(verdict.reasons[0]!.evidence.map(({ fact }) => fact)).toEqual([`${C2} used ${50 * MIB} bytes`, `${C1} used ${10 * MIB} bytes`])
  expect(verdict.differences).toEqual([expect.stringMatching(/^container a+ of pod .* used 10 MiB and has its own limit of 30 MiB: it was the limit of pod .* that ran out$/)])
  expect(verdict.advice).toEqual([expect.stringMatching(/^give container b+ of pod .* a memory limit of its own, because it has none and used 50 MiB of the pod's$/)])
})

test('the victim\'s own container was the largest: nobody else is blamed', () => {
  expect(only(podKill([limits(104, 60 * MIB), limits(142, 30 * MIB), usage(104, 50 * MIB, T0 - MS), usage(142, 10 * MIB, T0 - MS)])).reasons).toEqual([])
})

test('another pod of the slice ate it', () => {
  const other = '/kubepods/burstable/pod00000000-0000-4000-8000-000000000001', model = fold([
    ...NODE, birth(90, other, 3), limits(3, 64 * MIB), usage(66, 5 * MIB, T0 - MS), usage(90, 58 * MIB, T0 - MS), ...decision({ tid: 384, tsNs: T0, memcgId: 3, victims: [{ pid: 381, memcgId: 104 }] }),
  ])
  const verdict = only(model)
  expect(verdict).toMatchObject({ cause: 'slice-limit', level: 'qos', reasons: [{ name: 'other-pod' }] })
  expect(verdict.reasons[0]!.evidence[0]).toEqual({ fact: `${other} used ${58 * MIB} bytes`, source: 'memory.current, sampled before' })
  expect(verdict.advice[0]).toMatch(/^look at pod 00000000-.* first, because it used 58 MiB/)
  expect(POD).not.toBe(other)
})

test('a spike within a second, and what a dashboard may have shown ten seconds before', () => {
  const verdict = only(fold(own({ anonBytes: 60 * MIB }, [usage(104, 20 * MIB, T0 - 10.5e9), usage(104, 30 * MIB, T0 - 0.8e9), usage(104, 30 * MIB, T0 - 0.1e9)])))
  expect(verdict.reasons.map(({ name }) => name)).toEqual(['anonymous-no-swap', 'fast-spike'])
  expect(verdict.differences).toContain('10 s before it used 20 MiB: a dashboard that samples every 15 s may have shown no more')
})

test('what kubectl top said before is computed when its last look is known, is of a pod, and was not after the kill', () => {
  const rose = (memcgId: number): Event[] => [usage(memcgId, 20 * MIB, T0 - 15e9), event('memcg_stat', T0 - 14e9, { memcgId, anonBytes: 16 * MIB, inactiveFileBytes: 4 * MIB }), usage(memcgId, 60 * MIB, T0 - 5e9)]
  const said = '10 s before kubectl top would have said 16 MiB, 25 % of the limit: computed for a look every 15 s', vague = expect.stringContaining('a dashboard that samples every 15 s may have shown no more') as string
  expect(only(fold(own({ anonBytes: 60 * MIB }, rose(104)))).differences).toContain(said)
  // The next look is 5 s after the kill.
  const late = only(fold(own({ anonBytes: 60 * MIB }, [...rose(104).slice(0, 2), usage(104, 20 * MIB, T0 - 11e9), usage(104, 60 * MIB, T0 - 5e9), usage(104, MIB, T0 + 6e9)]))).differences
  expect(late).not.toContainEqual(expect.stringContaining('kubectl top'))
  expect(late).toContainEqual(vague)
  const service = fold([...NODE, birth(90, '/system.slice/app.service', 1), limits(90, 64 * MIB), ...rose(90), usage(90, 20 * MIB, T0 - 11e9), ...decision({ tid: 384, tsNs: T0, memcgId: 90, victims: [{ pid: 381, memcgId: 90 }] })])
  expect(only(service).differences).not.toContainEqual(expect.stringContaining('kubectl top'))
  expect(only(service).differences).toContainEqual(vague)
})

test('kubectl top leaves inactive file cache out', () => {
  const verdict = only(fold(own({ anonBytes: 20 * MIB, fileBytes: 40 * MIB, inactiveFileBytes: 30 * MIB })))
  expect(verdict.differences).toContain('kubectl top would say 34 MiB (the working set); the kernel counts 64 MiB, with 30 MiB of inactive file cache')
  expect(verdict.differences).toContainEqual(expect.stringMatching(/^the process itself had 2\.9 MiB of the 64 MiB; the rest: 40 MiB file cache, 17\.1 MiB anonymous memory of other processes$/))
})

test('chosen for its oom_score_adj and not for its size', () => {
  const advice = logged('11').advice
  expect(advice[0]).toMatch(/^raise the memory request of prometheus, because it was chosen for its oom_score_adj of 1000 .*: postgres used 2\.3 GiB, it 277 MiB$/)
})

test('advice always says because; none where nothing is sure, and none about limits where no limit was hit', () => {
  const all = LOGS.flatMap((name) => casesIn(logText(name)))
  expect(all.flatMap((kill) => kill.advice).length).toBeGreaterThan(10)
  for (const { advice, cause, confidence } of all) {
    for (const text of advice) expect(text).toContain(', because ')
    if (confidence === 'possible' || cause === undefined) expect(advice).toEqual([])
    if (cause === 'sysrq' || cause === 'invoked-no-kill') expect(advice).toEqual([])
    if (cause === 'node' || cause === 'numa') expect(advice.join()).not.toMatch(/higher limit|memory\.high/)
  }
  const signalled = fold([...NODE, birth(200, '/x.service', 1), event('signal', T0, { signo: 9, code: 0, group: 1, result: 0, senderPid: 7, senderTid: 7, senderComm: 'bash', senderMemcgId: 200, targetTid: 381, targetComm: 'x' }), event('task_exit', T0 + MS, { pid: 381, comm: 'x', memcgId: 104, exitCode: 9, maxRssPages: 1 })])
  expect(only(signalled)).toMatchObject({ cause: 'signal', reasons: [], differences: [], advice: [] })
})

test('kills of one workload are linked, with their rhythm; the container may have a new id each time', () => {
  const at = (n: number): number => T0 + n * 300e9, kill = (n: number, memcgId: number): Event[] => decision({ tid: 384 + n, tsNs: at(n), memcgId, victims: [{ pid: 400 + n, memcgId }] })
  const again = birth(150, `${POD}/${'c'.repeat(64)}`, 66), model = fold([...NODE, again, ...kill(0, 104), ...kill(1, 150), ...kill(2, 104), ...kill(3, 150), ...decision({ tid: 9, tsNs: at(1) + 9e9, memcgId: 3, victims: [{ pid: 9, memcgId: 3 }] })])
  const accounts = model.cases.map((target) => accountOf(model, target).repeats)
  expect(accounts.map((repeats) => repeats?.nth)).toEqual([1, 2, undefined, 3, 4])
  expect(accounts[4]).toMatchObject({ of: 4, isEven: true, previousNs: 300e9, medianNs: 300e9, ids: model.cases.filter((_, i) => i !== 2).map(({ id }) => id) })
  expect(accounts[0]).not.toHaveProperty('previousNs')
})

test('two decisions of one incident are no rhythm', () => {
  const kill = (n: number): Event[] => decision({ tid: 384 + n, tsNs: T0 + n * 1e9, memcgId: 104, victims: [{ pid: 400 + n, memcgId: 104 }] })
  const model = fold([...NODE, ...kill(0), ...kill(1)])
  expect(model.cases).toHaveLength(2)
  expect(accountOf(model, model.cases[1]!).repeats).toBeUndefined()
})
