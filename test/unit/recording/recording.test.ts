import { chmodSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../src/base/errors.ts'
import { Feed } from '../../../src/cli/feed.ts'
import { eventOf } from '../../../src/cli/names.ts'
import type { Event, EventOf } from '../../../src/event/event.ts'
import { openRecording } from '../../../src/recording/reader.ts'
import type { Recording, RecordingCursor } from '../../../src/recording/reader.ts'
import { createRecording } from '../../../src/recording/writer.ts'
import type { WriterOptions } from '../../../src/recording/writer.ts'
import { StreamHead } from '../../../src/recording/stream-head.ts'
import { openReplay } from '../../../src/source/replay.ts'
import { verdictOf } from '../../../src/verdict/verdict.ts'
import { Decoder } from '../../../src/wire/decode.ts'
import { encodeFrames } from '../../../src/wire/encode.ts'
import { encodeFrame, FLAG, FrameReader } from '../../../src/wire/frame.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { skip } from '../../helpers/skip.ts'
import { START_NS, streamFrames, usage } from '../../helpers/stream.ts'
import { decision } from '../model/build.ts'

const fresh = freshDirectories()
const workload = (pod: string, second: number): Event => eventOf({ kind: 'workload', podUid: `uid-${pod}`, namespace: 'shop', pod }, 'pod-logs', START_NS + second * 1e9)
const birthOf = (memcgId: number, path: string, tsNs: number): Event => ({ kind: 'memcg_birth', tsNs, memcgId, parentId: 1, path, by: 'probe' })
const deathOf = (memcgId: number, path: string, tsNs: number): Event => ({ kind: 'memcg_death', tsNs, memcgId, path, by: 'probe' })
const rung: EventOf<'rung'> = { kind: 'rung', tsNs: START_NS, question: 'signal', rung: 'tracepoint', state: 'proven', reason: undefined }

/** Writes frames through the writer, one batch a frame. */
function record(options: WriterOptions, frames: readonly Uint8Array[]): { totalBytes: number; segmentCount: number } {
  const writer = createRecording(options), reader = new FrameReader(), decoder = new Decoder()
  for (const bytes of frames) writer.write(reader.push(bytes).map((frame) => ({ frame, events: decoder.decode(frame) })))
  const { totalBytes, segmentCount } = writer
  writer.close()
  return { totalBytes, segmentCount }
}
function eventsOf(cursor: RecordingCursor): Event[] {
  const decoder = new Decoder(), events: Event[] = []
  for (let frames = cursor.next(); frames !== undefined; frames = cursor.next()) for (const frame of frames) events.push(...decoder.decode(frame))
  return events
}
function using<T>(path: string, use: (recording: Recording) => T): T {
  const recording = openRecording(path)
  try { return use(recording) } finally { recording.close() }
}
const decodeAll = (frames: readonly Uint8Array[]): Event[] => { const decoder = new Decoder(); return frames.flatMap((bytes) => new FrameReader().push(bytes)).flatMap((frame) => decoder.decode(frame)) }
const refusal = (work: () => unknown): UserError => { try { work() } catch (error) { if (error instanceof UserError) return error; throw error } throw new Error('was not refused') }
const seconds = (events: readonly Event[]): number[] => [...new Set(events.filter((e) => e.kind === 'memcg_usage').map((e) => Math.floor((e.tsNs - START_NS) / 1e9)))]

describe('writing and reading back', () => {
  test('the file is the frames, byte for byte', () => {
    const file = join(fresh(), 'a.oom'), frames = streamFrames({ seconds: 25 })
    expect(record({ path: file }, frames)).toEqual({ totalBytes: Buffer.concat(frames).length, segmentCount: 1 })
    expect(readFileSync(file)).toEqual(Buffer.concat(frames))
    using(file, (recording) => {
      expect(recording.hello).toMatchObject({ hostname: 'node-a' })
      expect(recording.span()).toEqual({ startNs: START_NS, endNs: START_NS + 25e9 })
      const cursor = recording.cursor()
      expect(eventsOf(cursor)).toEqual(decodeAll(frames))
      expect(cursor.damage).toEqual({ corruptFrames: 0, corruptBytes: 0 })
    })
  })
  test('a stream larger than one read comes back whole', () => {
    const file = join(fresh(), 'a.oom'), frames = streamFrames({ seconds: 300, memcgs: 200 })
    writeFileSync(file, Buffer.concat(frames))
    using(file, (recording) => expect(eventsOf(recording.cursor())).toEqual(decodeAll(frames)))
  })
  test('only its owner may read it', () => {
    const file = join(fresh(), 'a.oom')
    record({ path: file }, streamFrames({ seconds: 1 }))
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })
  test('a recorder that got no frame leaves no file behind', () => {
    const file = join(fresh(), 'a.oom')
    record({ path: file }, [])
    expect(existsSync(file)).toBe(false)
  })
})

describe('seeking', () => {
  const names = encodeFrames([rung, workload('web', 3)], FLAG.names), later = encodeFrames([workload('api', 21)], FLAG.names)
  const frames = streamFrames({ seconds: 45 })
  const stream = [...frames.slice(0, 4), ...names, ...frames.slice(4, 22), ...later, ...frames.slice(22)]

  test.each([[0, 0], [9.9, 0], [10, 10], [25, 20], [44, 40], [1e6, 40], [-5, 0]])('%d s after the start begins at the keyframe of second %i', (second, first) => {
    const file = join(fresh(), 'a.oom')
    writeFileSync(file, Buffer.concat(stream))
    using(file, (recording) => expect(seconds(eventsOf(recording.cursor(START_NS + second * 1e9)))[0]).toBe(first))
  })
  test('what no keyframe repeats is told first: hello, schema, rungs and the names known until then, not the state of the beginning', () => {
    const file = join(fresh(), 'a.oom')
    writeFileSync(file, Buffer.concat(stream))
    using(file, (recording) => {
      const kinds = eventsOf(recording.cursor(START_NS + 25e9)).map((e) => (e.kind === 'workload' ? `workload ${e.pod}` : e.kind))
      expect(kinds.slice(0, 2)).toEqual(['hello', 'schema'])
      const head = kinds.slice(0, kinds.indexOf('memcg_birth'))
      expect(head.filter((kind) => kind !== 'schema')).toEqual(['hello', 'rung', 'workload web', 'clock'])
      expect(kinds).toContain('workload api')
      expect(recording.bytesBefore(START_NS + 25e9)).toBe(Buffer.concat(stream.slice(0, 21)).length)
    })
  })
  test('a keyframe that was damaged is passed over', () => {
    const file = join(fresh(), 'a.oom'), bytes = Buffer.concat(frames), at = Buffer.concat(frames.slice(0, 20)).length + 30
    bytes[at] = bytes[at]! ^ 1
    writeFileSync(file, bytes)
    using(file, (recording) => {
      const cursor = recording.cursor(START_NS + 25e9)
      expect(seconds(eventsOf(cursor))[0]).toBe(10)
      expect(cursor.damage).toEqual({ corruptFrames: 1, corruptBytes: frames[20]!.length })
    })
  })
  test('a damaged length does not hide the keyframes behind it', () => {
    const file = join(fresh(), 'a.oom'), bytes = Buffer.concat(frames)
    bytes.writeUInt32LE(700_000, Buffer.concat(frames.slice(0, 15)).length + 4)
    writeFileSync(file, bytes)
    using(file, (recording) => {
      expect(recording.span()?.endNs).toBe(START_NS + 45e9)
      expect(seconds(eventsOf(recording.cursor(START_NS + 30e9)))[0]).toBe(30)
    })
  })
})

describe('damage', () => {
  const frames = streamFrames({ seconds: 12 }), whole = Buffer.concat(frames)

  test('any cut leaves everything up to the last whole frame', () => {
    const file = join(fresh(), 'a.oom')
    for (const cut of [frames[0]!.length, whole.length - 1, whole.length - 40, frames[0]!.length + frames[1]!.length + 7]) {
      writeFileSync(file, whole)
      truncateSync(file, cut)
      const kept = frames.filter((_, i) => Buffer.concat(frames.slice(0, i + 1)).length <= cut)
      using(file, (recording) => {
        const cursor = recording.cursor()
        expect(eventsOf(cursor)).toEqual(decodeAll(kept))
        expect(cursor.damage.corruptBytes).toBe(cut - Buffer.concat(kept).length)
      })
    }
  })
  test('damage in an older segment does not reach the next one', () => {
    const directory = fresh(), file = join(directory, 'a.oom')
    writeFileSync(`${file}.1`, Buffer.concat(frames.slice(0, 6)).subarray(0, -3))
    writeFileSync(file, Buffer.concat(frames.slice(6)))
    using(file, (recording) => {
      const cursor = recording.cursor()
      expect(seconds(eventsOf(cursor))).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12])
      expect(cursor.damage).toEqual({ corruptFrames: 1, corruptBytes: frames[5]!.length - 3 })
    })
  })
  test('a damaged first frame costs the hello and its state, not the rest', () => {
    const file = join(fresh(), 'a.oom'), bytes = Buffer.from(whole)
    bytes[50] = bytes[50]! ^ 0xff
    writeFileSync(file, bytes)
    using(file, (recording) => {
      expect(recording.hello).toBeUndefined()
      expect(seconds(eventsOf(recording.cursor()))[0]).toBe(1)
      expect(recording.span()).toEqual({ startNs: START_NS, endNs: START_NS + 12e9 })
    })
  })
})

