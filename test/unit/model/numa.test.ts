/** memory.numa_stat in the model: the newest reading by node, what was known before a kill, and never more than there are nodes. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { accountOf, verdictOf } from '../../../src/verdict/verdict.ts'
import { MAX_NUMA_NODES } from '../../../src/model/numa.ts'
import { C1, MS, NODE, T0, birth, decision, event, fold, hello } from './build.ts'

const M = 2 ** 20, VICTIM = 104
const row = (numaNode: number, readNs: number, anonBytes: number, told = readNs): Event => event('memcg_numa', told, { memcgId: VICTIM, numaNode, readNs, anonBytes, fileBytes: M })
const reading = (readNs: number, near: number, far: number): Event[] => [row(0, readNs, near * M), row(1, readNs, far * M)]
const bound = (tsNs = T0): Event[] => decision({ tid: 384, tsNs, memcgId: 0, constraint: 1, victims: [{ pid: 381, memcgId: VICTIM }] })

const split = (rows: readonly Event[]): unknown => {
  const numa = fold(rows).memcgs.get(VICTIM)?.numa
  return numa === undefined ? undefined : { readNs: numa.tsNs, anon: numa.nodes.map(({ numaNode, anonBytes }) => [numaNode, (anonBytes ?? 0) / M]) }
}

test('the newest reading counts; a keyframe repeats it, and an older one changes nothing', () => {
  expect(split([...NODE, ...reading(T0, 1, 2), ...reading(T0 + MS, 3, 4)])).toEqual({ readNs: T0 + MS, anon: [[0, 3], [1, 4]] })
  expect(split([...NODE, ...reading(T0, 1, 2), row(0, T0, M, T0 + 9e9), row(1, T0, 2 * M, T0 + 9e9)])).toEqual({ readNs: T0, anon: [[0, 1], [1, 2]] })
  expect(split([...NODE, ...reading(T0, 1, 2), ...reading(T0 - MS, 3, 4)])).toEqual({ readNs: T0, anon: [[0, 1], [1, 2]] })
  expect(split([hello(), ...reading(T0, 1, 2)])).toBeUndefined()
})

test('a hostile stream cannot invent more nodes than are kept', () => {
  const memcg = fold([...NODE, ...Array.from({ length: 1000 }, (_, numaNode) => row(numaNode, T0, M))]).memcgs.get(VICTIM)
  expect(memcg?.numa?.nodes).toHaveLength(MAX_NUMA_NODES)
})

const reasonOf = (rows: readonly Event[]) => {
  const model = fold(rows), [target] = model.cases
  if (target === undefined) throw new Error('no case')
  expect(verdictOf(model, target).cause).toBe('numa')
  return accountOf(model, target).reasons.find(({ name }) => name === 'numa-node-empty')
}

test('a death by cpuset or memory policy tells where the victim lay before it, and how old that is', () => {
  const told = reasonOf([...NODE, ...reading(T0 - 900 * MS, 1, 60), ...reading(T0 - 140 * MS, 2, 118), ...reading(T0 + 20 * MS, 0, 0), ...bound(), ...reading(T0 + 40 * MS, 0, 0)])
  expect(told?.text).toBe('the NUMA nodes that the task may use were empty; of the victim\'s cgroup 118 MiB of 120 MiB anon lay on node 1, 140 ms before')
  expect(told?.evidence).toEqual([{ fact: 'constraint 1', source: 'probe oom_pick' },
    { fact: `${C1}: node 0 anon ${2 * M} bytes, file ${M} bytes; node 1 anon ${118 * M} bytes, file ${M} bytes`, source: 'memory.numa_stat, read 140 ms before' }])
})

test('of v1 it is said that shmem is counted with anon', () => {
  const told = reasonOf([hello({ memcgVersion: 'v1' }), birth(1, '/', 0), birth(VICTIM, C1, 1), ...reading(T0 - MS, 0, 8), ...bound()])
  expect(told?.text).toContain('8 MiB of 8 MiB anon and shmem lay on node 1')
})

test('what was not asked for, or read too long before or only afterwards, is no evidence', () => {
  for (const rows of [[], reading(T0 - 40e9, 2, 118), reading(T0 + MS, 2, 118), reading(T0 - MS, 0, 0)]) {
    const told = reasonOf([...NODE, ...rows, ...bound()])
    expect(told?.text).toBe('the NUMA nodes that the task may use were empty')
    expect(told?.evidence).toHaveLength(1)
  }
})
