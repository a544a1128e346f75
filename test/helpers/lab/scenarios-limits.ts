/** Limits of a container, a pod and a slice, met in every way that looks alike from outside. Candidates come in prime numbers. */
import type { Memcg } from './cgroup.ts'
import type { Hog, Lab, Outcome, Scenario } from './lab.ts'
import { allocatable, burstable, container, pod } from './pods.ts'
import { fact } from './truth.ts'
import type { Fact, Person, TrueLimit } from './truth.ts'

export const MIB = 2 ** 20

/** What every decision about this group's limit must say. */
export const limitOf = (group: Memcg, bytes: number): TrueLimit => ({ path: group.path, memcgId: group.inode, bytes })

export const who = (hogs: readonly Hog[]): Person[] => hogs.map((hog) => hog.who)

/** The kernel's counter of kills in the victim's own group (v1 counts nowhere else) against the deaths that were caused. */
export function killsCounted(group: Memcg, least = 1): Fact {
  const { oomKill } = group.events()
  return fact(`the kernel counted at least ${least} oom_kill in the victim's group`, oomKill >= least, { oomKill })
}

async function containerLimit(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'container-limit', { maxBytes: 48 * MIB })
  await lab.hog({ cgroup: group, name: 'idle', touchMib: 5 })
  await lab.hog({ cgroup: group, name: 'precious', touchMib: 7, oomScoreAdj: lab.protected(-998) })
  const grower = await lab.hog({ cgroup: group, name: 'grower', touchMib: 3, growToMib: 61 })
  await lab.grow(grower)
  const { signal } = await grower.workload.exited
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 48 * MIB)], victims: [[grower.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    facts: [fact('it died of SIGKILL', signal === 'SIGKILL', signal), killsCounted(group)], memcgs: { container: group },
  }
}