describe('rotation', () => {
  const frames = streamFrames({ seconds: 1000, memcgs: 400, extra: { 5: [workload('web', 5)] } })
  const total = Buffer.concat(frames).length

  test('all segments together stay within the limit, the newest frames are kept, and every segment can be read alone', () => {
    const directory = fresh(), file = join(directory, 'a.oom'), maxBytes = 2 * 2 ** 20
    expect(total).toBeGreaterThan(3 * maxBytes)
    const { totalBytes, segmentCount } = record({ path: file, maxBytes }, frames)
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size)
    expect(sizes.length).toBe(segmentCount)
    expect(sizes.reduce((a, b) => a + b)).toBe(totalBytes)
    expect(totalBytes).toBeLessThanOrEqual(maxBytes)
    expect(totalBytes).toBeGreaterThan(maxBytes * 0.7)
    using(file, (recording) => {
      const kept = seconds(eventsOf(recording.cursor()))
      expect(kept.at(-1)).toBe(1000)
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 1001 - kept.length + i))
      expect(kept[0]! % 10, 'begins at a keyframe').toBe(0)
      expect(recording.span()).toEqual({ startNs: START_NS + kept[0]! * 1e9, endNs: START_NS + 1000e9 })
    })
    for (const name of readdirSync(directory)) {
      const events = eventsOf(openRecording(join(directory, name)).cursor())
      expect(events[0], name).toMatchObject({ kind: 'hello' })
      expect(events.find((e) => e.kind === 'workload'), name).toMatchObject({ pod: 'web' })
      expect(events.filter((e) => e.kind === 'memcg_birth').length, name).toBeGreaterThanOrEqual(400)
    }
  })
  test('a name that comes long after the kill, in a later file, is the name of the kill; every source has its word repeated', async () => {
    const file = join(fresh(), 'a.oom'), id = 'd'.repeat(64), uid = '26ab26cd-6409-443f-a13c-fd6c231207c8', path = `/kubepods/pod${uid}/${id}`, at = (second: number): number => START_NS + second * 1e9
    const kill = [birthOf(900, path, at(100)), ...decision({ tid: 384, tsNs: at(100), memcgId: 900, victims: [{ pid: 381, memcgId: 900 }] }), deathOf(900, path, at(101))]
    const names = (['cri', 'kubernetes'] as const).map((from) => eventOf({ kind: 'workload', podUid: uid, containerId: id, namespace: 'batch', pod: 'etl-0', container: `etl-${from}` }, from, at(700)))
    const stream = [...streamFrames({ seconds: 1000, memcgs: 400, extra: { 100: kill } })]
    const at700 = stream.findIndex((bytes) => new FrameReader().push(bytes)[0]!.tsNs === at(701))
    stream.splice(at700, 0, ...encodeFrames(names, FLAG.names))
    record({ path: file, maxBytes: 32 * 2 ** 20 }, stream)
    const segments = readdirSync(dirname(file))
    expect(segments.length).toBeGreaterThan(1)
    const source = openReplay({ path: file, speed: 'max' }), feed = new Feed(source)
    for await (const batch of source.batches()) feed.take(batch)
    expect(feed.model.cases.map((one) => verdictOf(feed.model, one).sentence)).toEqual([expect.stringContaining('Container etl-cri of pod batch/etl-0')])
    const newest = eventsOf(openRecording(file).cursor()).filter((e) => e.kind === 'workload')
    expect(newest.filter((e) => e.tsNs === at(700)).map((e) => e.from)).toEqual(expect.arrayContaining(['cri', 'kubernetes']))
    await source.close()
  })
  test('a recording with little room repeats the newest names only', () => {
    const head = new StreamHead()
    for (const event of [workload('old', 1), ...Array.from({ length: 500 }, (_, i) => workload(`p${i}`, 2))]) head.note(event)
    const pods = head.events(5000).map((e) => (e.kind === 'workload' ? e.pod : e.kind))
    expect(pods.length).toBeGreaterThan(20)
    expect(pods.length).toBeLessThan(100)
    expect(pods.at(-1)).toBe('p499')
    expect(head.events()).toHaveLength(501)
  })
  test('the dead give way to the living when there are too many names', () => {
    const head = new StreamHead(64), id = (n: number): string => n.toString(16).padStart(64, '0'), named = (n: number): Event => eventOf({ kind: 'workload', containerId: id(n), container: `c${n}` }, 'cri', n)
    head.note(birthOf(7, `/kubepods/${id(0)}`, 1))
    head.note(named(0))
    for (let n = 1; n < 2000; n++) for (const event of [named(n), deathOf(n, `/kubepods/${id(n)}`, n)]) head.note(event)
    const kept = head.events().map((e) => (e.kind === 'workload' ? e.container : e.kind))
    expect(kept.length).toBeLessThan(80)
    expect(kept).toEqual(expect.arrayContaining(['c0', 'c1999']))
  })
  test('seeking finds a time in an older segment', () => {
    const file = join(fresh(), 'a.oom')
    record({ path: file, maxBytes: 2 * 2 ** 20 }, frames)
    using(file, (recording) => {
      const { startNs } = recording.span()!, wanted = startNs + 100e9
      expect(seconds(eventsOf(recording.cursor(wanted)))[0]).toBe((wanted - START_NS) / 1e9)
    })
  })
  test('segments wholly older than --keep are removed', () => {
    const directory = fresh(), file = join(directory, 'a.oom')
    record({ path: file, keepNs: 400e9 }, frames)
    using(file, (recording) => {
      const first = seconds(eventsOf(recording.cursor()))[0]!
      expect(first).toBeLessThanOrEqual(600)
      expect(first).toBeGreaterThanOrEqual(600 - 60)
    })
  })
  test('without keyframes the limit holds all the same', () => {
    const directory = fresh(), file = join(directory, 'a.oom'), maxBytes = 2 ** 20
    const bare = Array.from({ length: 3000 }, (_, i) => encodeFrames([...Array(40)].map((_, j) => usage(START_NS + i * 1e6, j, i)))[0]!)
    const { totalBytes } = record({ path: file, maxBytes }, [streamFrames({ seconds: 0 })[0]!, ...bare])
    expect(totalBytes).toBeLessThanOrEqual(maxBytes)
    using(file, (recording) => expect(eventsOf(recording.cursor()).at(-1)?.tsNs).toBe(START_NS + 2999e6))
  })
})

