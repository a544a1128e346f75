/** What sampling 1,000 memcgs at 10 Hz costs in the bridge, against the same files read by fs.readFileSync at the same rate. Needs root and a memory controller. */
import { mkdirSync, readFileSync, readdirSync, rmdirSync, existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { benchCore } from './core.mjs'
import { BRIDGE, median, row } from './measure.mjs'

const MEMCGS = 1_000
const SECONDS = 6
const RUNS = 3
const HZ = 10

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

export async function benchSampling() {
  const v1 = existsSync('/sys/fs/cgroup/memory/memory.usage_in_bytes')
  const parent = `${v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/oomscope-bench-${process.pid}`
  const names = v1 ? ['memory.usage_in_bytes', 'memory.max_usage_in_bytes'] : ['memory.current', 'memory.peak']
  try {
    mkdirSync(parent)
    for (let i = 0; i < MEMCGS; i++) mkdirSync(`${parent}/m${i}`)
    const files = readdirSync(parent).filter((d) => /^m\d+$/.test(d)).flatMap((d) => names.map((n) => `${parent}/${d}/${n}`)).filter((f) => existsSync(f))
    const bridge = [], node = []
    for (let i = 0; i < RUNS; i++) { bridge.push(await bridgeShare()); node.push(await nodeShare(files)) }
    const ours = median(bridge), theirs = median(node)
    return [await benchCore(`a recording of ${MEMCGS} memcgs`, { frames: await streamOf() }), row(`sampling ${MEMCGS} memcgs at ${HZ} Hz, CPU`, ours / theirs, 'fs.readFileSync of usage and peak only at the same rate',
      `${(ours * 100).toFixed(2)} % of one core against ${(theirs * 100).toFixed(1)} %; ${(ours / MEMCGS / HZ * 1e6).toFixed(2)} µs a memcg and sample, everything included`)]
  } finally {
    for (let i = 0; i < MEMCGS; i++) try { rmdirSync(`${parent}/m${i}`) } catch { /* was never made */ }
    try { rmdirSync(parent) } catch { /* was never made */ }
  }
}