/** The victim sits in container A, container B asked for the page. */
async function podLimit(lab: Lab): Promise<Outcome> {
  const { group, containers } = pod(lab, burstable(lab), 'pod-limit', { limits: { maxBytes: 64 * MIB }, containers: { a: {}, b: {} } })
  const a = containers['a'] as Memcg, b = containers['b'] as Memcg
  const victim = await lab.hog({ cgroup: a, name: 'cache', touchMib: 41 })
  await lab.hog({ cgroup: a, name: 'sidecar-a', touchMib: 2 })
  await lab.hog({ cgroup: a, name: 'immune', touchMib: 2, oomScoreAdj: lab.protected(-1000) })
  await lab.hog({ cgroup: b, name: 'sidecar-b', touchMib: 2 })
  const grower = await lab.hog({ cgroup: b, name: 'importer', touchMib: 3, growToMib: 31 })
  await lab.grow(grower)
  await victim.workload.exited
  return {
    expected: { cause: 'pod-limit', level: 'pod', limits: [limitOf(group, 64 * MIB)], victims: [[victim.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'], inLog: { confidence: 'possible' } },
    facts: [killsCounted(a)], memcgs: { pod: group, a, b },
  }
}

/** A small process of another pod dies because of its oom_score_adj. */
async function sliceLimit(lab: Lab): Promise<Outcome> {
  const qos = burstable(lab, { maxBytes: 64 * MIB }), pods = ['one', 'two', 'three'].map((name) => pod(lab, qos, `slice-limit/${name}`, { containers: { main: {} } }))
  const [one, two, three] = pods.map(({ containers }) => containers['main'] as Memcg) as [Memcg, Memcg, Memcg]
  const victim = await lab.hog({ cgroup: one, name: 'batch', touchMib: 11, oomScoreAdj: 900 })
  for (const [i, cgroup] of [one, two, two, three, three].entries()) await lab.hog({ cgroup, name: `idle-${i}`, touchMib: 2 + i, oomScoreAdj: i * 11 })
  const grower = await lab.hog({ cgroup: two, name: 'grower', touchMib: 3, growToMib: 37 })
  await lab.grow(grower)
  await victim.workload.exited
  return {
    expected: { cause: 'slice-limit', level: 'qos', limits: [limitOf(qos, 64 * MIB)], victims: [[victim.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    facts: [killsCounted(one)], memcgs: { qos, victim: one },
  }
}

/** kubelet gives a pod the sum of its containers' limits: with one container both are the same, and the pod, which also holds the pause container, is full first. */
async function equalLimits(lab: Lab): Promise<Outcome> {
  const { group, containers } = pod(lab, burstable(lab), 'equal-limits', { limits: { maxBytes: 48 * MIB }, containers: { pause: {}, main: { maxBytes: 48 * MIB } } }), main = containers['main'] as Memcg
  await lab.hog({ cgroup: containers['pause'] as Memcg, name: 'pause', touchMib: 1, oomScoreAdj: lab.protected(-998) })
  const grower = await lab.hog({ cgroup: main, name: 'grower', touchMib: 3, growToMib: 61 })
  await lab.grow(grower)
  return {
    expected: { cause: 'container-limit', level: 'pod', limits: [limitOf(group, 48 * MIB)], victims: [[grower.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'], inLog: { cause: 'pod-limit', confidence: 'possible' } },
    facts: [fact('the container stayed below its own limit', main.events().localOom === 0, main.events()), killsCounted(main)], memcgs: { pod: group, container: main },
  }
}

/** Both pods are far below limits of their own; all pods together are not. Who asks is not who dies. */
async function allocatableLimit(lab: Lab): Promise<Outcome> {
  const own = { maxBytes: 96 * MIB }, { kubepods, qos } = allocatable(lab, { maxBytes: 64 * MIB })
  const [one, two] = ['one', 'two'].map((name) => pod(lab, qos, `allocatable/${name}`, { limits: own, containers: { main: own } }).containers['main']) as [Memcg, Memcg]
  const victim = await lab.hog({ cgroup: one, name: 'database', touchMib: 29 })
  await lab.hog({ cgroup: two, name: 'sidecar', touchMib: 5, oomScoreAdj: 2 })
  const grower = await lab.hog({ cgroup: two, name: 'importer', touchMib: 11, growToMib: 41, oomScoreAdj: lab.protected(-300) })
  await lab.grow(grower)
  await victim.workload.exited
  return {
    expected: { cause: 'slice-limit', level: 'kubepods', limits: [limitOf(kubepods, 64 * MIB)], victims: [[victim.who]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    facts: [killsCounted(one), fact('no limit below was met', [one, two].every((group) => group.events().max === 0), [one, two].map((group) => group.events()))], memcgs: { kubepods, victim: one },
  }
}

/** memory.oom.group: one decision, five dead, and one with -1000 that lives. */
async function oomGroup(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'oom-group', { maxBytes: 48 * MIB, oomGroup: true })
  const others = []
  for (const touchMib of [2, 3, 5, 7]) others.push(await lab.hog({ cgroup: group, name: `member-${touchMib}`, touchMib }))
  const survivor = await lab.hog({ cgroup: group, name: 'survivor', touchMib: 2, oomScoreAdj: -1000 })
  const grower = await lab.hog({ cgroup: group, name: 'grower', touchMib: 3, growToMib: 61 })
  await lab.grow(grower)
  for (const { workload } of [grower, ...others]) await workload.exited
  const groupKills = group.events().oomGroupKill
  const ended = await survivor.workload.end()
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 48 * MIB)], victims: [[grower.who, ...who(others)]], invokers: [grower.who], reasons: ['anonymous-no-swap'] },
    // The main victim is counted twice on 6.12 and later.
    facts: [killsCounted(group, 5), fact('oom_group_kill is 1 (5.17 and later count it)', groupKills === undefined || groupKills === 1, groupKills), fact('the one with -1000 lived on', ended.code === 0, ended)], memcgs: { container: group },
  }
}

/** A worker of the container dies; its first process lives, so that no container status ever shows it. */
async function childKilled(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'child-killed', { maxBytes: 32 * MIB })
  const hog = await lab.hog({ cgroup: group, name: 'worker', touchMib: 3, growToMib: 47, fork: true })
  await lab.grow(hog)
  const signal = await hog.workload.says('child-signal')
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 32 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['anonymous-no-swap'] },
    facts: [fact('the parent saw signal 9 and lives', signal === 9 && hog.workload.isAlive, signal), killsCounted(group)], memcgs: { container: group },
  }
}

/** The first process of a PID namespace dies, and the kernel ends all others in it (zap_pid_ns_processes): one victim, though nobody is left. */
async function namespaceEnds(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'namespace-ends', { maxBytes: 32 * MIB })
  const hog = await lab.hog({ cgroup: group, name: 'app', touchMib: 3, growToMib: 47, pidNamespace: true, kids: 5 })
  await lab.grow(hog)
  const signal = await hog.workload.says('child-signal'), left = group.read('cgroup.procs').trim()
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 32 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['anonymous-no-swap'] },
    facts: [fact('its parent saw signal 9 and is the only one left', signal === 9 && left === String(hog.workload.pid), { signal, left }), fact('the kernel counted one oom_kill', group.events().oomKill === 1, group.events())], memcgs: { container: group },
  }
}

