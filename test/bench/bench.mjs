/** `make bench`: every figure is a ratio against something measured in the same run; the medians go to docs/bench.md, which the README quotes. */
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { ROOT, run } from './measure.mjs'
import { benchCore } from './core.mjs'
import { benchLatency } from './latency.mjs'
import { benchLines } from './lines.mjs'
import { benchNames } from './names.mjs'
import { benchSampling } from './sampling.mjs'
import { benchScreen } from './screen.mjs'
import { benchSlowdown } from './slowdown.mjs'

const rows = [], skipped = []
const root = process.getuid?.() === 0

const lines = await benchLines()
rows.push(...lines.rows, await benchCore('a storm of decisions with 500 candidates each', lines))
rows.push(...await benchScreen(), ...await benchNames())
for (const [name, bench] of [['sampling', benchSampling], ['slowdown', benchSlowdown], ['latency', benchLatency]]) {
  if (root) rows.push(...await bench())
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
writeFileSync(`${ROOT}docs/bench.md`, page)
process.stdout.write(page)
