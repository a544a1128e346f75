/** What the screen costs: frames at 200x50 over 500 pods at 10 Hz against blessed-contrib's table of the same rows, the tree of 1,000 cgroups, and whether memory stays flat over ten minutes of them. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pty from 'node-pty'
import { ROOT, median, row } from './measure.mjs'

const RUNS = 3
const PODS = 500, SECONDS = 30
const COLS = 200, LINES = 50
/** Replayed as fast as it goes: what counts is how many frames, not how long they take. */
const FLAT_SECONDS = 600, HEAP_EVERY_S = 60

/** What one child measured; its screen is a pty of the size, and somebody reads it. */
function draw(directory, spec) {
  const path = join(directory, 'result')
  closeSync(openSync(path, 'w'))
  const child = pty.spawn('sh', ['-c', 'exec "$0" --expose-gc "$1" "$2" 3>"$3"', process.execPath, `${ROOT}test/bench/screen-child.mjs`, JSON.stringify(spec), path], { name: 'xterm-256color', cols: COLS, rows: LINES, env: process.env })
  let shown = ''
  child.onData((data) => { shown = (shown + data).slice(-2000) })
  return new Promise((resolve, reject) => {
    child.onExit(({ exitCode }) => { if (exitCode === 0) resolve(JSON.parse(readFileSync(path, 'utf8'))); else reject(new Error(`the screen ended with ${exitCode}: ${shown}`)) })
  })
}

export async function benchScreen() {
  const directory = mkdtempSync(join(tmpdir(), 'oomscope-bench-screen-')), shares = { ours: [], theirs: [], tree: [] }
  try {
    const share = async (spec) => (await draw(directory, { pods: PODS, seconds: SECONDS, ...spec })).cpuMs / (SECONDS * 1000)
    for (let i = 0; i < RUNS; i++) {
      const nobody = await share({ what: 'nobody' })
      shares.ours.push(await share({ what: 'ours' }) - nobody)
      shares.theirs.push(await share({ what: 'theirs' }) - nobody)
      shares.tree.push(await share({ what: 'ours', tree: true }) - nobody)
    }
    const { heaps } = await draw(directory, { what: 'ours', pods: PODS, seconds: FLAT_SECONDS, heapEvery: HEAP_EVERY_S })
    const percent = (values) => `${(100 * median(values)).toFixed(1)} % of one core`, against = `blessed-contrib's table of the same rows, computed as often`, half = heaps.length >> 1, early = median(heaps.slice(1, half + 1)), late = median(heaps.slice(half))
    return [
      row(`frames of the overview, ${PODS} pods at 10 Hz, ${COLS}x${LINES}`, median(shares.ours) / median(shares.theirs), against, `${percent(shares.ours)} against ${percent(shares.theirs)}`),
      row(`the same as the tree of ${2 * PODS} cgroups`, median(shares.tree) / median(shares.theirs), against, percent(shares.tree)),
      row(`heap after ${FLAT_SECONDS / 60} min of such frames, collected`, late / early, 'the heap of the first five minutes', `${heaps.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')} MiB, one a minute`),
    ]
  } finally { rmSync(directory, { recursive: true, force: true }) }
}
