/** Small tools of the benchmarks: medians, timed child processes, and a table row whose figure is always a ratio. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Decoder } from '../../dist/wire/decode.js'
import { FrameReader } from '../../dist/wire/frame.js'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const BRIDGE = `${ROOT}dist/native/oomscope-bridge`
export const CLI = `${ROOT}dist/cli/main.js`

/** Median of an odd or even number of values. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Wall seconds of `work()`. */
export async function seconds(work) {
  const start = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - start) / 1e9
}

/** Runs a child to its end; resolves to { code, stdout, stderr }. stdout is a Buffer. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const out = [], err = []
    child.stdout?.on('data', (chunk) => out.push(chunk))
    child.stderr?.on('data', (chunk) => err.push(chunk))
    child.on('error', reject)
    child.on('exit', () => {})
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }))
  })
}

/** Starts a child and resolves once its stderr or stdout has matched; `stop()` interrupts it and waits. */
export async function started(command, args, { until, env } = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let text = ''
  const ended = new Promise((resolve) => child.on('close', resolve))
  await new Promise((resolve, reject) => {
    const look = (chunk) => { text += chunk; if (until.test(text)) resolve() }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.on('error', reject)
    child.on('close', (code) => reject(new Error(`${command} ended (${code}) before ${until}: ${text.slice(-500)}`)))
  })
  return { pid: child.pid, stop: async () => { child.kill('SIGINT'); await ended; return text } }
}

/** One line of the result: what was measured, the ratio, what it is a ratio of, and the raw medians. */
export const row = (what, ratio, against, raw) => ({ what, ratio, against, raw })

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** User plus system CPU seconds of a process, with those of its ended children if asked, from /proc/PID/stat (fields 14 to 17, in clock ticks of 1/100 s). */
export function cpuSeconds(pid, withChildren = false) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ')
  return fields.slice(11, withChildren ? 15 : 13).reduce((sum, ticks) => sum + Number(ticks), 0) / 100
}

/** The events of a stream of the bridge. */
export function rowsOf(bytes) {
  const reader = new FrameReader(), decoder = new Decoder(), events = []
  for (const frame of reader.push(bytes)) events.push(...decoder.decode(frame))
  return events
}

export const lastOf = (bytes, kind) => rowsOf(bytes).findLast((event) => event.kind === kind)
