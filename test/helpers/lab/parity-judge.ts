/** Compares what the bridge sampled with the kernel's files as they were read beside it. */
import { expect } from 'vitest'
import { moments } from './moments.ts'
import { restOf, SOURCES, type ParityTruth, type Reading, type Sampled, type Source } from './parity.ts'
import type { Rows } from './recording-rows.ts'

type Row = { readonly tsNs: number; readonly memcgId: number } & Readonly<Record<string, unknown>>

/** Rows of one memcg that are readings: those that a keyframe repeats say nothing new. */
function lookedAt(rows: Rows, kind: Sampled, memcgId: number): readonly Row[] {
  const all = (rows.of(kind) as unknown as readonly Row[]).filter((row) => row.memcgId === memcgId), plain = (row: Row | undefined): string => JSON.stringify({ ...row, tsNs: 0, windowPeakBytes: 0, windowNs: 0 })
  return all.filter((row, i) => plain(row) !== plain(all[i - 1]))
}

const nameOf = ({ kind, field, numaNode }: Source): string => `${kind}.${field}${numaNode === undefined ? '' : ` on node ${numaNode}`}`

const valueOf = (row: Row, field: string): number | null => (row[field] as number | undefined) ?? null

/** A row's time is taken when its reading is over, which took this long at most; or longer because the bridge lost the CPU, and then it said nothing meanwhile. */
const READ_NS = 100e6

/** What is compared, by field: how many rows. */
export type Compared = { readonly equal: Map<string, number>; readonly bracketed: Map<string, number> }

/** The latest reading before which a file had said the same for so long: CPUs give back what they charged in advance, also of a memcg in which nothing happens. */
function atRest(readings: readonly Reading[], source: number, restNs: number): Reading | undefined {
  for (let end = readings.length - 1, begin = end; end >= 0; end = begin - 1) {
    const last = readings[end] as Reading
    for (begin = end; begin > 0 && readings[begin - 1]?.values[source] === last.values[source];) begin -= 1
    if (last.fromNs - (readings[begin]?.toNs ?? Infinity) >= restNs) return last
  }
  return undefined
}

/** The idle one: what did not change for so long must be what was told last. */
function compareIdle(rows: Rows, { memcgId, readings }: ParityTruth['memcgs'][number], equal: Map<string, number>): void {
  for (const [i, source] of SOURCES.entries()) {
    const { kind, field, numaNode } = source, name = nameOf(source), reading = atRest(readings, i, restOf(source))
    const row = (rows.of(kind) as unknown as readonly Row[]).findLast((one) => one.memcgId === memcgId && one['numaNode'] === numaNode && one.tsNs <= (reading?.fromNs ?? 0))
    if (reading === undefined || row === undefined) continue
    const value = reading.values[i] ?? null
    expect(valueOf(row, field), `${name} of a memcg at rest`).toBe(value)
    if (value !== null) equal.set(name, (equal.get(name) ?? 0) + 1)
  }
}

/** The busy one: a counter is between the readings before and after it. */
function compareBusy(rows: Rows, { memcgId, readings }: ParityTruth['memcgs'][number], bracketed: Map<string, number>): void {
  const said = moments([...new Set(SOURCES.map(({ kind }) => kind))].flatMap((kind) => rows.of(kind).map(({ tsNs }) => tsNs)))
  for (const [i, { kind, field, isCounter }] of SOURCES.entries()) {
    if (isCounter !== true) continue
    for (const row of lookedAt(rows, kind, memcgId)) {
      const begunNs = said.lastUntil(row.tsNs - READ_NS) ?? Number.NaN, before = readings.findLast(({ toNs }) => toNs <= begunNs)?.values[i], after = readings.find(({ fromNs }) => fromNs >= row.tsNs)?.values[i]
      if (typeof before !== 'number' || typeof after !== 'number') continue
      const value = valueOf(row, field), place = `${kind}.${field} of a busy memcg`
      expect(value, place).toBeGreaterThanOrEqual(before)
      expect(value, place).toBeLessThanOrEqual(after)
      bracketed.set(`${kind}.${field}`, (bracketed.get(`${kind}.${field}`) ?? 0) + 1)
    }
  }
}

/** Every number that this kernel has is compared, and right. */
export function expectParity({ memcgs }: ParityTruth, rows: Rows): Compared {
  const compared: Compared = { equal: new Map(), bracketed: new Map() }, [idle, busy] = memcgs
  if (idle === undefined || busy === undefined) throw new Error('nothing was read')
  compareIdle(rows, idle, compared.equal)
  compareBusy(rows, busy, compared.bracketed)
  const there = SOURCES.filter((_, i) => typeof idle.readings.at(-1)?.values[i] === 'number').map(nameOf)
  expect(there.filter((name) => !compared.equal.has(name) && !compared.bracketed.has(name))).toEqual([])
  // The busy one was busy, or its brackets say nothing.
  const moved = SOURCES.filter(({ isCounter }, i) => isCounter === true && (busy.readings.at(-1)?.values[i] ?? 0) > (busy.readings[0]?.values[i] ?? 0))
  expect(moved.length).toBeGreaterThanOrEqual(3)
  for (const { kind, field } of moved) expect(bracketedOf(compared, kind, field), `${kind}.${field} rose`).toBeGreaterThan(0)
  return compared
}

const bracketedOf = ({ bracketed }: Compared, kind: Sampled, field: string): number => bracketed.get(`${kind}.${field}`) ?? 0
