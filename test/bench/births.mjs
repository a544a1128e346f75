/** What following births and deaths of memcgs costs: 2,000 in 40 s in the bridge, against the least a program in Node must do. Needs root and a memory controller. */
import { existsSync, readFileSync, readdirSync, statSync, watch, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { BRIDGE, ROOT, cpuSeconds, rowsOf, row, sleep } from './measure.mjs'

const COUNT = 2_000, PERIOD_MS = 20, LEAST_MS = 5, MOST_MS = 400, BYTES = 512 * 1024, SEEN_NS = 50e6

/** The lives that the workload led below `parent`: id, when it came and went (ns). */
async function churn(parent) {
  const child = spawn(`${ROOT}build/workloads/churn`, [parent, COUNT, PERIOD_MS, LEAST_MS, MOST_MS, BYTES].map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => { text += chunk })
  child.stdin.end('g')
  await new Promise((resolve, reject) => { child.once('close', resolve); child.once('error', reject) })
  return text.split('\n').filter((line) => line.startsWith('life ')).map((line) => line.split(' ').slice(1).map(Number))
}

async function bridgeRun(parent, version) {
  const child = spawn(BRIDGE, ['--no-kmsg', '--no-psi', '--memcg-root', parent, '--memcg-version', version], { stdio: ['ignore', 'pipe', 'inherit'] }), chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  await sleep(1_000)
  const descriptors = () => readdirSync(`/proc/${child.pid}/fd`).length, held = descriptors(), before = cpuSeconds(child.pid), lives = await churn(parent)
  await sleep(1_000)
  const cpu = cpuSeconds(child.pid) - before, left = descriptors() - held
  child.kill('SIGTERM')
  await new Promise((resolve) => child.on('close', resolve))
  return { cpu, left, lives, rows: rowsOf(Buffer.concat(chunks)) }
}

/** fs.watch, and at each birth the directory's id, usage and peak: read once, nothing kept, nothing told. */
async function nodeRun(parent, files) {
  const seen = new Set()
  const watcher = watch(parent, (_, name) => {
    try {
      seen.add(statSync(`${parent}/${name}`).ino)
      for (const file of files) readFileSync(`${parent}/${name}/${file}`, 'latin1')
    } catch { /* it is gone */ }
  })
  const before = process.cpuUsage(), lives = await churn(parent), used = process.cpuUsage(before)
  watcher.close()
  return { cpu: (used.user + used.system) / 1e6, missed: lives.filter(([id, bornNs, diedNs]) => diedNs - bornNs >= SEEN_NS && !seen.has(id)).length }
}

export async function benchBirths(parent) {
  const isV2 = existsSync(`${parent}/cgroup.subtree_control`)
  if (isV2) writeFileSync(`${parent}/cgroup.subtree_control`, '+memory')
  const ours = await bridgeRun(parent, isV2 ? 'v2' : 'v1'), theirs = await nodeRun(parent, isV2 ? ['memory.current', 'memory.peak'] : ['memory.usage_in_bytes', 'memory.max_usage_in_bytes'])
  const born = new Set(ours.rows.filter(({ kind }) => kind === 'memcg_birth').map(({ memcgId }) => memcgId)), sampled = new Set(ours.rows.filter(({ kind }) => kind === 'memcg_usage').map(({ memcgId }) => memcgId))
  const long = ours.lives.filter(([, bornNs, diedNs]) => diedNs - bornNs >= SEEN_NS), missed = long.filter(([id]) => !born.has(id) || !sampled.has(id)).length
  return row(`${COUNT} births and deaths in ${COUNT * PERIOD_MS / 1e3} s, CPU`, ours.cpu / theirs.cpu, 'fs.watch with one readFileSync of usage and peak at each birth',
    `${(ours.cpu / COUNT * 1e6).toFixed(0)} µs a life with all its samples against ${(theirs.cpu / COUNT * 1e6).toFixed(0)} µs; missed of ${long.length} that lived over 50 ms: ${missed} (${theirs.missed} by the other); descriptors left: ${ours.left}`)
}
