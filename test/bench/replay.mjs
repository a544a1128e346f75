/** What a person waits for in a long recording (an hour, 0.7 GB of temporary space), from key to picture in a real pty: its first screen, and jumps to and fro. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import pty from 'node-pty'
import { openRecording } from '../../dist/recording/reader.js'
import { applyEvent, createModel } from '../../dist/model/apply.js'
import { Decoder } from '../../dist/wire/decode.js'
import { encodeFrames, schemaEvents } from '../../dist/wire/encode.js'
import { FLAG } from '../../dist/wire/frame.js'
import { CLI, median, row, run, seconds } from './measure.mjs'

const MEMCGS = 1_000, MINUTES = 60
const START_NS = 1e12, START_MS = Date.UTC(2026, 0, 1, 12)
const RUNS = 3, JUMPS = 9
const COLS = 120, LINES = 40
/** How far before its moment a jump reads (src/source/replay.ts). */
const RUN_UP_S = 150

const common = (memcgId, tsNs) => ({ tsNs, memcgId })
const usage = (id, tsNs, s) => ({ kind: 'memcg_usage', ...common(id, tsNs), currentBytes: 2 ** 26 + 4096 * ((id * 7919 + s * 104_729) % 8192), peakBytes: 2 ** 27, swapBytes: 0 })
const stat = (id, tsNs, s) => ({ kind: 'memcg_stat', ...common(id, tsNs), anonBytes: 2 ** 25 + 4096 * (s % 999), fileBytes: 2 ** 24, shmemBytes: 0, inactiveAnonBytes: 2 ** 20, activeAnonBytes: 2 ** 24, inactiveFileBytes: 2 ** 23, activeFileBytes: 2 ** 22, slabReclaimableBytes: 2 ** 20, slabUnreclaimableBytes: 2 ** 20, kernelBytes: 2 ** 22, pgfault: s * 311, pgmajfault: s, workingsetRefaultAnon: 0, workingsetRefaultFile: s * 3 })
const psi = (id, tsNs, s) => ({ kind: 'memcg_psi', ...common(id, tsNs), someAvg10Centi: s % 300, someTotalUs: s * 1000, fullAvg10Centi: s % 200, fullTotalUs: s * 600 })

/** As the bridge tells of memcgs that never rest within its budget: each once a second or so, all of them every ten. */
function* framesOf() {
  const ids = Array.from({ length: MEMCGS }, (_, i) => i + 1), clock = (tsNs) => ({ kind: 'clock', tsNs, wallMs: START_MS + (tsNs - START_NS) / 1e6, bootNs: tsNs })
  yield* encodeFrames([{ kind: 'hello', tsNs: START_NS, formatVersion: 1, bridgeVersion: '0.1.0', wallMs: START_MS, bootNs: START_NS, bootId: 'bench', kernelRelease: '6.12.0', machine: 'x86_64', hostname: 'bench', pageSizeBytes: 4096, cpus: 2, memTotalBytes: 2 ** 36, swapTotalBytes: 0, memcgVersion: 'v2', memcgRoot: '/sys/fs/cgroup', samplePeriodNs: 1e8, stallNs: 1e7 }, ...schemaEvents(START_NS)], FLAG.hello)
  for (let s = 0; s < MINUTES * 60; s += 1) {
    const at = START_NS + s * 1e9
    if (s % 10 === 0) yield* encodeFrames([clock(at), ...ids.flatMap((id) => [{ kind: 'memcg_birth', ...common(id, at), parentId: id === 1 ? 0 : 1, path: id === 1 ? '/' : `/kubepods/pod${id}`, by: 'keyframe' }, { kind: 'memcg_limits', ...common(id, at), maxBytes: 2 ** 28 }, usage(id, at, s), stat(id, at, s), psi(id, at, s)])], FLAG.keyframe)
    for (let tenth = 0; tenth < 10; tenth += 1) yield* encodeFrames(ids.filter((id) => id % 10 === tenth).flatMap((id) => { const tsNs = at + tenth * 1e8 + id * 1e4 + 1; return [usage(id, tsNs, s), stat(id, tsNs, s), psi(id, tsNs, s)] }))
  }
}