describe('a recorder that ended just as it began the next file', () => {
  const cut = (leave: (path: string) => void): string => {
    const path = join(fresh(), 'a.oom')
    record({ path, maxBytes: 1e6 }, streamFrames({ seconds: 40 }).slice(0, 30))
    renameSync(path, `${path}.1`)
    leave(path)
    return path
  }
  test.each<[string, (path: string) => void]>([
    ['and left none of that name', () => undefined], ['and left it empty', (path) => writeFileSync(path, '')], ['and left it with a part of a frame', (path) => writeFileSync(path, streamFrames({ seconds: 1 })[0]!.subarray(0, 20))],
  ])('%s: what it wrote before can be read', (_, leave) => {
    using(cut(leave), (recording) => {
      expect(recording.hello?.hostname).toBe('node-a')
      expect(eventsOf(recording.cursor()).length).toBeGreaterThan(50)
      expect(recording.span()).toBeDefined()
    })
  })
  test('and somebody put another file there: that one is refused', () => {
    const path = cut((name) => writeFileSync(name, 'text\n'.repeat(100)))
    expect(refusal(() => openRecording(path)).code).toBe('recording-foreign')
  })
})

describe('a file in the way', () => {
  const frames = streamFrames({ seconds: 2 })
  test('an existing recording is refused, and replaced with force, older segments included', () => {
    const file = join(fresh(), 'a.oom')
    record({ path: file }, frames)
    writeFileSync(`${file}.3`, Buffer.concat(frames))
    expect(refusal(() => createRecording({ path: file }))).toMatchObject({ code: 'file-exists', exitCode: 2, hint: expect.stringContaining('--force') as string })
    record({ path: file, force: true }, frames)
    expect(existsSync(`${file}.3`)).toBe(false)
    expect(readFileSync(file)).toEqual(Buffer.concat(frames))
  })
  test('an older segment alone is in the way too: it would be read as part of the new recording', () => {
    const file = join(fresh(), 'a.oom')
    writeFileSync(`${file}.1`, Buffer.concat(frames))
    expect(refusal(() => createRecording({ path: file })).message).toContain('a.oom.1')
  })
  test.each(['a.oom', 'a.oom.2'])('something else named %s is never overwritten, force or not', (name) => {
    const directory = fresh()
    writeFileSync(join(directory, name), 'a diary')
    expect(refusal(() => createRecording({ path: join(directory, 'a.oom'), force: true })).code).toBe('file-foreign')
    expect(readFileSync(join(directory, name), 'utf8')).toBe('a diary')
  })
  test('a symlink is not followed', () => {
    const directory = fresh()
    writeFileSync(join(directory, 'target'), '')
    symlinkSync('target', join(directory, 'a.oom'))
    expect(refusal(() => createRecording({ path: join(directory, 'a.oom'), force: true })).code).toBe('file-foreign')
  })
  test('a missing directory is told before anything starts', () => {
    expect(refusal(() => createRecording({ path: join(fresh(), 'no', 'a.oom') }))).toMatchObject({ code: 'file-directory-missing', exitCode: 2 })
  })
  test('a full device ends the recording with the reason', (context) => {
    if (!existsSync('/dev/full')) skip(context, 'no /dev/full')
    // The writer creates its file; the device stands in for a disk that is full from the first byte on.
    const writer = createRecording({ path: join(fresh(), 'a.oom') })
    Object.assign(writer, { fd: openSync('/dev/full', 'w') })
    const [frame] = new FrameReader().push(frames[0]!)
    expect(() => writer.write([{ frame: frame!, events: [] }])).toThrow(/cannot write .*a\.oom: no space left on device/)
    expect(() => writer.close()).not.toThrow()
  })
})

