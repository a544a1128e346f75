/** Decode and apply: frames → events → model, in the program's own order, against JSON.parse of the same rows as JSON lines. */
import { FrameReader } from '../../dist/wire/frame.js'
import { Decoder } from '../../dist/wire/decode.js'
import { applyEvent, createModel } from '../../dist/model/apply.js'
import { median, row, seconds } from './measure.mjs'

const RUNS = 7
/** As read from the bridge's pipe. */
const CHUNK_BYTES = 65_536

function decodeAndApply(frames, each) {
  const reader = new FrameReader(), decoder = new Decoder(), model = createModel()
  let events = 0
  for (let at = 0; at < frames.length; at += CHUNK_BYTES) {
    for (const frame of reader.push(frames.subarray(at, at + CHUNK_BYTES))) {
      for (const event of decoder.decode(frame)) { applyEvent(model, event); events += 1; each?.(event) }
    }
  }
  return events
}

/** The rows as JSON lines. */
function linesOf(frames) {
  const lines = []
  decodeAndApply(frames, (event) => lines.push(JSON.stringify(Object.values(event))))
  return lines
}

/** One row of the table; `lines` are made from the frames where the caller has none. */
export async function benchCore(what, { frames, lines = linesOf(frames) }) {
  const ours = [], json = []
  let events = 0
  for (let i = 0; i < RUNS; i++) {
    ours.push(await seconds(async () => { events = decodeAndApply(frames) }))
    json.push(await seconds(async () => { for (const line of lines) JSON.parse(line) }))
  }
  const perSecond = events / median(ours), jsonPerSecond = lines.length / median(json)
  return row(`decode and apply, ${what}`, perSecond / jsonPerSecond, 'JSON.parse of the same rows as lines, nothing done with them',
    `${(perSecond / 1e6).toFixed(2)} M events/s (first run, cold: ${(events / ours[0] / 1e6).toFixed(2)} M/s) against ${(jsonPerSecond / 1e6).toFixed(2)} M/s`)
}
