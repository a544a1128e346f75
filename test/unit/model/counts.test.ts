/** Kills that only the counters of the files saw: told once, with what they prove and nothing more. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent, endOfStream } from '../../../src/model/apply.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killsSummary } from '../../../src/view/kill-report.ts'
import { C1, MS, NODE, POD, T0, decision, event, exit, fixture, fold, kmsg, limits, shuffled } from './build.ts'

const LIMIT = 64 << 20
const counts = (memcgId: number, tsNs: number, oomKill: number, localOom = 0): Event => event('memcg_events', tsNs, { memcgId, oomKill, localOom } as never)
/** A kill in container 104 by the limit of pod 66, as memory.events counts it. */
const RISES: readonly Event[] = [
  ...[1, 2, 3, 66, 104, 142].map((id) => counts(id, T0 - 50 * MS, 0)), ...[1, 2, 3].map((id) => counts(id, T0 + 50 * MS, 1)), counts(66, T0 + 50 * MS, 1, 1), counts(104, T0 + 50 * MS, 1), counts(142, T0 + 50 * MS, 0),
]
const ended = (rows: readonly Event[]): NodeModel => {
  const model = fold(rows)
  endOfStream(model)
  return model
}

test('one case, in the memcg where it happened, by the limit of the one that counts oom for itself', () => {
  const model = ended([...NODE, limits(66, LIMIT), limits(104, LIMIT / 2), limits(142, LIMIT / 2), ...RISES]), target = model.cases[0]!
  expect(model.cases).toHaveLength(1)
  expect(verdictOf(model, target)).toMatchObject({ cause: 'pod-limit', confidence: 'likely', doubts: ['only memory.events tells of it'], sentence: expect.stringContaining(`the kernel killed a process in container ${'a'.repeat(12)} of pod`) })
  expect(killJson(target, model)).toMatchObject({ unseenVictims: 1, countedPath: C1, victims: [], limit: { path: POD, limitBytes: LIMIT }, witnesses: ['memory.events'] })
  expect(killsSummary(model)).toContain('1 kill case, 1 process killed')
  for (let seed = 1; seed <= 20; seed++) expect(ended([...NODE, limits(66, LIMIT), ...RISES.slice(0, 6), ...shuffled(RISES.slice(6), seed)]).cases, `seed ${seed}`).toMatchObject([{ countedPath: C1 }])
})

test('a single limited container with the pod\'s limit is its container\'s, though it is gone by then', () => {
  const death = event('memcg_death', T0 + 20 * MS, { memcgId: 104, path: '', by: 'inotify' }), rows = RISES.filter((row) => !('memcgId' in row && (row.memcgId === 142 || (row.memcgId === 104 && row.tsNs > T0))))
  const model = ended([...NODE.slice(0, 6), limits(66, LIMIT), limits(104, LIMIT), ...rows, death])
  expect(model.cases.map((target) => [target.countedPath, verdictOf(model, target).cause])).toEqual([[POD, 'container-limit']])
})

test('without local counters the limit is not known, and the sentence says so', () => {
  const model = ended([...NODE, ...RISES.map((row) => ({ ...row, localOom: undefined }) as unknown as Event)])
  expect(verdictOf(model, model.cases[0]!)).toMatchObject({ confidence: 'possible', sentence: expect.stringMatching(/^The kernel killed a process in container a+ of pod .* that no probe and no kernel log named; cause unknown, because/) })
  expect(verdictOf(model, model.cases[0]!)).not.toHaveProperty('cause')
})

test('any other witness makes it that case, before or long after', () => {
  const kill = decision({ tid: 384, tsNs: T0, memcgId: 66, victims: [{ pid: 381, memcgId: 104 }] }), log = kmsg(fixture('6.1-v2-pod'), T0 + 5 * MS)
  for (const rows of [kill, log, [...kill, ...log, exit(381, 104, T0 + 9 * MS)]]) {
    for (const all of [[...rows, ...RISES], [...RISES, ...rows]]) {
      const { cases } = ended([...NODE, ...all])
      expect(cases).toHaveLength(1)
      expect(cases[0]!.victims.map((victim) => victim.pid)).toEqual([381])
      expect(cases[0]).not.toHaveProperty('unseenVictims')
    }
  }
  const model = fold([...NODE, ...RISES, event('clock', T0 + 5e9, { wallMs: 1, bootNs: T0 + 5e9 })])
  expect(model.cases).toMatchObject([{ unseenVictims: 1 }])
  for (const row of kill) applyEvent(model, row)
  expect(model.cases).toHaveLength(1)
  expect(model.cases[0]).toMatchObject({ victims: [{ pid: 381 }] })
})

test('the sweep of memory.oom.group counts the chosen one twice', () => {
  const rows = [counts(104, T0 - 50 * MS, 0), counts(104, T0 + 50 * MS, 4, 1)]
  expect(ended([...NODE, limits(104, LIMIT, true), ...rows]).cases).toMatchObject([{ unseenVictims: 3 }])
  expect(ended([...NODE, limits(104, LIMIT), ...rows]).cases).toMatchObject([{ unseenVictims: 4 }])
})
