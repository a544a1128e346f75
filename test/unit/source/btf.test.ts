/** BTF is read right, and damage in it is an answer, never a throw. */
import { expect, test } from 'vitest'
import { parseBtf } from '../../../src/source/btf.ts'

const STRUCT = 4, UNION = 5, ENUM = 6, INT = 1, FUNC = 12, ENUM64 = 19

/** Lays out types and strings as pahole does; names are given as text and become offsets. */
class Builder {
  private readonly words: number[] = []
  private strings = '\0'

  private name(text: string): number {
    if (text === '') return 0
    this.strings += `${text}\0`
    return this.strings.length - text.length - 1
  }

  type(kind: number, name: string, parts: readonly (readonly (string | number)[])[] = [], tail: readonly number[] = []): this {
    this.words.push(this.name(name), (kind << 24) | parts.length, 0, ...tail)
    for (const part of parts) this.words.push(...part.map((word) => typeof word === 'string' ? this.name(word) : word))
    return this
  }

  bytes(): Buffer {
    const types = Buffer.alloc(this.words.length * 4), strings = Buffer.from(this.strings, 'latin1'), header = Buffer.alloc(24)
    this.words.forEach((word, i) => types.writeInt32LE(word | 0, i * 4))
    header.writeUInt16LE(0xeb9f, 0)
    header[2] = 1;
    [24, 0, types.length, types.length, strings.length].forEach((value, i) => header.writeUInt32LE(value, 4 + i * 4))
    return Buffer.concat([header, types, strings])
  }
}

/** int; struct page_counter { usage, union { swap, memsw } }; enum; enum64; function. Ids count from 1. */
const sample = (): Buffer => new Builder()
  .type(INT, 'int', [], [32])
  .type(UNION, '', [['swap', 1, 0], ['memsw', 1, 0]])
  .type(STRUCT, 'page_counter', [['usage', 1, 0], ['', 2, 64]])
  .type(ENUM, 'cgroup_subsys_id', [['cpuset_cgrp_id', 0], ['memory_cgrp_id', 4], ['minus', -1]])
  .type(ENUM64, 'big', [['wide', 7, 0]])
  .type(FUNC, 'out_of_memory').bytes()

test('members, also those of unnamed unions, enum values and functions are found by name', () => {
  const btf = parseBtf(sample())
  expect(['usage', 'swap', 'memsw', 'sw', 'swaps', ''].map((name) => btf?.hasMember('page_counter', name))).toEqual([true, true, true, false, false, true])
  expect(['memory_cgrp_id', 'cpuset_cgrp_id', 'minus', 'none'].map((name) => btf?.enumValue('cgroup_subsys_id', name))).toEqual([4, 0, -1, undefined])
  expect(btf?.enumValue('big', 'wide')).toBe(7)
  expect([btf?.hasFunction('out_of_memory'), btf?.hasFunction('page_counter'), btf?.hasMember('out_of_memory', 'usage')]).toEqual([true, false, false])
})

test('a struct that contains itself without a name does not hang the search', () => {
  const btf = parseBtf(new Builder().type(STRUCT, 'loop', [['', 1, 0]]).bytes())
  expect(btf?.hasMember('loop', 'nothing')).toBe(false)
})

test('bytes that are not BTF, or a kind newer than this reader, are undefined', () => {
  expect(parseBtf(new Uint8Array(0))).toBeUndefined()
  expect(parseBtf(Buffer.from('not BTF at all, but long enough'))).toBeUndefined()
  expect(parseBtf(new Builder().type(31, 'future').bytes())).toBeUndefined()
})

test('a blob cut or flipped anywhere never throws', () => {
  const whole = sample()
  for (let i = 0; i < whole.length; i++) {
    const flipped = Buffer.from(whole)
    flipped[i] = (flipped[i] as number) ^ 0xff
    for (const bytes of [whole.subarray(0, i), flipped]) {
      const btf = parseBtf(bytes)
      expect(() => [btf?.hasMember('page_counter', 'memsw'), btf?.enumValue('cgroup_subsys_id', 'memory_cgrp_id'), btf?.hasFunction('out_of_memory')]).not.toThrow()
    }
  }
})
