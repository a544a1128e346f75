import { describe, expect, test } from 'vitest'
import { formatBytes, parseBytes } from '../../../src/base/bytes.ts'
import { assertNever, environmentError, EXIT, reasonOf, SourceError, usageError } from '../../../src/base/errors.ts'
import { medianOf } from '../../../src/base/median.ts'
import { remembered } from '../../../src/base/remembered.ts'
import { Ring } from '../../../src/base/ring.ts'
import { plural, printable, sanitize } from '../../../src/base/text.ts'
import { bootNsAt, formatDuration, formatWall, parseDuration, tsNsAt, wallMsAt } from '../../../src/base/time.ts'

describe('bytes', () => {
  test.each<[string, number | undefined]>([
    ['0', 0], ['4096', 4096], ['256MiB', 268_435_456], ['512Mi', 536_870_912], ['1.5G', 1_610_612_736], ['2 GiB', 2 ** 31], ['1kb', 1000], ['1TB', 1e12], ['10b', 10],
    ['', undefined], ['MiB', undefined], ['-1', undefined], ['1e9', undefined], ['5 apples', undefined], ['9999999999TiB', undefined],
  ])('%j is %j', (text, bytes) => expect(parseBytes(text)).toBe(bytes))
  test.each<[number, string]>([[0, '0 B'], [1023, '1023 B'], [1024, '1 KiB'], [1536, '1.5 KiB'], [1024 * 1023.9, '1 MiB'], [300 * 2 ** 20, '300 MiB'], [2 ** 50, '1024 TiB']])('%d bytes are written %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})

test('what was found for a text is found once; for any number of texts not all is kept', () => {
  const asked: string[] = [], length = remembered((text) => { asked.push(text); return text.length })
  expect([length(''), length('abc'), length(''), length('abc')]).toEqual([0, 3, 0, 3])
  expect(asked).toEqual(['', 'abc'])
  for (let i = 0; i < 20_000; i++) length(`path ${i}`)
  expect(length('abc')).toBe(3)
  expect(asked.filter((text) => text === 'abc')).toHaveLength(2)
})

describe('durations', () => {
  test.each<[string, number | undefined]>([
    ['30s', 30e9], ['10ms', 10e6], ['24h', 86_400e9], ['1h30m', 5400e9], ['1.5h', 5400e9], ['100us', 1e5], ['7ns', 7], ['2d', 172_800e9], ['365d', 365 * 86_400e9],
    ['30', undefined], ['', undefined], ['s', undefined], ['-5s', undefined], ['5 s', undefined], ['5sx', undefined],
  ])('%j is %j ns', (text, ns) => expect(parseDuration(text)).toBe(ns))
  test.each<[number, string]>([[0, '0 ms'], [950e6, '950 ms'], [1e9, '1 s'], [12.34e9, '12.3 s'], [245e9, '4 min 05 s'], [7385e9, '2 h 03 min']])('%d ns are written %s', (ns, text) => expect(formatDuration(ns)).toBe(text))
})

describe('the median', () => {
  test('is that of the sorted values, however many are equal and in whatever order they come', () => {
    // A linear congruence instead of chance: the same numbers in every run.
    let state = 7
    const next = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31)
    for (let count = 1; count < 80; count++) for (const spread of [3, 1000, 2 ** 31]) {
      const values = Float64Array.from({ length: count }, () => (next() % spread) - spread / 2), sorted = values.toSorted(), middle = count >> 1
      expect(medianOf(values)).toBe(count % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2)
      expect(values.toSorted()).toEqual(sorted)
    }
  })
  test('is of the first values only where asked, and of none there is none', () => {
    expect(medianOf(Float64Array.of(5, 1, 3, 99, 99), 3)).toBe(3)
    expect(medianOf(new Float64Array(0))).toBeNaN()
  })
})

describe('clocks', () => {
  const anchor = { tsNs: 500e9, wallMs: Date.UTC(2026, 10, 20, 12), bootNs: 600e9 }
  test('a monotonic time and its wall clock are found from each other', () => {
    expect(wallMsAt(anchor, 501.5e9)).toBe(anchor.wallMs + 1500)
    expect(tsNsAt(anchor, anchor.wallMs - 2000)).toBe(498e9)
  })
  test('what was before a jump of the clocks is told by the clocks of then', () => {
    const slept = { tsNs: 510e9, wallMs: anchor.wallMs + 3_610_000, bootNs: 4210e9, before: anchor }
    const set = { tsNs: 520e9, wallMs: anchor.wallMs, bootNs: 4220e9, before: slept }
    expect([490e9, 509e9, 510e9, 519e9, 521e9].map((tsNs) => wallMsAt(set, tsNs) - anchor.wallMs)).toEqual([-10_000, 9000, 3_610_000, 3_619_000, 1000])
    expect([490e9, 509e9, 510e9, 521e9].map((tsNs) => bootNsAt(set, tsNs))).toEqual([590e9, 609e9, 4210e9, 4221e9])
    expect([-10_000, 9000, 1_800_000, 3_619_000].map((passedMs) => tsNsAt(slept, anchor.wallMs + passedMs))).toEqual([490e9, 509e9, 510e9, 519e9])
  })
  test('a time no calendar has is absent, not an exception', () => {
    expect(formatWall(anchor.wallMs)).toBe('2026-11-20T12:00:00.000Z')
    expect(formatWall(1e300)).toBeUndefined()
  })
})

describe('text', () => {
  test('nothing that a terminal would execute or reorder gets through, C1 included', () => {
    expect(printable('a\u001b[31m\u009b2J\u0000\u007f\n\u202eb')).toBe('a?[31m?2J????b')
    expect(sanitize('a\u009b\u202e')).toBe('a\\x9b\\u202e')
    expect(printable('x'.repeat(500), 10)).toBe('xxxxxxxxx…')
  })
  test('one thing is singular', () => expect([plural(0, 'kill'), plural(1, 'kill'), plural(2, 'kill')]).toEqual(['0 kills', '1 kill', '2 kills']))
})

test('a ring keeps the newest', () => {
  const ring = new Ring<number>(3)
  for (const n of [1, 2, 3, 4, 5]) ring.push(n)
  expect(ring.values()).toEqual([3, 4, 5])
})

describe('errors', () => {
  test('each class has its exit code, a stable code, a hint and its cause', () => {
    const cause = new Error('x'), failure = { code: 'c', message: 'm', hint: 'h', cause }
    expect(usageError('c', 'm', 'h')).toMatchObject({ exitCode: EXIT.usage, code: 'c', message: 'm', hint: 'h' })
    expect(environmentError(failure)).toMatchObject({ exitCode: EXIT.environment, cause })
    expect(new SourceError(failure)).toMatchObject({ exitCode: EXIT.source, cause, name: 'SourceError' })
    expect([EXIT.done, EXIT.source, EXIT.usage, EXIT.environment, EXIT.bug]).toEqual([0, 1, 2, 3, 70])
  })
  test('system errors are told in words', () => {
    expect(reasonOf(Object.assign(new Error('ENOENT: no such file, open x'), { code: 'ENOENT' }))).toBe('no such file or directory')
    expect(reasonOf(Object.assign(new Error('y'), { code: 'EWEIRD' }))).toBe('EWEIRD')
    expect(reasonOf('text')).toBe('text')
  })
  test('a case nobody thought of is a bug that names the value', () => expect(() => assertNever('purple' as never)).toThrow('"purple"'))
})
