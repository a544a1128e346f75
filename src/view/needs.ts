/** Which workloads are told what to request, and what each needed: accounts of memcgs become rows that a person knows, restarts included. */
import { isOomCase, isSelfTestPath } from '../model/case.ts'
import type { Workload } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { createSketch, mergeSketch, quantile } from '../model/sketch.ts'
import { accountsOf, exactnessOf } from '../model/usage-ledger.ts'
import type { Account, Ledger } from '../model/usage-ledger.ts'
import { equalLimitOf } from '../verdict/equal-limit.ts'
import type { Need } from '../verdict/recommendation.ts'
import type { Lens } from './lens.ts'
import { named } from './lens.ts'
import { workloadLabel } from './spikes-list.ts'
import { isUsageLost } from './usage-loss.ts'

export type NeedRow = {
  readonly label: string
  readonly workload: Workload
  /** Of the newest memcg. */
  readonly path: string
  /** How often it was started in this recording. */
  readonly starts: number
  /** It was still there at the end. */
  readonly isAlive: boolean
  readonly need: Need
}

/** A sandbox has no name and hardly any memory where its neighbours have names. */
const SANDBOX_BYTES = 4 * 2 ** 20

const isUnit = (workload: Workload): boolean => workload.level === 'container' || workload.level === 'service'

/** Paths below a container or service are parts of it. */
function isInside(path: string, units: ReadonlySet<string>): boolean {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) if (units.has(path.slice(0, at))) return true
  return false
}

type Candidate = { readonly account: Account; readonly workload: Workload }

function candidatesOf(lens: Lens, model: NodeModel, accounts: readonly Account[]): Candidate[] {
  const all = accounts.filter(({ path }) => !isSelfTestPath(path)).map((account) => ({ account, workload: named(model, lens.workloadOf(account.path)) }))
  const units = new Set(all.filter(({ workload }) => isUnit(workload)).map(({ account }) => account.path)), parents = new Set(all.map(({ account: { path } }) => path.slice(0, path.lastIndexOf('/'))))
  const namedPods = new Set(all.flatMap(({ workload }) => (workload.container !== undefined && workload.podUid !== undefined ? [workload.podUid] : [])))
  return all.filter(({ account, workload }) => {
    if (isInside(account.path, units)) return false
    if (workload.level === 'container') return !(workload.podUid !== undefined && namedPods.has(workload.podUid) && workload.container === undefined && account.peakBytes < SANDBOX_BYTES)
    if (workload.level === 'service') return true
    return (workload.level === 'slice' || workload.level === 'cgroup') && (!parents.has(account.path) || account.limitBytes !== undefined)
  })
}

const keyOf = ({ account, workload }: Candidate): string =>
  (workload.container === undefined ? account.path : `${workload.namespace ?? ''}/${workload.pod ?? workload.podUid ?? ''}/${workload.container}`)

function killsIn(model: NodeModel, ids: ReadonlySet<number>, paths: ReadonlySet<string>): Pick<Need, 'kills' | 'killsByOthers'> {
  const isInOne = (path: string): boolean => [...paths].some((root) => path === root || path.startsWith(`${root}/`))
  const isOurs = ({ path, memcgId }: { readonly memcgId?: number; readonly path?: string }): boolean => (path === undefined ? memcgId !== undefined && ids.has(memcgId) : isInOne(path))
  let kills = 0, killsByOthers = 0
  for (const target of model.cases) {
    const { victims, unseenVictims = 0, countedPath, limit } = target, count = isOomCase(target) ? victims.filter(isOurs).length + (countedPath !== undefined && paths.has(countedPath) ? unseenVictims : 0) : 0
    if (count === 0) continue
    kills += count
    // A pod's limit may be that of its only limited container.
    if (limit?.path !== undefined && !isInOne(limit.path) && !isInOne(equalLimitOf(model, target)?.path ?? '/')) killsByOthers += count
  }
  return { kills, killsByOthers }
}

const roseBy = (first: number | undefined, now: number | undefined): number | undefined => (first === undefined || now === undefined ? undefined : Math.max(0, now - first))
const sumKnown = (values: readonly (number | undefined)[]): number | undefined => values.reduce<number | undefined>((sum, value) => (value === undefined ? sum : (sum ?? 0) + value), undefined)
const most = (values: readonly (number | undefined)[]): number | undefined => values.reduce<number | undefined>((max, value) => (value !== undefined && (max === undefined || value > max) ? value : max), undefined)

/** Everything known of these accounts together: pure, for one run as for a recording. */
export function needOf(model: NodeModel, accounts: readonly Account[]): Need {
  const seconds = createSketch(), sum = (of: (account: Account) => number): number => accounts.reduce((all, account) => all + of(account), 0), highest = (of: (account: Account) => number): number => Math.max(0, ...accounts.map(of))
  for (const account of accounts) mergeSketch(seconds, account.seconds)
  const exactness = accounts.map(exactnessOf), needPeakBytes = highest((account) => account.needPeakBytes), share = (of: number): number => Math.min(needPeakBytes, quantile(seconds, of) ?? 0)
  return {
    knownNs: sum((account) => account.knownNs), lostNs: sum((account) => account.lostNs), isLossSomewhere: isUsageLost(model),
    // One of which less is known may have had the highest.
    exactness: exactness.includes('sampled') ? 'sampled' : exactness.includes('high-water') ? 'high-water' : 'exact-height',
    peakBytes: highest((account) => account.peakBytes), needPeakBytes, hardPeakBytes: highest((account) => account.hardPeakBytes), floorBytes: most(accounts.map((account) => account.floorBytes)),
    p50Bytes: share(0.5), p95Bytes: share(0.95), p99Bytes: share(0.99), limitBytes: accounts.at(-1)?.limitBytes, topBytes: most(accounts.map((account) => account.topBytes)), swapBytes: highest((account) => account.swapBytes),
    over80Ns: sum((account) => account.over80Ns), over90Ns: sum((account) => account.over90Ns), ...killsIn(model, new Set(accounts.map(({ memcgId }) => memcgId)), new Set(accounts.map(({ path }) => path))),
    atMax: sumKnown(accounts.map(({ firstEvents: first, events: now }) => roseBy(first?.localMax ?? first?.max, now?.localMax ?? now?.max))), atHigh: sumKnown(accounts.map(({ firstEvents: first, events: now }) => roseBy(first?.localHigh ?? first?.high, now?.localHigh ?? now?.high))),
    waitedNs: model.hasCounters ? sum((account) => account.waitedNs) : undefined,
  }
}

/** One row per container (its restarts together), service, or plain cgroup; the largest first. */
export function needRows(lens: Lens, model: NodeModel, ledger: Ledger): NeedRow[] {
  const groups = new Map<string, Candidate[]>()
  for (const candidate of candidatesOf(lens, model, accountsOf(ledger))) {
    const key = keyOf(candidate), group = groups.get(key)
    if (group === undefined) groups.set(key, [candidate])
    else group.push(candidate)
  }
  const rows = [...groups.values()].flatMap((group) => {
    const newest = group.at(-1)
    if (newest === undefined) return []
    const isAlive = group.some(({ account }) => model.memcgs.get(account.memcgId)?.diedNs === undefined && model.memcgs.get(account.memcgId)?.path === account.path)
    return [{ label: workloadLabel(lens, model, newest.account.path), workload: newest.workload, path: newest.account.path, starts: group.length, isAlive, need: needOf(model, group.map(({ account }) => account)) }]
  })
  return rows.sort((a, b) => b.need.needPeakBytes - a.need.needPeakBytes || (a.label < b.label ? -1 : 1))
}
