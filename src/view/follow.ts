/** Following a workload beyond its death: the same name again (a StatefulSet's pod, a service), else the next pod of the same owner. */
import type { OverviewRow } from './overview.ts'

/** Kubernetes draws random suffixes from these (apimachinery, util/rand): no vowels, no 0, 1, 3. */
const RANDOM_SUFFIX = /-[bcdfghjklmnpqrstvwxz2456789]{5}$/
/** The pod-template-hash of a ReplicaSet: the same alphabet, a 32-bit number. */
const TEMPLATE_HASH = /-[bcdfghjklmnpqrstvwxz2456789]{6,10}$/

/** `payments/api` of `payments/api-7d9f8b6c5-x2lqp`: what stays when a Deployment, a DaemonSet or a Job replaces a pod. */
export function ownerOf(name: string): string {
  const pod = name.replace(/:[^/:]*$/, ''), base = pod.replace(RANDOM_SUFFIX, '')
  return base === pod ? pod : base.replace(TEMPLATE_HASH, '')
}

export type Followed = {
  readonly key: string
  readonly name: string
  /** Birth of its cgroup: an heir is younger. */
  readonly bornNs: number
}

/** The row itself while it lives; else the youngest that continues it; nothing while there is none yet. */
export function heirOf(followed: Followed, rows: readonly OverviewRow[], bornOf: (row: OverviewRow) => number): Followed | undefined {
  const itself = rows.find(({ key }) => key === followed.key)
  if (itself !== undefined) return followed
  const name = followed.name.replace(/:[^/:]*$/, ''), owner = ownerOf(followed.name), isPod = name.includes('/') && owner !== name
  const heirs = rows.filter((row) => bornOf(row) > followed.bornNs && (row.name.replace(/:[^/:]*$/, '') === name || (isPod && row.kind === 'pod' && ownerOf(row.name) === owner)))
  const [heir] = heirs.sort((a, b) => bornOf(b) - bornOf(a))
  return heir === undefined ? undefined : { key: heir.key, name: heir.name, bornNs: bornOf(heir) }
}
