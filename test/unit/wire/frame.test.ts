import { describe, expect, test } from 'vitest'
import { encodeFrame, FrameReader, HEADER_BYTES, MAX_PAYLOAD_BYTES } from '../../../src/wire/frame.ts'
import type { Frame } from '../../../src/wire/frame.ts'

const frame = (text: string, tsNs = 7): Buffer => encodeFrame({ flags: 1, rowCount: 3, tsNs, payload: Buffer.from(text) })
const texts = (frames: readonly Frame[]): string[] => frames.map((f) => Buffer.from(f.payload).toString('latin1'))

/** Everything a reader makes of the bytes, fed in chunks of `size`. */
function readAll(bytes: Buffer, size = bytes.length): { texts: string[]; corruptFrames: number; corruptBytes: number } {
  const reader = new FrameReader(), frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...reader.push(bytes.subarray(at, at + size)))
  frames.push(...reader.end())
  return { texts: texts(frames), ...reader.damage }
}

describe('a whole stream', () => {
  test('a frame carries its header fields, also times beyond 2^32', () => {
    const [read] = new FrameReader().push(frame('abc', 507_123_456_789_012))
    expect(read).toMatchObject({ version: 1, flags: 1, rowCount: 3, tsNs: 507_123_456_789_012 })
    expect(read?.bytes).toEqual(frame('abc', 507_123_456_789_012))
  })
  test.each([1, 3, 7, 23, 24, 25, 1000])('chunks of %i bytes give the same frames', (size) => {
    expect(readAll(Buffer.concat([frame('one'), frame(''), frame('OOMS inside'), frame('x'.repeat(5000))]), size))
      .toEqual({ texts: ['one', '', 'OOMS inside', 'x'.repeat(5000)], corruptFrames: 0, corruptBytes: 0 })
  })
  test('an empty stream has neither frames nor damage', () => expect(readAll(Buffer.alloc(0))).toEqual({ texts: [], corruptFrames: 0, corruptBytes: 0 }))
  test('a payload over the limit is refused by the writer', () => expect(() => encodeFrame({ flags: 0, rowCount: 1, tsNs: 0, payload: Buffer.alloc(MAX_PAYLOAD_BYTES + 1) })).toThrow('frame too large'))
})

describe('damage', () => {
  const three = [frame('one'), frame('two'), frame('three')] as const
  const damaged = (change: (bytes: Buffer) => void): Buffer => { const bytes = Buffer.concat(three); change(bytes); return bytes }
  const second = three[0].length

  test.each([
    ['a payload byte', HEADER_BYTES], ['the magic', 0], ['the checksum', 8], ['the version', 12], ['the flags', 13], ['the row count', 14], ['the time', 16], ['the length', 4], ['the length, far beyond', 6],
  ])('%s of one frame flipped: that frame is lost, counted once, and the others stay', (_, offset) => {
    for (const size of [1, 5, 4096]) {
      const read = readAll(damaged((bytes) => { bytes[second + offset] = bytes[second + offset]! ^ 0x20 }), size)
      expect(read).toEqual({ texts: ['one', 'three'], corruptFrames: 1, corruptBytes: three[1].length })
    }
  })
  test('a cut tail costs the last frame only', () => {
    const bytes = Buffer.concat(three).subarray(0, -1)
    expect(readAll(bytes)).toEqual({ texts: ['one', 'two'], corruptFrames: 1, corruptBytes: three[2].length - 1 })
  })
  test('a tail shorter than a header is counted', () => {
    expect(readAll(Buffer.concat([three[0], three[1].subarray(0, 11)]))).toEqual({ texts: ['one'], corruptFrames: 1, corruptBytes: 11 })
  })
  test('a stream joined in the middle of a frame starts at the next one', () => {
    expect(readAll(Buffer.concat(three).subarray(9), 4)).toEqual({ texts: ['two', 'three'], corruptFrames: 1, corruptBytes: three[0].length - 9 })
  })
  test('foreign bytes between frames are one place of damage', () => {
    expect(readAll(Buffer.concat([three[0], Buffer.alloc(70_000, 0x4f), three[1]]), 100)).toEqual({ texts: ['one', 'two'], corruptFrames: 1, corruptBytes: 70_000 })
  })
  test('bytes that only look like a magic at the end of a chunk are given back or counted', () => {
    const reader = new FrameReader()
    expect(reader.push(Buffer.from('OO'))).toEqual([])
    expect(reader.damage).toEqual({ corruptFrames: 0, corruptBytes: 0 })
    expect(texts(reader.push(Buffer.concat([Buffer.from('xx'), three[0]])))).toEqual(['one'])
    expect(reader.damage).toEqual({ corruptFrames: 1, corruptBytes: 4 })
  })
})
