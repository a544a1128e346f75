/** Any rows in any order: the fold never throws, stays bounded, and every case can be told. */
import { expect, test } from 'vitest'
import type { Event } from '../../../src/event/event.ts'
import { KINDS } from '../../../src/event/kinds.ts'
import { applyEvent, createModel } from '../../../src/model/apply.ts'
import { jsonLine } from '../../../src/view/json-line.ts'
import { killJson } from '../../../src/view/kill-json.ts'
import { killsHeader, killsSummary, killText } from '../../../src/view/kill-report.ts'
import { C1, POD, T0, fixture } from './build.ts'

/** A row of chance of this kind: few ids and times, so that rows meet. */
function chance(kind: keyof typeof KINDS, next: () => number, lines: readonly string[]): Event {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
  const value = (type: string): unknown => {
    if (type.endsWith('?') && next() < 0.3) return undefined
    switch (type[0]) {
      case 'u': return pick([0, 1, 2, 3, 9, 128, 381, 384, 2 ** 51 - 1, Math.floor(next() * 20)])
      case 'i': return pick([0, -1, 3, 128, -1000, -(2 ** 63), 9866])
      case 'b': return next() < 0.5
      case 'a': return [1, 2, 3]
      default: return pick(['hog', '/', POD, C1, '\u001b[2J', '', 'exited', ...(kind === 'kmsg' ? [pick(lines), pick(lines), pick(lines)] : [])])
    }
  }
  const fields = Object.fromEntries(Object.entries(KINDS[kind].fields).map(([name, type]) => [name, name === 'kmsgUs' ? T0 / 1e3 : name === 'seq' ? Math.floor(next() * 1e6) : value(type)]))
  return { kind, tsNs: T0 + Math.floor(next() * 3e9) * pick([0, 1, 1, 1, 20]), ...fields } as unknown as Event
}

test.each([1, 2, 3, 4, 5, 6])('seed %i', (seed) => {
  let state = seed * 7919
  const next = (): number => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648 }
  const lines = ['6.1-v2-pod', '6.12-v2-group', '7.2-global', '6.18-v1-hostile'].flatMap((name) => fixture(name).split('\n'))
  const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[], frequent = kinds.filter((k) => /^oom|^mark|^task|^signal|^kmsg|^memcg/.test(k))
  const model = createModel()
  for (let i = 0; i < 20_000; i++) {
    const of = next() < 0.8 ? frequent : kinds
    applyEvent(model, chance(of[Math.floor(next() * of.length)]!, next, lines))
  }
  expect(model.cases.length).toBeGreaterThan(10)
  expect(model.caseBook.open.length).toBeLessThanOrEqual(128)
  expect(model.caseBook.caseOf.size).toBeLessThan(5000)
  const times = model.cases.map((c) => c.tsNs)
  expect(times.every(Number.isFinite)).toBe(true)
  for (const target of model.cases) {
    for (const line of killText(target, model).split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    const json = JSON.parse(jsonLine(killJson(target, model))) as { id: string; sentence: string }
    expect(json.sentence.length).toBeGreaterThan(10)
  }
  expect(`${killsHeader(model)}${killsSummary(model)}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  // Two seconds of work; a machine may have a dozen other things to do.
}, 60_000)