/** The leader has exited, a thread allocates: kernel log, mark_victim and signal then name a thread id. */
async function threadVictim(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'thread-victim', { maxBytes: 32 * MIB })
  await lab.hog({ cgroup: group, name: 'idle', touchMib: 2 })
  await lab.hog({ cgroup: group, name: 'idler', touchMib: 3 })
  const hog = await lab.hog({ cgroup: group, name: 'threaded', touchMib: 3, growToMib: 47, thread: true })
  await lab.grow(hog)
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 32 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['anonymous-no-swap'] },
    facts: [killsCounted(group)], memcgs: { container: group },
  }
}

/** Five containers of one pod at their limits in the same moment. */
async function burst(lab: Lab): Promise<Outcome> {
  const names = ['a', 'b', 'c', 'd', 'e'], { containers } = pod(lab, burstable(lab), 'burst', { containers: Object.fromEntries(names.map((name) => [name, { maxBytes: 16 * MIB }])) })
  const hogs = []
  for (const name of names) hogs.push(await lab.hog({ cgroup: containers[name] as Memcg, name: `burst-${name}`, touchMib: 3, growToMib: 31 }))
  await Promise.all(hogs.map((hog) => lab.grow(hog)))
  return {
    expected: { cause: 'container-limit', level: 'container', victims: hogs.map((hog) => [hog.who]), invokers: who(hogs), reasons: ['anonymous-no-swap'], limits: hogs.map((hog) => ({ path: hog.who.path, memcgId: hog.who.memcgId, bytes: 16 * MIB })) },
    facts: names.map((name) => killsCounted(containers[name] as Memcg)), memcgs: containers,
  }
}

export const LIMIT_SCENARIOS: readonly Scenario[] = [
  { name: 'container limit, 3 candidates', places: ['host', 'guest'], reports: 1, run: containerLimit },
  { name: 'pod limit, 5 candidates, victim in another container', places: ['host', 'guest'], reports: 2, run: podLimit },
  { name: 'slice limit, 7 candidates, victim in another pod', places: ['host', 'guest'], reports: 2, run: sliceLimit },
  { name: 'one container in a pod with the same limit', places: ['guest'], reports: 2, run: equalLimits },
  { name: 'limit of all pods, every limit below it far', places: ['guest'], reports: 2, run: allocatableLimit },
  { name: 'memory.oom.group, one of six immune', places: ['guest'], reports: 1, run: oomGroup },
  { name: 'child killed, parent lives', places: ['host', 'guest'], reports: 1, run: childKilled },
  { name: 'first process of a PID namespace', places: ['guest'], reports: 1, run: namespaceEnds },
  { name: 'victim whose leader has exited', places: ['host', 'guest'], reports: 1, run: threadVictim },
  { name: 'five containers at once', places: ['host', 'guest'], reports: 5, run: burst },
]
