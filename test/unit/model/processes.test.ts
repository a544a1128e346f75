/** The table of processes: who lives, who died lately, and who had a pid at a time. */
import { expect, it } from 'vitest'
import { processAt, processesOf } from '../../../src/model/processes.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { emptyNode, tell } from '../../helpers/node-model.ts'

const S = 1e9

function born(model: NodeModel, pid: number, startNs: number, tsNs = startNs + S, memcgId = 1, comm = 'x'): void {
  tell(model, 'process', tsNs, { pid, startNs, memcgId, ppid: 1, uid: 0, threads: 1, comm })
}
const memory = (model: NodeModel, pid: number, startNs: number, tsNs: number, anonBytes: number): void =>
  tell(model, 'process_memory', tsNs, { pid, startNs, anonBytes, fileBytes: 0, shmemBytes: 0, swapBytes: 0, pgtablesBytes: 0, oomScoreAdj: 0, readNs: tsNs })

it('follows a process through an exec and into another memcg, until it ends', () => {
  const model = emptyNode()
  born(model, 7, 5 * S, 6 * S, 1, 'sh')
  memory(model, 7, 5 * S, 7 * S, 4096)
  born(model, 7, 5 * S, 8 * S, 2, 'java')
  expect(model.processes.living.get(7)).toMatchObject({ comm: 'java', memcgId: 2, seenNs: 6 * S, memory: { anonBytes: 4096 } })
  tell(model, 'process_end', 9 * S, { pid: 7, startNs: 4 * S })
  expect(model.processes.living.has(7)).toBe(true)
  tell(model, 'process_end', 9 * S, { pid: 7, startNs: 5 * S })
  expect([model.processes.living.size, model.processes.dead.length]).toEqual([0, 1])
})

it('tells two processes of one pid apart by when they began', () => {
  const model = emptyNode()
  born(model, 7, 5 * S, 6 * S, 1, 'first')
  born(model, 7, 20 * S, 21 * S, 1, 'second')
  memory(model, 7, 5 * S, 22 * S, 1)
  expect(model.processes.living.get(7)?.memory).toBeUndefined()
  expect([4, 5, 6, 15, 20, 25].map((second) => processAt(model, 7, second * S)?.comm)).toEqual([undefined, 'first', 'first', 'first', 'second', 'second'])
  tell(model, 'process_end', 30 * S, { pid: 7, startNs: 20 * S })
  expect([processAt(model, 7, 29 * S)?.comm, processAt(model, 7, 31 * S)?.comm, processAt(model, 8, 6 * S)]).toEqual(['second', undefined, undefined])
})

it('gives the processes below a memcg, and all of them without one', () => {
  const model = emptyNode()
  for (const [memcgId, parentId, path] of [[1, 0, '/'], [2, 1, '/a'], [3, 2, '/a/b'], [4, 1, '/c']] as const) tell(model, 'memcg_birth', 0, { memcgId, parentId, path, by: 'walk' })
  for (const memcgId of [1, 2, 3, 4]) born(model, 100 + memcgId, S, 2 * S, memcgId)
  expect([processesOf(model, 2), processesOf(model, 3), processesOf(model)].map((found) => found.map(({ pid }) => pid))).toEqual([[102, 103], [103], [101, 102, 103, 104]])
})

it('takes one that two keyframes do not name for ended', () => {
  const model = emptyNode()
  born(model, 7, 7100 * S)
  for (const second of [7200, 7210, 7220]) {
    tell(model, 'clock', second * S, { wallMs: 0, bootNs: second * S })
    born(model, 8, S, second * S)
  }
  expect([...model.processes.living.keys()]).toEqual([8])
})

it('is bounded, and the newest dead stay', () => {
  const model = emptyNode()
  for (let pid = 1; pid <= 20_000; pid++) born(model, pid, S)
  expect(model.processes.living.size).toBe(16_384)
  for (let pid = 1; pid <= 16_384; pid++) tell(model, 'process_end', 3 * S, { pid, startNs: S })
  expect(model.processes.dead.length).toBeLessThanOrEqual(4096)
  expect(processAt(model, 16_384, 2 * S)?.pid).toBe(16_384)
})
