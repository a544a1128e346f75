/** What sampling 1,000 memcgs at 10 Hz costs in the bridge, against the same files read by fs.readFileSync at the same rate. Needs root and a memory controller. */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { benchCore } from './core.mjs'
import { BRIDGE, ROOT, median, row, run } from './measure.mjs'

const MEMCGS = 1_000
const SECONDS = 6
const RUNS = 3
const HZ = 10
const HERD_PERIOD_MS = 100

/** User plus system CPU seconds of a process, from /proc/PID/stat (fields 14 and 15, in clock ticks of 1/100 s). */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** CPU of the bridge over SECONDS once it runs, as a share of one core. */
async function bridgeShare() {
  const child = spawn(BRIDGE, ['--no-kmsg', '--sample-ms', String(1000 / HZ)], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.resume()
  await sleep(1_500)
  const before = cpuSeconds(child.pid)
  await sleep(SECONDS * 1_000)
  const share = (cpuSeconds(child.pid) - before) / SECONDS
  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('close', resolve))
  return share
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

/** Medians of both ways to sample the memcgs below `parent`, as one row. */
async function compare(what, parent) {
  const names = ['memory.usage_in_bytes', 'memory.max_usage_in_bytes', 'memory.current', 'memory.peak']
  const files = readdirSync(parent).filter((name) => /^m\d+$/.test(name)).flatMap((name) => names.map((file) => `${parent}/${name}/${file}`)).filter((file) => existsSync(file))
  const bridge = [], node = []
  for (let i = 0; i < RUNS; i++) { bridge.push(await bridgeShare()); node.push(await nodeShare(files)) }
  const ours = median(bridge), theirs = median(node)
  return row(`sampling ${MEMCGS} ${what} memcgs at ${HZ} Hz, CPU`, ours / theirs, 'fs.readFileSync of usage and peak only at the same rate',
    `${(ours * 100).toFixed(2)} % of one core against ${(theirs * 100).toFixed(1)} %; ${(ours / MEMCGS / HZ * 1e6).toFixed(2)} µs a memcg and sample, everything included`)
}

export async function benchSampling() {
  const built = await run('make', ['-C', `${ROOT}test/workloads`])
  if (built.code !== 0) throw new Error(built.stderr)
  const parent = `${existsSync('/sys/fs/cgroup/memory/memory.usage_in_bytes') ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/oomscope-bench-${process.pid}`
  mkdirSync(parent)
  try {
    const idle = await withIdle(parent, async () => [await benchCore(`a recording of ${MEMCGS} memcgs`, { frames: await streamOf() }), await compare('idle', parent)])
    return [...idle, await withHerd(parent, () => compare('busy', parent))]
  } finally { rmdirSync(parent) }
}
