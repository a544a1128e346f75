/** What a workload needed, from its accounts and the kills in it: whose limit it was counts. */
import { expect, test } from 'vitest'
import { lens } from '../../../src/cli/lens.ts'
import type { Event } from '../../../src/event/event.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { createLedger, endLedger, keepAccount } from '../../../src/model/usage-ledger.ts'
import { needRows } from '../../../src/view/needs.ts'
import { C1, C2, NODE, T0, decision, limits, usage } from '../model/build.ts'

const MIB = 2 ** 20

/** Kills of the container 104, with a limit of its own, by this one. */
function killsOf(rows: readonly Event[]): unknown {
  const model = createModel(), ledger = createLedger()
  for (const row of [...NODE, limits(66, 64 * MIB), limits(104, 32 * MIB), ...[104, 142].flatMap((id) => [usage(id, 20 * MIB, T0 - 2e9), usage(id, 21 * MIB, T0 - 1e9)]), ...rows]) {
    applyEvent(model, row)
    keepAccount(ledger, model, row)
  }
  endLedger(ledger, model)
  return Object.fromEntries(needRows(lens, model, ledger).map(({ path, need: { kills, killsByOthers } }) => [path, [kills, killsByOthers]]))
}

test('a kill is its own by its own limit, and of others by its pod\'s or the node\'s', () => {
  const by = (memcgId: number): Event[] => decision({ tid: 381, tsNs: T0, memcgId, victims: [{ pid: 381, memcgId: 104 }] })
  expect(killsOf(by(104))).toEqual({ [C1]: [1, 0], [C2]: [0, 0] })
  expect([killsOf(by(66)), killsOf(by(0))]).toEqual([0, 1].map(() => ({ [C1]: [1, 1], [C2]: [0, 0] })))
})

test('a pod\'s limit that is its only limited container\'s is the container\'s own', () => {
  expect(killsOf([limits(66, 32 * MIB), usage(142, MIB, T0 - 5e8), ...decision({ tid: 381, tsNs: T0, memcgId: 66, limitBytes: 32 * MIB, victims: [{ pid: 381, memcgId: 104 }] })])).toMatchObject({ [C1]: [1, 0] })
})
