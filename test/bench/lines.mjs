/** Bridge lines/s (JSON line → checked, checksummed msgpack row) against JSON.parse of the same lines in Node, and bytes per event. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BRIDGE, median, row, run, seconds } from './measure.mjs'

const RUNS = 5
export const LINES = 300_000

/** The mix of a bad moment: decisions with 500 candidates each, stalls, signals; numbers that vary so that nothing can be cached. */
export function tracerLine(i) {
  const ts = 5_000_000_000 + i * 1_000
  const kind = i % 4
  if (i % 1_000 === 0) return `{"type": "value", "data": [31,${ts},4000,4000,"java",100,100,0,3264,0]}`
  if (i % 1_000 === 997) return `{"type": "value", "data": [34,${ts},4000,${2000 + i - 1},"worker-${(i - 1) % 1000}",100,0,${(i - 1) * 3},16384,3]}`
  if (i % 1_000 === 998) return `{"type": "value", "data": [35,${ts},4000,${2000 + i - 2},"worker-${(i - 2) % 1000}",100,0,16384,4096]}`
  if (i % 1_000 === 999) return `{"type": "value", "data": [37,${ts},4000,1,5000000]}`
  if (kind === 3) return `{"type": "value", "data": [41,${ts},9,0,1,0,${1000 + (i % 777)},${1000 + (i % 777)},"containerd-shim",${60 + (i % 50)},${2000 + i},"java-${i % 100}"]}`
  if (kind === 2) return `{"type": "value", "data": [52,${ts},0,${3000 + i},${3000 + (i % 99)},"postgres",${100 + (i % 50)},${100 + (i % 50)},${10_000_000 + i},${i % 512},0]}`
  return `{"type": "value", "data": [33,${ts},4000,${2000 + i},"worker-${i % 1000}",${100 + (i % 50)},${i % 1000},${i * 3},16384,${i * 7},${4096 * (i % 100)}]}`
}

/** Returns rows of the table and the frames, which the core benchmark decodes. */
export async function benchLines() {
  const dir = mkdtempSync(join(tmpdir(), 'oomscope-bench-'))
  try {
    const file = join(dir, 'lines.json')
    const lines = Array.from({ length: LINES }, (_, i) => tracerLine(i))
    writeFileSync(file, lines.join('\n') + '\n')
    const args = ['--lines', file, '--no-memcg', '--no-kmsg', '--no-psi', '--ring-bytes', String(128 << 20)]
    const bridge = [], node = []
    let frames = Buffer.alloc(0)
    for (let i = 0; i < RUNS; i++) {
      bridge.push(await seconds(async () => { frames = (await run(BRIDGE, args)).stdout }))
      node.push(await seconds(async () => { for (const line of readFileSync(file, 'utf8').split('\n')) if (line !== '') JSON.parse(line) }))
    }
    const perSecond = LINES / median(bridge), jsonPerSecond = LINES / median(node)
    const jsonBytes = lines.reduce((sum, line) => sum + line.length + 1, 0)
    return { lines, frames, rows: [
      row('bridge, lines to frames', perSecond / jsonPerSecond, 'JSON.parse of the same lines in Node, read from the same file', `${Math.round(perSecond / 1e3)} k lines/s against ${Math.round(jsonPerSecond / 1e3)} k/s`),
      row('recording, bytes per event', frames.length / jsonBytes, 'the same events as JSON lines', `${(frames.length / LINES).toFixed(1)} B against ${(jsonBytes / LINES).toFixed(1)} B`),
    ] }
  } finally { rmSync(dir, { recursive: true, force: true }) }
}
