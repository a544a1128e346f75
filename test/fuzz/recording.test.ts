import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../src/base/errors.ts'
import type { Event } from '../../src/event/event.ts'
import { KINDS } from '../../src/event/kinds.ts'
import type { KindName } from '../../src/event/kinds.ts'
import { openRecording } from '../../src/recording/reader.ts'
import { Decoder } from '../../src/wire/decode.ts'
import { encodeFrames } from '../../src/wire/encode.ts'
import { encodeFrame, FrameReader } from '../../src/wire/frame.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { freshDirectories } from '../helpers/files.ts'
import { sampleOf, seeded, streamFrames } from '../helpers/stream.ts'

const fresh = freshDirectories()
const everyKind = (Object.keys(KINDS) as KindName[]).flatMap((kind) => [sampleOf(kind), sampleOf(kind, false)])
/** A small recording with every kind in it. */
const FRAMES: readonly Buffer[] = [...streamFrames({ seconds: 12, memcgs: 2 }), ...encodeFrames(everyKind)]

function readAll(bytes: Buffer, nextChunk: () => number): { frames: Frame[]; corruptFrames: number; corruptBytes: number } {
  const reader = new FrameReader(), frames: Frame[] = []
  for (let at = 0; at < bytes.length;) {
    const size = nextChunk()
    frames.push(...reader.push(bytes.subarray(at, at + size)))
    at += size
  }
  frames.push(...reader.end())
  return { frames, ...reader.damage }
}
const bytesIn = (frames: readonly Frame[]): number => frames.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** One to five flips, cuts, doublings, swaps and insertions. */
function mutate(frames: readonly Buffer[], random: () => number): Buffer {
  const upTo = (n: number): number => Math.floor(random() * n)
  let bytes = Buffer.concat(frames)
  for (let round = 1 + upTo(5); round > 0; round -= 1) {
    const at = upTo(bytes.length), length = 1 + upTo(Math.min(3000, bytes.length - at)), part = bytes.subarray(at, at + length)
    switch (upTo(5)) {
      case 0: bytes = Buffer.from(bytes); bytes[at] = bytes[at]! ^ (1 << upTo(8)); break
      case 1: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]); break
      case 2: bytes = Buffer.concat([bytes.subarray(0, at + length), part, bytes.subarray(at + length)]); break
      case 3: bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from('OOMS'), bytes.subarray(at)]); break
      default: bytes = bytes.subarray(0, bytes.length - upTo(2000)); break
    }
  }
  return bytes
}

test('damaged streams never throw, every byte is in a frame or counted, and chunking changes nothing', () => {
  for (let seed = 1; seed <= 600; seed += 1) {
    const random = seeded(seed), bytes = mutate(FRAMES, random)
    const whole = readAll(bytes, () => bytes.length), pieces = readAll(bytes, () => 1 + Math.floor(random() * 700))
    expect(bytesIn(whole.frames) + whole.corruptBytes, `seed ${seed}`).toBe(bytes.length)
    expect(pieces.frames.map((f) => f.bytes), `seed ${seed}`).toEqual(whole.frames.map((f) => f.bytes))
    expect(pieces.corruptBytes, `seed ${seed}`).toBe(whole.corruptBytes)
    expect(whole.corruptFrames > 0, `seed ${seed}`).toBe(whole.corruptBytes > 0)
    const originals = new Set(FRAMES.map((f) => f.toString('latin1'))), decoder = new Decoder()
    for (const frame of whole.frames) {
      expect(originals.has(Buffer.from(frame.bytes).toString('latin1')), `seed ${seed}: only frames that were written`).toBe(true)
      decoder.decode(frame)
    }
    expect(decoder.counts, `seed ${seed}`).toEqual({ unknownKinds: 0, badRows: 0 })
  }
})

test('the frames that no mutation touched are all found', () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = seeded(seed), bytes = Buffer.concat(FRAMES), starts = FRAMES.map((_, i) => Buffer.concat(FRAMES.slice(0, i)).length)
    const flips = Array.from({ length: 3 }, () => Math.floor(random() * bytes.length))
    for (const at of flips) bytes[at] = bytes[at]! ^ (1 + Math.floor(random() * 255))
    const untouched = FRAMES.filter((frame, i) => !flips.some((at) => at >= starts[i]! && at < starts[i]! + frame.length))
    const found = readAll(bytes, () => 4096).frames.map((f) => Buffer.from(f.bytes))
    expect(found, `seed ${seed}`).toEqual(untouched)
  }
})

test('every prefix of a stream gives exactly its whole frames', () => {
  const bytes = Buffer.concat(FRAMES.slice(0, 6)), ends = FRAMES.slice(0, 6).map((_, i) => Buffer.concat(FRAMES.slice(0, i + 1)).length)
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { frames, corruptBytes } = readAll(bytes.subarray(0, cut), () => cut)
    const whole = ends.filter((end) => end <= cut)
    expect(frames.length, `cut at ${cut}`).toBe(whole.length)
    expect(corruptBytes, `cut at ${cut}`).toBe(cut - (whole.at(-1) ?? 0))
  }
})

test('payloads of random bytes behind a right checksum never throw, and every row promised is decoded or counted', () => {
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const random = seeded(seed), rowCount = 1 + Math.floor(random() * 5)
    const payload = Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => (random() < 0.3 ? 0x90 + Math.floor(random() * 48) : Math.floor(random() * 256))))
    const [frame] = new FrameReader().push(encodeFrame({ flags: 0, rowCount, tsNs: 0, payload })), decoder = new Decoder()
    const events = decoder.decode(frame!), { unknownKinds, badRows } = decoder.counts
    expect(events.length + unknownKinds + badRows, `seed ${seed}`).toBeGreaterThanOrEqual(rowCount)
  }
})

test('mutated rows of every kind are decoded as that kind or counted, each exactly once', () => {
  const rows = everyKind.map((event) => encodeFrames([event])[0]!.subarray(24))
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const random = seeded(seed), payload = Buffer.from(rows[Math.floor(random() * rows.length)]!)
    payload[Math.floor(random() * payload.length)] = Math.floor(random() * 256)
    const [frame] = new FrameReader().push(encodeFrame({ flags: 0, rowCount: 1, tsNs: 0, payload })), decoder = new Decoder()
    const events: Event[] = decoder.decode(frame!), { unknownKinds, badRows } = decoder.counts
    expect(events.length + unknownKinds + badRows, `seed ${seed}`).toBeGreaterThanOrEqual(1)
    for (const event of events) {
      const fields = Object.keys(KINDS[event.kind].fields)
      expect(Object.keys(event), `seed ${seed}`).toEqual(['kind', 'tsNs', ...fields])
    }
  }
})

test('a damaged recording opens or is refused with a reason; what it gives is in order of the file, from any time', () => {
  const file = join(fresh(), 'a.oom')
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed), bytes = mutate(FRAMES, random)
    writeFileSync(file, bytes)
    let recording
    try { recording = openRecording(file) } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(UserError)
      continue
    }
    const span = recording.span()
    const from = random() < 0.5 || span === undefined ? undefined : span.startNs + random() * (span.endNs - span.startNs)
    const cursor = recording.cursor(from)
    let delivered = 0
    for (let frames = cursor.next(); frames !== undefined; frames = cursor.next()) delivered += bytesIn(frames)
    if (from === undefined) expect(delivered + cursor.damage.corruptBytes, `seed ${seed}`).toBe(bytes.length)
    recording.close()
  }
})
