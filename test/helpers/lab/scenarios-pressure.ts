/** Pressure without a kill, and the kills that only a guest may have. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import type { Memcg } from './cgroup.ts'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { burstable, container, pod } from './pods.ts'
import { MIB } from './scenarios-limits.ts'
import { fact } from './truth.ts'

/** Nearly twice what the limits of 24 MiB hold. */
const PAGE = 4096, FILE_MIB = 43
/** memcg_vmstats_needs_flush(): memory.stat may lag by MEMCG_CHARGE_BATCH pages for each CPU. */
const LAG_PAGES = 64 * availableParallelism()

async function memoryHigh(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'memory-high', { highBytes: 24 * MIB })
  const load = lab.start('highload', [group.directory.toString(), '25', '3']), { code } = await load.exited, { oomKill, high = 0 } = group.events()
  return { facts: [fact('it lived', code === 0, code), fact('it was throttled', high > 0, high), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group }, readings: { high } }
}

/** Pages reclaimed on the whole node, kswapd included: what all memcgs together can have reclaimed at most. */
const nodeSteals = (): number => [...readFileSync('/proc/vmstat', 'utf8').matchAll(/^pgsteal_(?:anon|file) (\d+)$/gm)].reduce((sum, [, pages]) => sum + Number(pages), 0)

/** The kernel's own counters of reclaim: v2 has pages and attempts of the group; v1 has its failed charges, of which each reclaims at most once, and the node's pages. */
function reclaimReadings(group: Memcg, when: string): Record<string, number> {
  const pgscan = group.stat('pgscan'), pgsteal = group.stat('pgsteal')
  return {
    ...(pgscan === undefined || pgsteal === undefined ? {} : { [`pgscan${when}`]: pgscan, [`pgsteal${when}`]: pgsteal }),
    [`steals${when}`]: pgsteal ?? nodeSteals(), [`attempts${when}`]: group.events().max ?? group.number('memory.failcnt'), [`cachedPages${when}`]: (group.stat('file') ?? group.stat('cache') ?? 0) / PAGE,
  }
}

/** Passes more file pages through a group than its limit holds. */
async function throughCache(group: Memcg, run: () => Promise<{ readonly code: number | null; readonly filePages: number }>): Promise<Outcome> {
  const before = reclaimReadings(group, 'Before'), { code, filePages } = await run(), after = reclaimReadings(group, 'After')
  const readings = { ...before, ...after, filePages, lagPages: LAG_PAGES }, { oomKill } = group.events()
  const isReclaimed = (after['attemptsAfter'] ?? 0) > (before['attemptsBefore'] ?? 0) && filePages > (after['cachedPagesAfter'] ?? filePages)
  return { facts: [fact('the file went through', code === 0, code), fact('its limit made it reclaim', isReclaimed, readings), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group }, readings }
}

async function pageCacheWritten(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'page-cache', { maxBytes: 24 * MIB, anySwap: true }), file = `${lab.options.scratch}/filled`
  const outcome = await throughCache(group, async () => ({ ...await lab.start('filler', [group.directory.toString(), file, String(FILE_MIB)]).exited, filePages: FILE_MIB * MIB / PAGE }))
  rmSync(file, { force: true })
  return outcome
}

/** Written elsewhere and dropped from the cache, so that whoever reads it pays for all of it. */
async function pageCacheRead(lab: Lab): Promise<Outcome> {
  const { containers } = pod(lab, burstable(lab), 'page-cache-read', { containers: { writer: {}, reader: { maxBytes: 24 * MIB, anySwap: true } } })
  const writer = containers['writer'] as Memcg, group = containers['reader'] as Memcg, file = `${lab.options.scratch}/read`
  await lab.start('filler', [writer.directory.toString(), file, String(FILE_MIB)]).exited
  const outcome = await throughCache(group, async () => {
    const reader = lab.start('reader', [group.directory.toString(), file]), filePages = await reader.says('uncached')
    return { ...await reader.exited, filePages }
  })
  rmSync(file, { force: true })
  return outcome
}

/** The node itself runs out; the victim is chosen by its oom_score_adj, not by luck. */
async function globalOom(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'global', {}), hog = await lab.hog({ cgroup: group, name: 'eater', touchMib: 64, growToMib: Math.ceil(totalmem() / MIB), stepKib: 1024, oomScoreAdj: 1000 })
  await lab.grow(hog)
  return { expected: { cause: 'node', level: 'root', limits: [], victims: [[hog.who]], invokers: [] }, facts: [fact('its group counted the oom_kill', group.events().oomKill === 1, group.events())], memcgs: { container: group } }
}

async function sysrq(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'sysrq', {}), hog = await lab.hog({ cgroup: group, name: 'scapegoat', touchMib: 31, oomScoreAdj: 1000 })
  writeFileSync('/proc/sysrq-trigger', 'f')
  const { signal } = await hog.workload.exited
  return { expected: { cause: 'sysrq', level: 'root', limits: [], victims: [[hog.who]], invokers: [] }, facts: [fact('it died of SIGKILL', signal === 'SIGKILL', signal)], memcgs: { container: group } }
}

export const PRESSURE_SCENARIOS: readonly Scenario[] = [
  { name: 'memory.high throttling without a kill', places: ['guest'], reports: 0, run: memoryHigh },
  { name: 'page cache reclaimed at a limit', places: ['host', 'guest'], reports: 0, run: pageCacheWritten },
  { name: 'page cache read at a limit', places: ['host', 'guest'], reports: 0, run: pageCacheRead },
  { name: 'global OOM', places: ['guest'], reports: 2, run: globalOom },
  { name: 'sysrq-f', places: ['guest'], reports: 1, run: sysrq },
]
