/** What it takes to know the names of 500 pods with 2 containers each from a runtime, and to keep up with 10 births and 10 OOM kills of containers a second. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { CriClient } from '../../dist/identity/cri/client.js'
import { CriSource } from '../../dist/identity/cri/source.js'
import { ROOT, median, row, run, seconds } from './measure.mjs'

const PODS = 500, CONTAINERS = 2, RUNS = 5, PODS_A_SECOND = 5
/** Longer than the period of lists: each run has one. */
const WATCHED_S = 35, SETTLED_MS = 5000

/** A stand-in for a runtime, in a process of its own: its cost is not ours. */
async function runtime(socket, churn, events) {
  const child = spawn(process.execPath, [`${ROOT}build/bench/helpers/cri/fake-cri-main.js`, socket, PODS, CONTAINERS, churn, events], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  await new Promise((resolve, reject) => { lines.once('line', resolve); child.once('error', reject); child.once('close', () => reject(new Error('the stand-in ended'))) })
  return { lines, close: () => new Promise((resolve) => { child.removeAllListeners('close').once('close', resolve); child.stdin.end() }) }
}

/** Takes what was learned until `enough` containers have their limits. */
async function resolved(source, enough) {
  for (const limited = new Set(); limited.size < enough; await wait(1)) for (const fact of source.take()) if (fact.memoryLimitBytes !== undefined) limited.add(fact.containerId)
}

async function start(socket) {
  const source = new CriSource(socket)
  const took = await seconds(async () => { source.start(); await resolved(source, PODS * CONTAINERS) })
  source.close()
  return took
}

/** As many round trips, one after another, that ask for nothing. */
async function roundTrips(socket) {
  const client = new CriClient(socket)
  await client.version()
  const took = await seconds(async () => { for (let i = 0; i < PODS * CONTAINERS; i++) await client.version() })
  client.close()
  return took
}

/** Share of a core that this process needs while it does `turn` every 100 ms. */
async function shareOf(turn) {
  const before = process.cpuUsage(), started = performance.now()
  while (performance.now() - started < WATCHED_S * 1000) { await wait(100); turn() }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / (performance.now() - started)
}

/**
 * Share of a core that following costs while pods come and go; the lines play the kernel, which tells of each birth and death, each of them
 * an OOM kill that is asked about. `loop`: what the same loop over the same lines needs when nobody follows; it is no part of the cost.
 */
async function follow(socket, events) {
  const fake = await runtime(socket, PODS_A_SECOND, events), source = new CriSource(socket)
  let births = 0, named = 0, isFollowed = true
  const take = () => { named += source.take().filter(({ kind, role, memoryLimitBytes }) => kind === 'workload' && role === 'container' && memoryLimitBytes !== undefined).length }
  fake.lines.on('line', (line) => {
    const [dead, podUid, born] = line.split(';')
    births += CONTAINERS
    if (!isFollowed) return
    for (const containerId of dead.split(' ')) source.ask({ containerId, why: 'victim' })
    for (const containerId of born.split(' ')) source.ask({ containerId, podUid, why: 'birth' })
  })
  source.start()
  await resolved(source, PODS * CONTAINERS)
  // What starting left behind is collected, and what is compiled once is.
  for (const until = performance.now() + SETTLED_MS; performance.now() < until;) { await wait(100); take() }
  births = named = 0
  const share = await shareOf(take), told = births
  source.close()
  isFollowed = false
  const loop = await shareOf(take)
  await fake.close()
  // Those of the last moments are still being asked about.
  if (named < told - PODS_A_SECOND * CONTAINERS * 5) throw new Error(`only ${named} of ${told} were named`)
  return { share: share - loop, loop }
}

const textOf = ({ share, loop }) => `${(share * 100).toFixed(2)} % of a core, above the ${(loop * 100).toFixed(2)} % of the same loop when nobody follows`

export async function benchNames() {
  await run(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', `${ROOT}test/bench/tsconfig.json`])
  const directory = mkdtempSync(`${tmpdir()}/oomscope-bench-`), socket = `${directory}/cri.sock`
  try {
    const fake = await runtime(socket, 0, 'events'), starts = [], trips = []
    for (let i = 0; i < RUNS; i++) { trips.push(await roundTrips(socket)); starts.push(await start(socket)) }
    await fake.close()
    const withEvents = await follow(socket, 'events'), without = await follow(socket, 'no-events')
    const each = `${PODS} pods with ${CONTAINERS} containers`
    return [
      row(`names and limits of ${each} at the start`, median(starts) / median(trips), 'as many empty round trips one after another', `${(median(starts) * 1000).toFixed(0)} ms against ${(median(trips) * 1000).toFixed(0)} ms`),
      row(`following ${each}, ${PODS_A_SECOND * CONTAINERS} containers born and as many OOM-killed a second, by events and questions`, withEvents.share, 'one core', textOf(withEvents)),
      row('the same of a runtime without events, by questions and lists', without.share, 'one core', textOf(without)),
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