describe('a file that is no recording', () => {
  test.each<[string, (path: string) => void, string, RegExp]>([
    ['missing', () => undefined, 'file-missing', /no such file/],
    ['a directory', (path) => mkdirSync(path), 'file-directory', /is a directory/],
    ['empty', (path) => writeFileSync(path, ''), 'recording-empty', /is empty/],
    ['text', (path) => writeFileSync(path, 'hello\n'.repeat(1000)), 'recording-foreign', /not a recording/],
    ['three bytes', (path) => writeFileSync(path, 'OOM'), 'recording-foreign', /not a recording/],
    ['a header and no more', (path) => writeFileSync(path, streamFrames({ seconds: 0 })[0]!.subarray(0, 200)), 'recording-damaged', /no whole frame/],
    ['newer', (path) => writeFileSync(path, encodeFrame({ flags: 3, rowCount: 1, tsNs: 1, payload: Buffer.from([1, 2, 3]), version: 9 })), 'recording-newer', /recording format 9 is newer than 1/],
    ['newer with another checksum', (path) => { const bytes = Buffer.from(streamFrames({ seconds: 0 })[0]!); bytes[12] = 9; writeFileSync(path, bytes) }, 'recording-newer', /recording format 9 is newer/],
    ['a character device', (path) => symlinkSync('/dev/zero', path), 'file-special', /not a regular file/],
  ])('%s: exit 2 with a hint', (_, make, code, message) => {
    const path = join(fresh(), 'x')
    make(path)
    const error = refusal(() => openRecording(path))
    expect(error).toMatchObject({ code, exitCode: 2 })
    expect(error.message).toMatch(message)
    expect(error.hint).not.toBe('')
  })
  test('unreadable: exit 3', (context) => {
    if (process.getuid?.() === 0) skip(context, 'root may read everything')
    const path = join(fresh(), 'x')
    writeFileSync(path, 'x')
    chmodSync(path, 0)
    expect(refusal(() => openRecording(path))).toMatchObject({ code: 'file-unreadable', exitCode: 3 })
  })
  test('a control character in its name does not reach the terminal', () => {
    expect(refusal(() => openRecording('/nowhere/\u001b[2J')).message).toBe('cannot open /nowhere/?[2J: no such file or directory')
  })
})

