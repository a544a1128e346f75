/** What only a machine of our own can run out of: a NUMA node, swap, the speed of a disk (test/vm/boot.sh gives it all three). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Memcg } from './cgroup.ts'
import type { Lab, Outcome, Scenario } from './lab.ts'
import { container } from './pods.ts'
import { killsCounted, limitOf, MIB, who } from './scenarios-limits.ts'
import { fact } from './truth.ts'
import type { Expected } from './truth.ts'

/** The node without a processor: nobody uses it unless he has to. */
const FAR_NODE = 1, SWAP_DISK = '/dev/vda', SLOW_DISK = '/dev/vdb'
const PAGE = 4096

/** node_present_pages(), by which constrained_alloc() normalises. */
const presentPages = (node: number): number => readFileSync('/proc/zoneinfo', 'utf8').split(/^Node /m).filter((zone) => zone.startsWith(`${node}, zone`))
  .reduce((sum, zone) => sum + Number(/^ +present +(\d+)$/m.exec(zone)?.[1] ?? 0), 0)

/** Takes more than the far node has, from there only. The machine has plenty. */
async function fillFarNode(lab: Lab, group: Memcg, numaNode?: number): Promise<Outcome> {
  const totalPages = presentPages(FAR_NODE), hog = await lab.hog({ cgroup: group, name: 'bound', touchMib: 3, growToMib: totalPages * PAGE / MIB + 3, stepKib: 1024, oomScoreAdj: 1000, ...(numaNode === undefined ? {} : { numaNode }) })
  await lab.grow(hog)
  const expected: Expected = { cause: 'numa', level: 'root', limits: [], victims: [[hog.who]], invokers: [hog.who], reasons: ['numa-node-empty'], totalPages }
  return { expected, facts: [killsCounted(group), fact('the far node is small', totalPages > 0 && totalPages <= 128 * MIB / PAGE, totalPages)], memcgs: { container: group } }
}

async function boundByCpuset(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'cpuset', {}), { mount } = lab.options
  for (let at = 0; at >= 0; at = group.bytes.indexOf('/', at + 1)) new Memcg(mount, group.bytes.subarray(0, at)).write('cgroup.subtree_control', '+cpuset')
  group.write('cpuset.mems', String(FAR_NODE))
  return fillFarNode(lab, group)
}

const boundByPolicy = async (lab: Lab): Promise<Outcome> => fillFarNode(lab, container(lab, 'mempolicy', {}), FAR_NODE)

/** Runs with the swap disk in use; it was not when the recorder started. */
async function withSwap(run: (swapPages: number) => Promise<Outcome>): Promise<Outcome> {
  execFileSync('mkswap', [SWAP_DISK], { stdio: 'ignore' })
  execFileSync('swapon', [SWAP_DISK])
  try {
    return await run(Number(/^SwapTotal: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 4)
  } finally {
    execFileSync('swapoff', [SWAP_DISK])
  }
}

const swapExhausted = (lab: Lab): Promise<Outcome> => withSwap(async () => {
  const group = container(lab, 'swap-exhausted', { maxBytes: 24 * MIB, swapMaxBytes: 16 * MIB }), idle = await lab.hog({ cgroup: group, name: 'idle', touchMib: 5, oomScoreAdj: 7 })
  const hog = await lab.hog({ cgroup: group, name: 'swapper', touchMib: 3, growToMib: 61 })
  await lab.grow(hog)
  await hog.workload.exited
  await idle.workload.end()
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [{ ...limitOf(group, 24 * MIB), totalPages: 40 * MIB / PAGE }], victims: [[hog.who]], invokers: [hog.who], reasons: ['anonymous', 'swap-exhausted'] },
    facts: [killsCounted(group), fact('it ran out of swap (6.5 and later tell the peak)', !group.has('memory.swap.peak') || group.number('memory.swap.peak') > 15 * MIB, group.number('memory.swap.peak'))], memcgs: { container: group },
  }
})

/** The log does not say how much swap there is for a limit without one of its own; other reports of this log were written without swap. */
const NOT_IN_LOG = { hasPoints: false, hasReasons: false } as const

/** 32 GiB of swap that nobody can use, because all is locked: each point of oom_score_adj is 8,400 pages. */
const hugeTotal = (lab: Lab): Promise<Outcome> => withSwap(async (swapPages) => {
  const group = container(lab, 'huge-total', { maxBytes: 48 * MIB, anySwap: true }), others = []
  for (const [touchMib, oomScoreAdj] of [[9, 999], [3, 1], [3, 0], [2, -1], [2, -500], [2, -999], [2, -1000]] as const) others.push(await lab.hog({ cgroup: group, name: `adj${oomScoreAdj}`, touchMib, oomScoreAdj, isLocked: true }))
  const [victim] = others, grower = await lab.hog({ cgroup: group, name: 'grower', touchMib: 5, growToMib: 29, oomScoreAdj: -2, isLocked: true })
  await lab.grow(grower)
  if (victim === undefined) throw new Error('no victim')
  await victim.workload.exited
  return {
    expected: { cause: 'container-limit', level: 'container', limits: [{ ...limitOf(group, 48 * MIB), totalPages: 48 * MIB / PAGE + swapPages }], victims: [who([victim])], invokers: [grower.who], reasons: ['anonymous'], inLog: NOT_IN_LOG },
    facts: [killsCounted(group), fact('the swap is huge', swapPages > 8e6, swapPages)], memcgs: { container: group },
  }
})

/** Written faster than the disk takes it, with hardly any memory of its own: older kernels let the writer wait, newer ones kill it. */
async function dirtyPages(lab: Lab): Promise<Outcome> {
  const group = container(lab, 'dirty-pages', { maxBytes: 8 * MIB }), hog = await lab.hog({ cgroup: group, name: 'copier', touchMib: 1, growToMib: 12, growBy: { file: SLOW_DISK } })
  await lab.grow(hog)
  const lived = hog.workload.isAlive && group.events().oomKill === 0
  await hog.workload.end()
  return {
    ...(lived ? {} : { expected: { cause: 'container-limit', level: 'container', limits: [limitOf(group, 8 * MIB)], victims: [[hog.who]], invokers: [hog.who], reasons: ['dirty-pages'] } }),
    facts: [fact('its limit made it wait or die', (group.events().max ?? 0) > 0, group.events())], memcgs: { container: group }, readings: { killed: lived ? 0 : 1 },
  }
}

export const MACHINE_SCENARIOS: readonly Scenario[] = [
  { name: 'dirty pages of a slow disk', places: ['guest'], reports: 2, run: dirtyPages },
  { name: 'swap exhausted', places: ['guest'], reports: 2, run: swapExhausted },
  { name: 'points of a huge total', places: ['guest'], reports: 2, run: hugeTotal },
  { name: 'NUMA node of a cpuset', places: ['guest'], reports: 2, run: boundByCpuset },
  { name: 'NUMA node of a memory policy', places: ['guest'], reports: 2, run: boundByPolicy },
]
