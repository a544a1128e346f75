/** `make bench`: every figure is a ratio against something measured in the same run; the medians go to docs/bench.md, which the README quotes. `make bench ONLY=screen` measures and prints one part. */
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { ROOT, run } from './measure.mjs'
import { benchCore } from './core.mjs'
import { benchLatency } from './latency.mjs'
import { benchLines } from './lines.mjs'
import { benchNames } from './names.mjs'
import { benchReplay } from './replay.mjs'
import { benchSampling } from './sampling.mjs'
import { benchScreen } from './screen.mjs'
import { benchSlowdown } from './slowdown.mjs'

async function benchStream() {
  const lines = await benchLines()
  return [...lines.rows, await benchCore('a storm of decisions with 500 candidates each', lines)]
}

const PARTS = { stream: benchStream, screen: benchScreen, replay: benchReplay, names: benchNames, sampling: benchSampling, slowdown: benchSlowdown, latency: benchLatency }
const NEED_ROOT = ['sampling', 'slowdown', 'latency'], only = process.env.ONLY || undefined, root = process.getuid?.() === 0
if (only !== undefined && !(only in PARTS)) throw new Error(`ONLY=${only}: the parts are ${Object.keys(PARTS).join(', ')}`)

const rows = [], skipped = []
for (const [name, bench] of Object.entries(PARTS)) {
  if (only !== undefined && name !== only) continue
  if (root || !NEED_ROOT.includes(name)) rows.push(...await bench())
  else skipped.push(`${name}: needs root (memcgs of its own, probes)`)
}

const bpftrace = (await run('bpftrace', ['--version']).catch(() => ({ stdout: 'no bpftrace' }))).stdout.toString().trim()
const table = ['| measured | ratio | against | medians |', '|---|---|---|---|',
  ...rows.map((r) => `| ${r.what} | ${r.ratio.toFixed(2)}x | ${r.against} | ${r.raw} |`)].join('\n')
const page = `# What oomscope costs

Written by \`make bench\`; medians of several runs, always as a ratio against something measured in the same run.
Kernel ${release()}, ${bpftrace}, Node ${process.versions.node}, ${cpus().length} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB.

${table}
${skipped.map((s) => `\nskipped: ${s}`).join('')}
`
if (only === undefined) writeFileSync(`${ROOT}docs/bench.md`, page)
process.stdout.write(page)
