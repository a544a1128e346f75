/** From an allocation that cannot be met to the victim's name on the live screen, in a real pty, against the kernel's own line in `dmesg --follow`. Needs root. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import xterm from '@xterm/headless'
import pty from 'node-pty'
import { CLI, ROOT, median, row, run, started } from './measure.mjs'

const KILLS = 11
const LIMIT_MIB = 16
/** The kernel tells of 10 kills in 5 s (oom_kill_process: DEFAULT_RATELIMIT_BURST), and the list shows 20. */
const PAUSE_MS = 1_000
const WARM_UP_KILLS = 8
const V1 = existsSync('/sys/fs/cgroup/memory/memory.usage_in_bytes')
const MOUNT = V1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'

/** A live screen and what stands on it. */
function openScreen() {
  const term = new xterm.Terminal({ cols: 120, rows: 40, allowProposedApi: true })
  const program = pty.spawn(process.execPath, [CLI, 'live'], { name: 'xterm-256color', cols: 120, rows: 40, env: process.env })
  const waiting = []
  const text = () => Array.from({ length: 40 }, (_, y) => term.buffer.active.getLine(y)?.translateToString(true) ?? '').join('\n')
  const look = () => { const now = text(); for (const one of [...waiting]) if (now.includes(one.words)) { waiting.splice(waiting.indexOf(one), 1); one.seen(process.hrtime.bigint()) } }
  program.onData((data) => term.write(data, look))
  term.onData((data) => program.write(data))
  const ended = new Promise((resolve) => program.onExit(resolve))
  const see = (words) => Promise.race([
    new Promise((seen) => { waiting.push({ words, seen }); look() }),
    ended.then(() => { throw new Error(`live ended before "${words}":\n${text()}`) }),
    new Promise((_, reject) => setTimeout(() => reject(new Error(`"${words}" never came:\n${text()}`)), 60_000).unref()),
  ])
  return { see, text, press: (keys) => program.write(keys), close: async () => { program.write('q'); await ended } }
}

/** Lines of the kernel log as `dmesg --follow-new` prints them. */
function followLog() {
  const child = spawn('dmesg', ['--follow-new'], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = '', waiting
  child.stdout.setEncoding('utf8').on('data', (chunk) => { text += chunk; if (waiting !== undefined && text.includes(waiting.words)) { waiting.seen(process.hrtime.bigint()); waiting = undefined } })
  return { see: (words) => new Promise((seen) => { waiting = { words, seen } }), close: () => child.kill() }
}

async function oneKill(group, name, screen, log) {
  const hog = spawn(`${ROOT}build/workloads/hog`, ['--cgroup', group, '--name', name, '--touch', '1', '--grow-to', '64', '--step', '256'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => { hog.stdout.once('data', resolve); hog.once('error', reject) })
  const seen = Promise.all([screen.see(name), log.see(`(${name})`)])
  const start = process.hrtime.bigint()
  hog.stdin.write('g')
  const [screenNs, logNs] = await seen
  return { screenMs: Number(screenNs - start) / 1e6, logMs: Number(logNs - start) / 1e6 }
}

export async function benchLatency() {
  const built = await run('make', ['-C', `${ROOT}test/workloads`])
  if (built.code !== 0) throw new Error(built.stderr)
  const group = `${MOUNT}/oomscope-bench-kill-${process.pid}`
  const screen = openScreen(), log = followLog(), results = []
  try {
    mkdirSync(group)
    writeFileSync(`${group}/${V1 ? 'memory.limit_in_bytes' : 'memory.max'}`, `${LIMIT_MIB}M`)
    await screen.see(group.slice(MOUNT.length + 1))
    // The list of kills, which names the victim; what opens it is not part of what is measured.
    screen.press('K')
    // Not measured: until bpftrace has attached, only the kernel log tells of kills.
    for (let kills = 0; kills < WARM_UP_KILLS + KILLS; kills++) {
      const result = await oneKill(group, `late${process.pid % 1000}-${kills}`, screen, log)
      if (kills >= WARM_UP_KILLS) results.push(result)
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  } finally {
    await screen.close()
    log.close()
    try { rmdirSync(group) } catch { /* was never made */ }
  }
  const ours = median(results.map((r) => r.screenMs)), theirs = median(results.map((r) => r.logMs))
  return [row('kill to live screen, 120x40 in a pty', ours / theirs, 'the same kill in `dmesg --follow`, both from the first byte of the allocation that ends in the kill',
    `${ours.toFixed(0)} ms (worst of ${KILLS}: ${Math.max(...results.map((r) => r.screenMs)).toFixed(0)} ms) against ${theirs.toFixed(0)} ms`)]
}