describe('opening a large recording', () => {
  /** A keyframe every 10 s in three files. */
  function rotated(): string {
    const path = join(fresh(), 'r.oom'), frames = streamFrames({ seconds: 300, memcgs: 100 })
    ;[frames.slice(0, 100), frames.slice(100, 200), frames.slice(200)].forEach((part, i) => { writeFileSync(i === 2 ? path : `${path}.${2 - i}`, Buffer.concat(part)) })
    return path
  }
  /** Turns that others had while it was done. */
  async function turnsOf(work: () => Promise<boolean>): Promise<number> {
    let turns = 0, isDone = false
    const count = (): void => { turns += 1; if (!isDone) setImmediate(count) }
    setImmediate(count)
    expect(await work()).toBe(true)
    isDone = true
    return turns
  }
  test('reads beginning and end for its span, and finds in pieces what one look in one go finds', async () => {
    const path = rotated(), recording = openRecording(path), other = openRecording(path), wantedNs = START_NS + 250e9
    expect(recording.span()).toEqual({ startNs: START_NS, endNs: START_NS + 300e9 })
    expect(await turnsOf(() => recording.prepare())).toBeGreaterThanOrEqual(2)
    expect(recording.bytesBefore(wantedNs)).toBe(other.bytesBefore(wantedNs))
    expect(recording.span()).toEqual(other.span())
    for (const each of [recording, other]) each.close()
  })
  test('ends in the midst when the recording is closed', async () => {
    const recording = openRecording(rotated()), prepared = recording.prepare()
    recording.close()
    expect(await prepared).toBe(false)
  })
  test('a hole of zeros, as a power failure leaves, is looked through in pieces too', async () => {
    const path = join(fresh(), 'r.oom'), frames = streamFrames({ seconds: 60 }), HOLE_BYTES = 64 * 2 ** 20
    writeFileSync(path, Buffer.concat([...frames.slice(0, 35), Buffer.alloc(HOLE_BYTES), ...frames.slice(35)]))
    const recording = openRecording(path)
    expect(await turnsOf(() => recording.prepare())).toBeGreaterThan(8)
    expect(recording.bytesBefore(START_NS + 45e9)).toBe(HOLE_BYTES + Buffer.concat(frames.slice(0, 40)).length)
    recording.close()
  })
})
