/** Witnesses removed one by one: the verdict becomes less sure or is withheld, and never becomes another cause. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import type { Event } from '../../src/event/event.ts'
import { isOomCase } from '../../src/model/case.ts'
import { openReplay } from '../../src/source/replay.ts'
import { verdictOf } from '../../src/verdict/verdict.ts'
import { C1, MS, NODE, T0, birth, decision, event, exit, fixture, fold, hello, killsOf, kmsg, limits, usage } from '../unit/model/build.ts'

/** What may be missing on a node: a group of kinds that come from one source. */
const SOURCES: Readonly<Record<string, (row: Event) => boolean>> = {
  'decision probes': (row) => /^oom_(?!reap)/.test(row.kind), mark_victim: (row) => row.kind === 'mark_victim', signals: (row) => row.kind === 'signal', exits: (row) => row.kind === 'task_exit',
  'the kernel log': (row) => row.kind === 'kmsg', 'memory.events': (row) => row.kind === 'memcg_events', 'memory.stat': (row) => row.kind === 'memcg_stat', usage: (row) => row.kind === 'memcg_usage',
  limits: (row) => row.kind === 'memcg_limits', counters: (row) => row.kind === 'counter', hello: (row) => row.kind === 'hello', 'the kernel log\'s tables': (row) => row.kind === 'kmsg' && /^\[|^Tasks state/.test(row.text), 'the kernel log\'s header': (row) => row.kind === 'kmsg' && / invoked oom-killer|^CPU:|^memory:|cgroup stats/.test(row.text),
}
const NAMES = Object.keys(SOURCES)
const RANK = ['possible', 'likely', 'certain']

type Told = { readonly cause: string | undefined; readonly confidence: string; readonly bySignal: boolean }

/** Victim → verdict. A thread stands for its process where nothing says whose it is: then it is found by either. */
function told(rows: readonly Event[], byThread = false): Map<number, Told> {
  const model = fold(rows), out = new Map<number, Told>()
  for (const target of model.cases) for (const victim of target.victims) {
    const { cause, confidence } = verdictOf(model, target)
    for (const id of byThread ? [victim.pid, ...victim.tids] : [victim.pid]) out.set(id, { cause, confidence, bySignal: !isOomCase(target) })
  }
  return out
}

/** Every set of these sources up to `many` of them. */
function subsets(many: number, names: readonly string[]): string[][] {
  let sets: string[][] = [[]]
  for (const name of names) sets = [...sets, ...sets.filter((set) => set.length < many).map((set) => [...set, name])]
  return sets
}

/** A pod's limit that is known only through its children may fall back to naming the pod, if it says that this is a guess. */
const isWeaker = (now: Told, full: Told): boolean =>
  now.cause === undefined || now.cause === full.cause || (full.cause === 'container-limit' && now.cause === 'pod-limit' && now.confidence === 'possible')

function expectNeverWrong(rows: readonly Event[], many: number, names = NAMES): void {
  const full = told(rows, true)
  expect(full.size).toBeGreaterThan(0)
  for (const gone of subsets(many, names)) {
    const left = rows.filter((row) => !gone.some((name) => SOURCES[name]?.(row)))
    for (const [pid, now] of told(left)) {
      const before = full.get(pid)
      expect(before, `without ${gone.join(', ')}: pid ${pid}`).toBeDefined()
      expect(isWeaker(now, before!), `without ${gone.join(', ')}: pid ${pid} was ${before!.cause}, is ${now.cause} (${now.confidence})`).toBe(true)
      if (now.cause === before!.cause) expect(RANK.indexOf(now.confidence), `without ${gone.join(', ')}: surer than with everything`).toBeLessThanOrEqual(RANK.indexOf(before!.confidence))
      if (now.cause !== undefined) expect(now.bySignal, `without ${gone.join(', ')}`).toBe(before!.bySignal)
    }
  }
}

test('the recorded demo, without any three of its sources', async () => {
  const source = openReplay({ path: fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url)), speed: 'max' }), rows: Event[] = []
  for await (const { items } of source.batches()) for (const { events } of items) rows.push(...events)
  expectNeverWrong(rows, 3)
}, 60_000)

