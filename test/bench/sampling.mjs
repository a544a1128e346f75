/** What sampling 1,000 memcgs costs in the bridge: within its budget and without one, against plain Node and a shell of `cat` at 10 Hz. Needs root and a memory controller. */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { benchBirths } from './births.mjs'
import { benchCore } from './core.mjs'
import { BRIDGE, ROOT, cpuSeconds, lastOf, median, row, run, sleep } from './measure.mjs'

const MEMCGS = 1_000
const SECONDS = 6
const RUNS = 3
const HZ = 10
const HERD_PERIOD_MS = 100
/** The budget is found within seconds; measured after that. */
const SETTLE_MS = 8_000

/** CPU of the bridge over SECONDS once it has found its rhythm, as a share of one core, and what it last said of that rhythm. */
async function bridgeShare(args) {
  const child = spawn(BRIDGE, ['--no-kmsg', '--max-processes', '0', '--sample-ms', String(1000 / HZ), ...args], { stdio: ['ignore', 'pipe', 'inherit'] }), chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  await sleep(SETTLE_MS)
  const before = cpuSeconds(child.pid)
  await sleep(SECONDS * 1_000)
  const share = (cpuSeconds(child.pid) - before) / SECONDS
  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('close', resolve))
  return { share, said: lastOf(Buffer.concat(chunks), 'sampling') }
}

/** What the bridge says about this node: the keyframes, which are most of a quiet recording, come twenty times as often as by default. */
async function streamOf() {
  const child = spawn(BRIDGE, ['--no-kmsg', '--keyframe-ms', '500'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  await sleep(SECONDS * 3_000)
  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('close', resolve))
  return Buffer.concat(chunks)
}

/** CPU of reading usage and peak of every memcg with readFileSync at HZ, as a share of one core. */
async function nodeShare(files) {
  const before = process.cpuUsage()
  for (let tick = 0; tick < SECONDS * HZ; tick++) {
    const next = Date.now() + 1000 / HZ
    for (const file of files) readFileSync(file, 'latin1')
    await sleep(Math.max(0, next - Date.now()))
  }
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1e6 / SECONDS
}

/** The same by one `cat` of all files ten times a second: as cheap as a shell can be. */
async function catShare(files) {
  const shell = spawn('sh', ['-c', 'while :; do cat "$@" >/dev/null; sleep 0.1; done', 'sh', ...files], { stdio: 'ignore' })
  await sleep(500)
  const before = cpuSeconds(shell.pid, true)
  await sleep(SECONDS * 1_000)
  const share = (cpuSeconds(shell.pid, true) - before) / SECONDS
  shell.kill('SIGKILL')
  await new Promise((resolve) => shell.on('close', resolve))
  return share
}

/** A herd in as many memcgs below `parent`, whose usage never rests; it makes and removes them. */
async function withHerd(parent, work) {
  const herd = spawn(`${ROOT}build/workloads/herd`, [parent, String(MEMCGS), String(HERD_PERIOD_MS)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => herd.once('close', resolve))
  try {
    await new Promise((resolve, reject) => { herd.stdout.once('data', resolve); herd.once('error', reject) })
    return await work()
  } finally {
    herd.stdin.end()
    await ended
  }
}

async function withIdle(parent, work) {
  const all = Array.from({ length: MEMCGS }, (_, i) => `${parent}/m${i}`)
  for (const one of all) mkdirSync(one)
  try { return await work() } finally { for (const one of all) rmdirSync(one) }
}

const every = (ns) => (ns < 1e9 ? `${Math.round(ns / 1e6)} ms` : `${(ns / 1e9).toFixed(1)} s`)
const per = (share) => `${(share * 100).toFixed(2)} %`

/** How the budget was kept: what was used, and who is looked at how often then. */
const rhythm = ({ quietMemcgs, activeMemcgs, slowPeriodNs, activePeriodNs }) =>
  `${quietMemcgs} quiet ones every ${every(slowPeriodNs)}, ${activeMemcgs} moving ones every ${every(activePeriodNs)}`

/** Medians of all ways to sample the memcgs below `parent`, as rows. */
async function compare(what, parent) {
  const names = ['memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'memory.current', 'memory.peak']
  const files = readdirSync(parent).filter((name) => /^m\d+$/.test(name)).flatMap((name) => names.map((file) => `${parent}/${name}/${file}`)).filter((file) => existsSync(file))
  const within = [], free = [], node = [], cat = []
  for (let i = 0; i < RUNS; i++) {
    within.push(await bridgeShare([]))
    free.push(await bridgeShare(['--budget-centi', '10000']))
    node.push(await nodeShare(files))
    cat.push(await catShare(files))
  }
  const shares = (runs) => median(runs.map(({ share }) => share)), said = within[RUNS - 1].said, alone = 'usage and peak of all at 10 Hz'
  const ours = shares(within), unbound = shares(free), theirs = median(node), shell = median(cat)
  return [
    row(`sampling ${MEMCGS} ${what} memcgs, CPU`, ours / (said.budgetCenti / 1e4), `its budget of ${said.budgetCenti / 100} % of one core`, `${per(ours)} of one core; ${rhythm(said)}`),
    row('the same', ours / theirs, `fs.readFileSync of ${alone}`, `${per(ours)} of one core against ${per(theirs)}`),
    row('the same', ours / shell, `a shell with one cat of ${alone}`, `${per(ours)} of one core against ${per(shell)}`),
    row('the same without a budget', unbound / theirs, `fs.readFileSync of ${alone}`, `${per(unbound)} of one core against ${per(theirs)}; ${rhythm(free[RUNS - 1].said)}`),
  ]
}

export async function benchSampling() {
  const built = await run('make', ['-C', `${ROOT}test/workloads`])
  if (built.code !== 0) throw new Error(built.stderr)
  const parent = `${existsSync('/sys/fs/cgroup/memory/memory.usage_in_bytes') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/oomscope-bench-${process.pid}`
  mkdirSync(parent)
  try {
    const idle = await withIdle(parent, async () => [await benchCore(`a recording of ${MEMCGS} memcgs`, { frames: await streamOf() }), ...await compare('idle', parent)])
    return [...idle, ...await withHerd(parent, () => compare('busy', parent)), await benchBirths(parent)]
  } finally { rmdirSync(parent) }
}
