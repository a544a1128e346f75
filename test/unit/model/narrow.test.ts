/** --cgroup: the workloads and kills of a part, with the limits above it. */
import { expect, test } from 'vitest'
import { globMatcher } from '../../../src/base/glob.ts'
import { narrower } from '../../../src/model/narrow.ts'
import type { NodeModel } from '../../../src/model/node.ts'
import { killRows } from '../../../src/view/kills-list.ts'
import { killsHeader, killsSummary } from '../../../src/view/kill-report.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { statusOf } from '../../../src/view/status-line.ts'
import { treeRows } from '../../../src/view/tree.ts'
import { addKill, addMemcg, addPod, emptyNode, M, tell, TEST_LENS } from '../../helpers/node-model.ts'
import { decision } from '../model/build.ts'
import { applyEvent } from '../../../src/model/apply.ts'

const only = (pattern: string): ((model: NodeModel) => NodeModel) => narrower({ text: pattern, covers: globMatcher(pattern) })

test('rows, tree and kills of the part; the limits above it stay', () => {
  const model = emptyNode(), slice = addMemcg(model, '/system.slice', { used: 90 * M, max: 100 * M }), web = addMemcg(model, '/system.slice/web.service', { used: 80 * M }), db = addMemcg(model, '/system.slice/db.service', { used: 5 * M, max: 8 * M })
  addPod(model, 'a/b', { used: M })
  addKill(model, db, { secondsAgo: 3 })
  // The slice's limit, a victim in web.service.
  for (const row of decision({ tid: 900, tsNs: model.nowNs - 5e9, memcgId: slice.id, victims: [{ pid: 901, memcgId: web.id }] })) applyEvent(model, row)
  // And one in the slice that killed nobody.
  for (const row of decision({ tid: 910, tsNs: model.nowNs - 9e9, memcgId: slice.id, victims: [] })) applyEvent(model, row)
  const narrowed = only('web.service')(model)
  expect(overviewRows(momentOf(TEST_LENS, narrowed)).map(({ name, levels }) => [name, levels.map(({ label }) => label)])).toEqual([['system.slice/web.service', ['web.service', 'system.slice']]])
  expect(treeRows(momentOf(TEST_LENS, narrowed)).map(({ label, parentKey }) => [label, parentKey])).toEqual([['web.service', undefined]])
  expect(killRows(TEST_LENS, narrowed).map(({ killCase }) => killCase.victims[0]?.pid)).toEqual([901])
  expect(killRows(TEST_LENS, only('/system.slice/db.service')(model)).map(({ killCase }) => killCase.victims.length)).toEqual([1])
  expect(killRows(TEST_LENS, only('/system.slice')(model))).toHaveLength(3)
  expect(killRows(TEST_LENS, only('nothing')(model))).toEqual([])
  expect(model.cases).toHaveLength(3)
})

test('it follows the model, is the same object for it, and says on screen and in the report what is left out', () => {
  const model = emptyNode(), narrow = only('web.service'), narrowed = narrow(model)
  expect(statusOf(TEST_LENS, narrowed, { rows: [] }).calm).toBe('No cgroup matches web.service now.')
  addMemcg(model, '/web.service', { used: M })
  tell(model, 'clock', model.nowNs + 5e9, { wallMs: 0, bootNs: 0 })
  expect(narrow(model)).toBe(narrowed)
  expect(narrowed.nowNs).toBe(model.nowNs)
  const rows = overviewRows(momentOf(TEST_LENS, narrowed))
  expect(rows).toHaveLength(1)
  expect(statusOf(TEST_LENS, narrowed, { rows }).parts.map(({ long }) => long)).toContain('only web.service')
  expect(killsHeader(narrowed)).toContain('only cgroups that match web.service')
  expect(killsHeader(model)).not.toContain('only')
  tell(model, 'node_vmstat', model.nowNs + 1e9, { oomKill: 5 })
  tell(model, 'node_vmstat', model.nowNs + 2e9, { oomKill: 7 })
  expect(killsSummary(narrowed)).toContain('nothing lost')
  expect(killsSummary(model)).toContain('no witness')
})

test('without a pattern it is the model itself', () => {
  const model = emptyNode()
  expect(narrower(undefined)(model)).toBe(model)
})
