/** Who stands where is kept between scenes: whatever happens to cgroups and names, it is what would be found anew. */
import { expect, it } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { completePath } from '../../../src/model/memcgs.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { treeRows } from '../../../src/view/tree.ts'
import { hello } from '../../helpers/stream.ts'
import { TEST_LENS } from '../../helpers/node-model.ts'

const UIDS = ['0a', '0b', '0c'].map((end) => `00000000-0000-4000-8000-0000000000${end}`), IDS = ['1', '2'].map((digit) => digit.repeat(64))
const PATHS = ['/system.slice', '/system.slice/web.service', '/system.slice/web.service/worker', '/plain', '/plain/inner', ...UIDS.flatMap((uid) => [`/kubepods/pod${uid}`, ...IDS.map((id) => `/kubepods/pod${uid}/${id}`)])]

/** What of the rows only births, deaths, names and limits decide. */
const told = (model: NodeModel): unknown => {
  const moment = momentOf(TEST_LENS, model)
  return {
    list: overviewRows(moment).map(({ key, name, kind, selfId, memcgIds, levels }) => ({ key, name, kind, selfId, memcgIds, levels })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    tree: treeRows(moment).map(({ key, label, parentKey, memcgIds, levels }) => ({ key, label, parentKey, memcgIds, levels })),
  }
}

/** The same model to everybody but those who remember by the object. */
const unseen = (model: NodeModel): NodeModel => Object.create(model) as NodeModel

it.each(['v1', 'v2'] as const)('finds anew what a birth, a death, a new name, another path or a forgotten one has changed (%s)', (memcgVersion) => {
  let state = 17
  const next = (below: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % below, pick = <T>(of: readonly T[]): T => of[next(of.length)] as T
  const model = createModel({ tombstones: 2 }), seen = new Set<string>()
  const random = (tsNs: number): object => {
    const memcgId = 2 + next(12), path = pick(PATHS)
    switch (next(7)) {
      case 0: case 1: return { kind: 'memcg_birth', tsNs, memcgId, parentId: 1 + next(12), path, by: 'walk' }
      case 2: return { kind: 'memcg_death', tsNs, memcgId, path: model.memcgs.get(memcgId)?.path ?? path, by: 'probe' }
      case 3: return { kind: 'workload', tsNs, from: pick(['cri', 'kubelet']), podUid: pick(UIDS), containerId: pick(IDS), namespace: 'shop', pod: `api-${next(4)}`, container: `main-${next(4)}` }
      case 4: return { kind: 'memcg_limits', tsNs, memcgId, minBytes: 0, lowBytes: 0, maxBytes: next(2) === 0 ? undefined : 2 ** 20, oomGroup: false }
      case 5: return { kind: 'memcg_usage', tsNs, memcgId, currentBytes: next(2 ** 20) }
      default: return { kind: 'clock', tsNs, wallMs: 0, bootNs: tsNs }
    }
  }
  applyEvent(model, hello(0, { memcgVersion }))
  for (let i = 1; i <= 1500; i++) {
    applyEvent(model, random(i * 1e9) as Event)
    const known = told(model)
    expect(known, `after row ${i}`).toEqual(told(unseen(model)))
    seen.add(JSON.stringify(known))
  }
  expect(seen.size).toBeGreaterThan(300)
})

it('finds anew who was only known by a path that its probe had cut', () => {
  const model = createModel(), path = '/system.slice/a-service-with-a-long-name.service'
  for (const row of [hello(0), { kind: 'memcg_birth', tsNs: 1, memcgId: 5, parentId: 1, path: `${path.slice(0, 20)}…`, by: 'probe' }]) applyEvent(model, row as Event)
  const names = (): string[] => overviewRows(momentOf(TEST_LENS, model)).map(({ name }) => name)
  expect(names()).toEqual(['system.slice/a-serv…'])
  for (const memcg of model.memcgs.values()) completePath(model, memcg, path)
  expect(names()).toEqual([path.slice(1)])
})
