import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { toldBatches, toldPieces } from '../../../src/cli/progress.ts'
import type { LineTerminal } from '../../../src/cli/progress.ts'
import { eachPiece, readText } from '../../../src/cli/read-text.ts'
import { openRecording } from '../../../src/recording/reader.ts'
import { ReplaySource } from '../../../src/source/replay.ts'
import { freshDirectories } from '../../helpers/files.ts'
import { streamFrames } from '../../helpers/stream.ts'

const fresh = freshDirectories()
afterEach(() => { vi.useRealTimers() })

/** Reads a recording of two files with `damage` in it; a person looks up after every batch. What was written, and the last batch's place in it. */
async function written(damage: Buffer, terminal: Partial<LineTerminal> = {}): Promise<{ readonly lines: readonly string[]; readonly atEnd: number }> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const path = join(fresh(), 'r.oom'), frames = streamFrames({ seconds: 900, memcgs: 60 }), lines: string[] = []
  writeFileSync(`${path}.1`, Buffer.concat([...frames.slice(0, 400), damage]))
  writeFileSync(path, Buffer.concat(frames.slice(400)))
  const recording = openRecording(path), source = new ReplaySource(recording, { speed: 'max' })
  for await (const batch of toldBatches({ source, path, totalBytes: recording.totalBytes }, { write: (text) => lines.push(text), ...terminal })) {
    expect(batch.isRestart).toBe(false)
    vi.advanceTimersByTime(1000 / 4)
  }
  const atEnd = lines.length
  vi.advanceTimersByTime(5000)
  await source.close()
  return { lines, atEnd }
}
const percent = (line: string): number => Number(/(\d+)% of /.exec(line)?.[1])

test.each([['whole', 0], ['with damage in it', 300_000]])('the share of a recording %s that was read rises up to all of it, then the line is gone', async (_, damageBytes) => {
  const { lines, atEnd } = await written(Buffer.alloc(damageBytes)), told = lines.slice(0, -1).map(percent)
  expect(told.length).toBeGreaterThan(3)
  expect(told).toEqual([...told].sort((a, b) => a - b))
  expect([(told[0] ?? 100) < 50, told.at(-1)]).toEqual([true, 100])
  expect(lines.at(-1)).toBe('\r\x1b[K')
  expect(lines).toHaveLength(atEnd)
})

test.each([[40, 39], [0, 79], [undefined, 79]])('on a terminal of %s columns it never wraps', async (columns, most) => {
  const { lines } = await written(Buffer.alloc(0), columns === undefined ? {} : { columns })
  for (const line of lines) expect(line.replace('\r', '').replace('\x1b[K', '').length).toBeLessThanOrEqual(most)
})

test('a text comes in pieces of which no letter is broken; the share that was read is told, then the line is gone', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const path = join(fresh(), 'log'), text = `${'a'.repeat(262_143)}é${'ü€'.repeat(300_000)}`, lines: string[] = []
  writeFileSync(path, text)
  let read = ''
  for await (const piece of toldPieces(path, eachPiece(path, ''), { write: (line) => lines.push(line) })) {
    read += piece.text
    vi.advanceTimersByTime(1000 / 4)
  }
  expect(read === text).toBe(true)
  expect(await readText(path, '') === text).toBe(true)
  const told = lines.slice(0, -1).map(percent)
  expect(told.length).toBeGreaterThan(3)
  expect(told).toEqual([...told].sort((a, b) => a - b))
  expect([told.at(-1), lines.at(-1)]).toEqual([100, '\r\x1b[K'])
})
