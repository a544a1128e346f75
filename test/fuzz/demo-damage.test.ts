/** A real recording, cut, flipped or not one at all: everything up to the damage, or a reason; never a crash. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { UserError } from '../../src/base/errors.ts'
import type { Event } from '../../src/event/event.ts'
import { applyEvent, createModel } from '../../src/model/apply.ts'
import type { NodeModel } from '../../src/model/node.ts'
import { openRecording } from '../../src/recording/reader.ts'
import { Decoder } from '../../src/wire/decode.ts'
import { FrameReader } from '../../src/wire/frame.ts'
import { cli } from '../helpers/cli.ts'
import { freshDirectories } from '../helpers/files.ts'
import { seeded } from '../helpers/stream.ts'

const DEMO = readFileSync(fileURLToPath(new URL('../fixtures/recordings/three-kills-v1.oom', import.meta.url)))
const fresh = freshDirectories()
const FRAMES = new FrameReader().push(DEMO), ENDS = FRAMES.map((_, i) => FRAMES.slice(0, i + 1).reduce((sum, { bytes }) => sum + bytes.length, 0))

type Read = { readonly refusal: string } | { readonly delivered: number; readonly corrupt: number; readonly model: NodeModel; readonly events: readonly Event[] }

/** As `kills` reads it. */
function read(file: string, bytes: Buffer): Read {
  writeFileSync(file, bytes)
  let recording
  try { recording = openRecording(file) } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return { refusal: (error as UserError).message }
  }
  const cursor = recording.cursor(undefined), decoder = new Decoder(), model = createModel(), events: Event[] = []
  let delivered = 0
  for (let frames = cursor.next(); frames !== undefined; frames = cursor.next()) {
    for (const frame of frames) {
      delivered += frame.bytes.length
      for (const event of decoder.decode(frame)) {
        events.push(event)
        applyEvent(model, event)
      }
    }
  }
  recording.close()
  expect(decoder.counts).toEqual({ unknownKinds: 0, badRows: 0 })
  return { delivered, corrupt: cursor.damage.corruptBytes, model, events }
}

test('the recording is whole, with three kills', () => {
  const whole = read(join(fresh(), 'a.oom'), DEMO)
  expect(whole).toMatchObject({ delivered: DEMO.length, corrupt: 0 })
  expect('model' in whole && whole.model.cases.filter((kill) => kill.victims.length > 0)).toHaveLength(3)
})

test('cut anywhere: exactly the whole frames before the cut, or a refusal when there is none', () => {
  const file = join(fresh(), 'a.oom'), random = seeded(1), everyEdge = ENDS.flatMap((end) => [end - 1, end, end + 1])
  for (const cut of [0, 1, 23, 24, ...everyEdge, ...Array.from({ length: 150 }, () => Math.floor(random() * DEMO.length))].filter((at) => at <= DEMO.length)) {
    const got = read(file, DEMO.subarray(0, cut)), whole = ENDS.filter((end) => end <= cut).at(-1) ?? 0
    if ('refusal' in got) expect(whole, `cut at ${cut}: ${got.refusal}`).toBe(0)
    else expect([got.delivered, got.corrupt], `cut at ${cut}`).toEqual([whole, cut - whole])
  }
})

test('one flipped bit anywhere: the frame it is in is lost and counted, all others are told', () => {
  const file = join(fresh(), 'a.oom'), random = seeded(2)
  for (let round = 0; round < 400; round += 1) {
    // The first frame says what all of it is; its damage is the next test's.
    const first = ENDS[0]!, at = first + Math.floor(random() * (DEMO.length - first)), bytes = Buffer.from(DEMO)
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
    const got = read(file, bytes), hit = FRAMES[ENDS.findIndex((end) => at < end)]!.bytes.length
    expect('refusal' in got ? got.refusal : [got.delivered, got.corrupt], `bit at ${at}`).toEqual([DEMO.length - hit, hit])
  }
})

test('one flipped bit in the first frame: a reason, or the rest', () => {
  const file = join(fresh(), 'a.oom'), random = seeded(3)
  for (let round = 0; round < 200; round += 1) {
    const at = Math.floor(random() * ENDS[0]!), bytes = Buffer.from(DEMO)
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
    const got = read(file, bytes)
    if ('refusal' in got) expect(got.refusal, `bit at ${at}`).toContain('a.oom')
    else expect([got.delivered, got.corrupt], `bit at ${at}`).toEqual([DEMO.length - ENDS[0]!, ENDS[0]!])
  }
})

test.each([
  ['nothing', Buffer.alloc(0)], ['zeros', Buffer.alloc(100_000)], ['text', Buffer.from('#!/bin/sh\nexit 0\n'.repeat(999))], ['another recorder’s file', Buffer.from('\u007fELF'.repeat(9999), 'latin1')],
  ['an endless magic', Buffer.from('OOMS'.repeat(30_000))], ['a header that promises too much', Buffer.concat([Buffer.from('OOMS'), Buffer.alloc(20, 0xff), DEMO.subarray(24, 200)])],
])('a foreign file, %s, is refused by the program in two lines with exit code 2', async (_, bytes) => {
  const file = join(fresh(), 'foreign.oom')
  writeFileSync(file, bytes)
  const { code, stdout, stderr } = await cli(['kills', file, '--json'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^oomscope: .*foreign\.oom.*\nhint: .*\n$/)
})

test('the program tells the kills before a cut and says what is missing', async () => {
  const file = join(fresh(), 'cut.oom')
  writeFileSync(file, DEMO.subarray(0, Math.floor(DEMO.length * 0.7)))
  const { code, stdout, stderr } = await cli(['kills', file, '--json']), told = stdout.split('\n').slice(0, -1).map((line) => JSON.parse(line) as { readonly id: string; readonly victims: readonly { readonly comm: string }[] })
  expect(code).toBe(0)
  expect(told.length).toBeGreaterThan(0)
  expect(told.length).toBeLessThan(3)
  expect(told.map((kill) => kill.victims[0]?.comm)).toEqual(['java', 'python3', 'node'].slice(0, told.length))
  expect(stderr).toMatch(/missing|damaged|cut/)
})
