/** Limits that were not filled with what their processes show as their own, and a victim that was dying already. */
import { rmSync } from 'node:fs'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { container } from './pods.ts'
import { killsCounted, limitOf, MIB } from './scenarios-limits.ts'
import { fact } from './truth.ts'
import type { Fact } from './truth.ts'
import type { Memcg } from './cgroup.ts'

/** The kernel's own account, after the death of whoever filled it where the filling outlives him. */
const holds = (group: Memcg, key: string, least: number): Fact => fact(`${key} is at least ${least}`, (group.stat(key) ?? 0) >= least, group.stat(key))

/** A file in memory: nobody's, counted until it is deleted. */
async function tmpfs(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'tmpfs', { maxBytes: 32 * MIB }), file = '/run/oomscope-lab-shared'
  const hog = await lab.hog({ cgroup: group, name: 'uploader', touchMib: 2, growToMib: 47, growBy: { file } })
  await lab.grow(hog)
  await hog.workload.exited
  const shared = holds(group, 'shmem', 24 * MIB)
  rmSync(file, { force: true })
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 32 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['tmpfs'] },
    facts: [shared, killsCounted(group)], memcgs: { container: group },
  }
}

/** Buffers of sockets that nobody reads: slab, and hardly a page of the process. */
async function kernelMemory(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'kernel-memory', { maxBytes: 32 * MIB }), hog = await lab.hog({ cgroup: group, name: 'talker', touchMib: 2, growToMib: 97, stepKib: 208, growBy: 'sockets' })
  await lab.grow(hog)
  await hog.workload.exited
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 32 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['kernel-memory'] },
    facts: [killsCounted(group)], memcgs: { container: group },
  }
}

/** Data on TCP connections that nobody reads. */
async function socketMemory(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'socket-memory', { maxBytes: 48 * MIB }), hog = await lab.hog({ cgroup: group, name: 'proxy', touchMib: 2, growToMib: 61, connections: 5 }), held = holds(group, 'sock', 8 * MIB)
  await lab.grow(hog)
  await hog.workload.exited
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 48 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['anonymous-no-swap', 'sockets'] },
    facts: [held, killsCounted(group)], memcgs: { container: group },
  }
}

/** Hundreds of idle children: page tables and stacks. The one with memory of its own is judged worst. */
async function forkStorm(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'fork-storm', { maxBytes: 16 * MIB }), hog = await lab.hog({ cgroup: group, name: 'forker', touchMib: 2, growToMib: 102, stepKib: 100, growBy: 'forks' })
  await lab.grow(hog)
  await hog.workload.exited
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 16 * MIB)], victims: [[hog.who]], invokers: [], reasons: ['kernel-memory', 'page-tables'], others: hog.who },
    facts: [killsCounted(group)], memcgs: { container: group },
  }
}

/** The largest is dying already, so that killing anybody would be for nothing: the kernel waits for it (task_will_free_mem). */
async function exitingVictim(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'exiting-victim', { maxBytes: 48 * MIB }), lingerer = lab.start('lingerer', [group.directory.toString(), '29'])
  const killer = await lingerer.says('killer'), leaving = lab.person(await lingerer.says('ready'), { cgroup: group }), grower = await lab.hog({ cgroup: group, name: 'grower', touchMib: 3, growToMib: 37 })
  await lab.grow(grower)
  const { oomKill, localOom = 0 } = group.events(), isAlive = grower.workload.isAlive
  await lingerer.end()
  return {
    noKills: [{ limitPath: group.path, exitingPid: leaving.pid }], strokes: [{ cause: 'signal', confidence: 'certain', signal: 'SIGKILL', sender: { pid: killer, comm: 'lingerer' }, victims: [leaving] }],
    facts: [fact('the OOM killer ran and killed nobody', localOom > 0 && oomKill === 0, { localOom, oomKill }), fact('whoever needed memory got it', isAlive)], memcgs: { container: group },
  }
}

export const CONTENT_SCENARIOS: readonly Scenario[] = [
  { name: 'tmpfs', places: ['guest'], reports: 2, run: tmpfs },
  { name: 'kernel memory', places: ['guest'], reports: 2, run: kernelMemory },
  { name: 'socket buffers', places: ['guest'], reports: 2, run: socketMemory },
  { name: 'fork storm', places: ['guest'], reports: 2, run: forkStorm },
  { name: 'victim already exiting', places: ['guest'], reports: 0, run: exitingVictim },
]
