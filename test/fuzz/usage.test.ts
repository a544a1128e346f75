/** Rows of usage in any order, with any numbers: spikes and recommendations never throw, never invent, and stay bounded. */
import { expect, test } from 'vitest'
import type { Event } from '../../src/event/event.ts'
import { applyDamage, applyEvent, createModel, endOfStream } from '../../src/model/apply.ts'
import { createLedger, endLedger, keepAccount } from '../../src/model/usage-ledger.ts'
import { recommend } from '../../src/verdict/recommendation.ts'
import { whatIf } from '../../src/verdict/what-if.ts'
import { needRows } from '../../src/view/needs.ts'
import { nodeFit } from '../../src/view/node-fit.ts'
import { recommendText } from '../../src/view/recommend-report.ts'
import { spikeJson } from '../../src/view/spike-json.ts'
import { spikesText } from '../../src/view/spike-report.ts'
import { toldSpikes } from '../../src/view/spike-facts.ts'
import { lens } from '../../src/cli/lens.ts'
import { clock, hello, seeded, START_NS } from '../helpers/stream.ts'

const NUMBERS = [0, 1, 4096, 2 ** 20, 100 * 2 ** 20, 2 ** 33, 2 ** 53 - 1, 2 ** 63]

function rowsOf(seed: number): Event[] {
  const random = seeded(seed), pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const bytes = (): number => (random() < 0.2 ? pick(NUMBERS) : Math.floor(random() * 400) * 2 ** 20), perhaps = (): number | undefined => (random() < 0.4 ? undefined : bytes())
  let tsNs = START_NS
  return Array.from({ length: 1500 }, () => {
    // Forward as a rule, sometimes far, sometimes back.
    tsNs += random() < 0.02 ? 70e9 * random() : random() < 0.1 ? -3e7 * random() : 2e8 * random()
    const memcgId = 1 + Math.floor(random() * 5), path = memcgId === 1 ? '/' : `/a${'/b'.repeat(memcgId - 2)}${random() < 0.02 ? '\u001b[2J' : ''}`
    return pick<() => unknown>([
      () => ({ kind: 'memcg_usage', tsNs, memcgId, currentBytes: bytes(), peakBytes: perhaps(), swapBytes: perhaps(), windowPeakBytes: perhaps(), windowNs: random() < 0.3 ? undefined : 2e9 * random() }),
      () => ({ kind: 'memcg_usage', tsNs, memcgId, currentBytes: bytes(), peakBytes: undefined, swapBytes: undefined, windowPeakBytes: undefined, windowNs: undefined }),
      () => ({ kind: 'memcg_stat', tsNs, memcgId, anonBytes: perhaps(), fileBytes: perhaps(), shmemBytes: perhaps(), inactiveFileBytes: perhaps(), kernelBytes: perhaps(), slabReclaimableBytes: perhaps() }),
      () => ({ kind: 'memcg_limits', tsNs, memcgId, maxBytes: perhaps() }), () => ({ kind: 'memcg_birth', tsNs, memcgId, parentId: memcgId - 1, path, by: pick(['walk', 'inotify', 'keyframe']) }),
      () => ({ kind: 'memcg_death', tsNs, memcgId, path, by: 'inotify' }), () => ({ kind: 'counter', tsNs, counter: Math.floor(random() * 17), key: memcgId, value: bytes() }), () => clock(tsNs),
      () => ({ kind: 'loss', tsNs, where: pick(['ring', 'memcg', 'bpftrace']), count: bytes(), detail: undefined }),
    ])() as Event
  })
}

test.each(Array.from({ length: 40 }, (_, i) => i + 1))('seed %d', (seed) => {
  const model = createModel(), ledger = createLedger(), random = seeded(seed + 1000)
  for (const event of [hello(), clock(START_NS), ...rowsOf(seed)]) {
    if (random() < 0.005) applyDamage(model, event.tsNs)
    applyEvent(model, event)
    keepAccount(ledger, model, event)
  }
  endOfStream(model)
  endLedger(ledger, model)
  for (const spike of toldSpikes(model)) {
    expect(spike.peakBytes).toBeGreaterThan(spike.baseBytes)
    expect(spike.endNs).toBeGreaterThanOrEqual(spike.startNs)
    expect(spike.leastNs).toBeGreaterThanOrEqual(0)
    expect(JSON.stringify(spikeJson(spike, model))).not.toMatch(/null|NaN/)
  }
  const advised = needRows(lens, model, ledger).map((row) => ({ row, recommendation: recommend(row.need), whatIf: whatIf(row.need, 100 * 2 ** 20, false) }))
  for (const { recommendation, row } of advised) {
    expect(recommendation.requestBytes).toBeLessThanOrEqual(recommendation.limitBytes)
    expect(Number.isFinite(recommendation.limitBytes)).toBe(true)
    expect(row.need.needPeakBytes).toBeLessThanOrEqual(row.need.peakBytes)
    expect(row.need.p99Bytes).toBeLessThanOrEqual(row.need.needPeakBytes)
  }
  for (const text of [spikesText(lens, model, { all: true }), recommendText(model, advised, nodeFit(lens, model, advised))]) {
    expect(text).not.toMatch(/NaN|undefined|\u001b/)
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
})