function write(path) {
  const file = openSync(path, 'w')
  for (const frame of framesOf()) writeSync(file, frame)
  closeSync(file)
}

/** The program over the recording, and how long its first screen took. */
async function openScreen(path) {
  const term = new xterm.Terminal({ cols: COLS, rows: LINES, allowProposedApi: true }), start = process.hrtime.bigint()
  const program = pty.spawn(process.execPath, [CLI, 'replay', path], { name: 'xterm-256color', cols: COLS, rows: LINES, env: process.env })
  const lineOf = (y) => term.buffer.active.getLine(y)?.translateToString(true) ?? ''
  let waiting
  const look = () => { if (waiting?.pattern.test(lineOf(0)) === true) { waiting.seen(process.hrtime.bigint()); waiting = undefined } }
  program.onData((data) => term.write(data, look))
  term.onData((data) => program.write(data))
  const ended = new Promise((resolve) => program.onExit(resolve))
  const see = (pattern) => new Promise((seen, never) => { waiting = { pattern, seen }; look(); setTimeout(() => never(new Error(`${pattern} never came: ${lineOf(0)}`)), 60_000).unref() })
  const since = async (from, pattern) => Number((await see(pattern)) - from) / 1e6
  const firstMs = await since(start, /REPLAY 12:00/)
  const jump = (keys, pattern) => { const from = process.hrtime.bigint(); program.write(keys); return since(from, pattern) }
  return { firstMs, jump, close: async () => { program.write('q'); await ended } }
}

/** Reading what leads up to one moment in one piece, and nothing else. */
function foldMs(path, tsNs) {
  const recording = openRecording(path), cursor = recording.cursor(tsNs - RUN_UP_S * 1e9), decoder = new Decoder(), model = createModel()
  return seconds(async () => {
    for (let frames = cursor.next(); frames !== undefined && frames.every((frame) => frame.tsNs <= tsNs); frames = cursor.next()) for (const frame of frames) for (const event of decoder.decode(frame)) applyEvent(model, event)
  }).then((s) => { recording.close(); return s * 1000 })
}

export async function benchReplay() {
  const directory = mkdtempSync(join(tmpdir(), 'oomscope-bench-replay-')), path = join(directory, 'long.oom'), first = [], node = [], jumps = [], folds = []
  try {
    write(path)
    for (let i = 0; i < RUNS; i += 1) {
      node.push(1000 * await seconds(() => run(process.execPath, [CLI, '--version'])))
      const screen = await openScreen(path)
      first.push(screen.firstMs)
      // Each jump is far from the one before it.
      for (let n = 0; n < JUMPS / RUNS; n += 1) {
        const minute = n % 2 === 0 ? 55 : 20, time = `12:${String(minute).padStart(2, '0')}:${10 + 7 * i + n}`
        jumps.push(await screen.jump(`b${time}.5\r`, new RegExp(`REPLAY ${time}`)))
        folds.push(await foldMs(path, START_NS + (minute * 60 + 10 + 7 * i + n) * 1e9))
      }
      await screen.close()
    }
  } finally { rmSync(directory, { recursive: true, force: true }) }
  const ms = (values) => `${median(values).toFixed(0)} ms (worst of ${values.length}: ${Math.max(...values).toFixed(0)} ms)`
  return [
    row(`first screen of a recording of an hour of ${MEMCGS} memcgs that never rest, ${COLS}x${LINES} in a pty`, median(first) / median(node), '`oomscope --version`', `${ms(first)} against ${median(node).toFixed(0)} ms`),
    row('a jump in it, from key to picture', median(jumps) / median(folds), `folding the ${RUN_UP_S} s before that moment in one piece`, `${ms(jumps)} against ${median(folds).toFixed(0)} ms`),
  ]
}