/** Everything the lab causes, recorded in a guest (test/fixtures/recordings). */
const labRows = (kernel: string): Event[] =>
  brotliDecompressSync(readFileSync(new URL(`../fixtures/recordings/lab-${kernel}.jsonl.br`, import.meta.url))).toString('utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Event)

test.each(['6.1', '6.12'])('every kind of death of the lab on %s, without any of its sources', (kernel) => expectNeverWrong(labRows(kernel), 1), 60_000)

test('every kind of death of the lab on 6.12, without any two of its witnesses', () => {
  expectNeverWrong(labRows('6.12'), 2, ['decision probes', 'mark_victim', 'signals', 'exits', 'the kernel log', 'memory.events'])
}, 60_000)

const LIMIT = 64 << 20
const pod = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104, adj: 936 }], candidates: [{ pid: 381, points: 10638, memcgId: 104, adj: 936 }, { pid: 384, points: 6332, memcgId: 142 }] })
const counts = [killsOf(66, 0, T0 - MS), killsOf(66, 1, T0 + 50 * MS)], global = (over: object): Event[] => decision({ tid: 171, tsNs: T0, memcgId: 0, victims: [{ pid: 210, memcgId: 104, comm: 'small', adj: 900 }], ...over })
const numaLog = fixture('7.2-global').replace('CONSTRAINT_NONE', 'CONSTRAINT_CPUSET')
const stop = (signo: number, tsNs: number): Event => event('signal', tsNs, { signo, code: 0, group: 1, result: 0, senderPid: 77, senderTid: 77, senderComm: 'containerd-shim', senderMemcgId: 200, targetTid: 381, targetComm: 'x' })

test.each<[string, readonly Event[]]>([
  ['a pod\'s limit with two containers', [...NODE, limits(66, LIMIT), limits(104, LIMIT / 2), limits(142, LIMIT / 2), usage(104, 43 << 20, T0 - MS), usage(142, 20 << 20, T0 - MS), ...pod, ...kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS), exit(381, 104, T0 + 13 * MS), ...counts]],
  ['a container\'s limit under its pod\'s name', [...NODE.slice(0, 6), limits(66, LIMIT), limits(104, LIMIT), usage(104, 60 << 20, T0 - MS), ...pod, ...kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS), exit(381, 104, T0 + 13 * MS), ...counts]],
  ['the node', [...NODE, ...global({}), ...kmsg(fixture('7.2-global'), T0 + 5 * MS), exit(210, 104, T0 + 9 * MS)]],
  ['a cpuset', [...NODE, ...global({ constraint: 1 }), ...kmsg(numaLog, T0 + 5 * MS), exit(210, 104, T0 + 9 * MS)]],
  ['sysrq', [...NODE, ...global({ order: -1 }), ...kmsg(`sysrq: Manual OOM execution\n${fixture('7.2-global').replace('order=0', 'order=-1')}`, T0 + 5 * MS), exit(210, 104, T0 + 9 * MS)]],
  ['a group', [hello(), birth(1, '/', 0), birth(9, '/kubepods.slice', 1), birth(66, '/kubepods.slice/grp', 9), limits(66, 40 << 20, true), ...decision({ tid: 503, tsNs: T0, memcgId: 66, limitBytes: 40 << 20, group: true, victims: [{ pid: 503, memcgId: 66 }, { pid: 500, comm: 'sh', memcgId: 66 }, { pid: 502, memcgId: 66 }] }), ...kmsg(fixture('6.12-v2-group'), T0 + 5 * MS)]],
  ['a stop by the runtime', [...NODE, birth(200, '/system.slice/containerd.service', 1), stop(15, T0 - 30e9), stop(9, T0), exit(381, 104, T0 + MS)]],
])('%s, without any two sources', (_, rows) => {
  expect(C1).toBeDefined()
  expectNeverWrong(rows, 2)
})
