/** 2,000 memcgs come and go within 40 s, found by inotify alone: none that lived over 50 ms is missed, and nothing of them stays open. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { BridgeRun } from '../helpers/lab/bridge.ts'
import { memcgMount } from '../helpers/lab/cgroup.ts'
import { moments, type Moments } from '../helpers/lab/moments.ts'
import { rowsOf, type Rows } from '../helpers/lab/recording-rows.ts'
import { Workload } from '../helpers/lab/workload.ts'
import { skip } from '../helpers/skip.ts'

const COUNT = 2_000, PERIOD_MS = 20, LEAST_MS = 5, MOST_MS = 400, BYTES = 512 * 1024
/** A memcg that was there for so long must have been seen. */
const SEEN_NS = 50e6
/** On a machine with more to do than CPUs the bridge may not run for longer than that: who lived while it said nothing may be missed, and is counted. */
const RAN_NS = 20e6

const workloads = fileURLToPath(new URL('../workloads', import.meta.url)), programs = fileURLToPath(new URL('../../build/workloads', import.meta.url))

type Life = { readonly id: number; readonly bornNs: number; readonly diedNs: number; readonly peakBytes: number }

const livesOf = (lines: readonly string[]): Life[] => lines.filter((line) => line.startsWith('life ')).map((line) => {
  const [, id, bornNs, diedNs, peakBytes] = line.split(' ')
  return { id: Number(id), bornNs: Number(bornNs), diedNs: Number(diedNs), peakBytes: Number(peakBytes) }
})

/** Did it run at two times of this life that are apart? */
function ranIn(said: Moments, { bornNs, diedNs }: Life): boolean {
  const first = said.firstFrom(bornNs), last = said.lastUntil(diedNs)
  return first !== undefined && last !== undefined && last - first >= RAN_NS
}

const countById = (rows: Rows, kind: 'memcg_birth' | 'memcg_death' | 'memcg_usage'): Map<number, number> => {
  const counts = new Map<number, number>()
  for (const row of rows.of(kind)) if (kind !== 'memcg_birth' || !('by' in row) || row.by !== 'keyframe') counts.set(row.memcgId, (counts.get(row.memcgId) ?? 0) + 1)
  return counts
}

test('every memcg that lived over 50 ms is born once, sampled and dead once; shorter ones are told or counted; descriptors and watches are back where they were', async (context) => {
  const mount = memcgMount()
  if (process.getuid?.() !== 0 || mount === undefined) return skip(context, 'memcgs of our own need root and a memory controller')
  execFileSync('make', ['-C', workloads], { stdio: 'pipe' })
  const directory = mkdtempSync(join(tmpdir(), 'oomscope-births-')), root = join(mount.directory, `oomscope-births-${process.pid}`)
  mkdirSync(root)
  if (existsSync(join(root, 'cgroup.subtree_control'))) writeFileSync(join(root, 'cgroup.subtree_control'), '+memory')
  // How closely they are looked at must not depend on how slow this machine is just now.
  const bridge = await BridgeRun.start(mount, root, join(directory, 'stream.oom'), ['--budget-centi', '10000', '--max-processes', '0'])
  try {
    const before = await bridge.held(), churn = new Workload(join(programs, 'churn'), [root, COUNT, PERIOD_MS, LEAST_MS, MOST_MS, BYTES].map(String))
    churn.tell('g')
    expect(await churn.says('done')).toBe(COUNT)
    await churn.end()
    // The last deaths may still be on their way to it.
    while (JSON.stringify(await bridge.held()) !== JSON.stringify(before)) continue
    await bridge.end()
    const rows = await rowsOf(bridge.file), lives = livesOf(churn.lines), births = countById(rows, 'memcg_birth'), deaths = countById(rows, 'memcg_death'), looks = countById(rows, 'memcg_usage')
    expect(lives).toHaveLength(COUNT)
    const said = moments(rows.events.map(({ tsNs }) => tsNs)), long = lives.filter(({ bornNs, diedNs }) => diedNs - bornNs >= SEEN_NS), watched = long.filter((life) => ranIn(said, life))
    expect(watched.length).toBeGreaterThan(COUNT / 2)
    const isMissed = ({ id }: Life): boolean => births.get(id) !== 1 || deaths.get(id) !== 1 || looks.get(id) === undefined, missed = long.filter(isMissed)
    expect(watched.filter(isMissed)).toEqual([])
    // Of the others each is told or counted, and never more than once.
    const losses = rows.of('loss').filter(({ where }) => where === 'memcg').at(-1)?.count ?? 0
    expect(lives.filter(({ id }) => births.has(id)).length + losses).toBeGreaterThanOrEqual(COUNT)
    expect(rows.of('loss').filter(({ where }) => where !== 'memcg')).toEqual([])
    expect([...births.values(), ...deaths.values()].every((count) => count === 1)).toBe(true)
    // What their processes took was seen while they lived, and no sample was above the kernel's own high-water mark.
    const highest = new Map<number, number>()
    for (const { memcgId, currentBytes, peakBytes } of rows.of('memcg_usage')) highest.set(memcgId, Math.max(highest.get(memcgId) ?? 0, currentBytes, peakBytes ?? 0))
    expect(lives.filter(({ id, peakBytes }) => (highest.get(id) ?? 0) > peakBytes)).toEqual([])
    // On a busy machine some had not come to take it when they ended.
    const took = watched.filter(({ peakBytes }) => peakBytes >= BYTES), told = took.filter(({ id }) => (highest.get(id) ?? 0) >= BYTES).length
    process.stdout.write(`births: ${lives.length} memcgs, ${long.length} over 50 ms, ${missed.length} of them missed while the bridge had no CPU, ${lives.length - births.size - missed.length} too short; ${told} with the ${BYTES / 1024} KiB they took\n`)
    expect(took.length).toBeGreaterThan(watched.length / 2)
    expect(told).toBeGreaterThan(took.length * 0.9)
  } finally {
    await bridge.end()
    rmdirSync(root)
    rmSync(directory, { recursive: true, force: true })
  }
})
