#!/usr/bin/env node
/**
 * Stands in for the native bridge: set OOMSCOPE_BRIDGE to this file and OOMSCOPE_FAKE to JSON. Each start takes the next of
 * `runs` (the last one again when there are no more): writes the bytes of `file` to stdout, `stderr` to stderr, and then waits
 * for SIGTERM (`then` absent, with the bytes of `ticks` every moment), exits with a number, or dies by the signal named. Its arguments go to `log`, one JSON line a start.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

const { runs, log } = JSON.parse(process.env.OOMSCOPE_FAKE)
const earlier = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).length : 0
const { file, stderr = '', then, ignoreTerm = false, loop = false, ticks } = runs[Math.min(earlier, runs.length - 1)]
const script = process.argv.includes('--script') ? readFileSync(process.argv[process.argv.indexOf('--script') + 1], 'utf8') : undefined
appendFileSync(log, `${JSON.stringify({ pid: process.pid, args: process.argv.slice(2), script })}\n`)

process.on('SIGTERM', () => { if (!ignoreTerm) process.exit(0) })
// As the real one: nobody reads any more.
process.stdout.on('error', () => process.exit(0))
if (stderr !== '') process.stderr.write(stderr)
const bytes = file === undefined ? Buffer.alloc(0) : readFileSync(file)
process.stdout.write(bytes, () => {
  if (typeof then === 'number') process.exit(then)
  if (typeof then === 'string') process.kill(process.pid, then)
  // A reader that never stalls would be fed for ever.
  if (loop) { const more = () => process.stdout.write(bytes, () => setImmediate(more)); more() }
  // As the real one: something every moment.
  if (ticks !== undefined) setInterval(() => process.stdout.write(readFileSync(ticks)), 20)
  // As the real one: it ends with its parent, also when that was killed.
  const parent = process.ppid
  setInterval(() => { if (process.ppid !== parent) process.exit(0) }, 500)
})
