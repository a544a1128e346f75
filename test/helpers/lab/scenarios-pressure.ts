/** Pressure without a kill, and the kills that only a guest may have. */
import { rmSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Memcg } from './cgroup.ts'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { container } from './pods.ts'
import { MIB } from './scenarios-limits.ts'
import { fact } from './truth.ts'

async function memoryHigh(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'memory-high', { highBytes: 24 * MIB })
  const load = lab.start('highload', [group.directory.toString(), '25', '3']), { code } = await load.exited, { oomKill, high = 0 } = group.events()
  return { facts: [fact('it lived', code === 0, code), fact('it was throttled', high > 0, high), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group }, readings: { high } }
}

/** The kernel's counters of reclaim in a group: pages on v2, failed charges (each of which may reclaim) on v1, where memory+swap is charged first. */
function reclaimReadings(group: Memcg, when: string): Record<string, number> {
  const pgscan = group.stat('pgscan'), pgsteal = group.stat('pgsteal')
  return pgscan === undefined || pgsteal === undefined ? { [`failcnt${when}`]: group.number('memory.failcnt') + group.number('memory.memsw.failcnt') } : { [`pgscan${when}`]: pgscan, [`pgsteal${when}`]: pgsteal }
}

async function pageCache(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'page-cache', { maxBytes: 24 * MIB }), file = `${lab.options.scratch}/filled`
  const before = reclaimReadings(group, 'Before')
  const { code } = await lab.start('filler', [group.directory.toString(), file, '67']).exited
  const after = reclaimReadings(group, 'After'), { oomKill } = group.events()
  rmSync(file, { force: true })
  const reclaimed = (after['pgstealAfter'] ?? after['failcntAfter'] ?? 0) - (before['pgstealBefore'] ?? before['failcntBefore'] ?? 0)
  return { facts: [fact('the file was written', code === 0, code), fact('its limit made it reclaim', reclaimed > 0, { ...before, ...after }), fact('the kernel counted no oom_kill', oomKill === 0, oomKill)], memcgs: { container: group }, readings: { ...before, ...after } }
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
  { name: 'page cache reclaimed at a limit', places: ['host', 'guest'], reports: 0, run: pageCache },
  { name: 'global OOM', places: ['guest'], reports: 2, run: globalOom },
  { name: 'sysrq-f', places: ['guest'], reports: 1, run: sysrq },
]
