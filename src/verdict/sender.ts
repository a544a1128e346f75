/** Who sent the deadly signal, as far as its name and its cgroup can be trusted: any process may call itself containerd-shim. */
import { identityOf } from '../identity/path.ts'
import { workloadIn } from '../identity/workload.ts'
import { isOomDaemon } from '../model/case-signals.ts'
import { isOomCase, type KillCase, type Level } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'

export type SenderKind = 'runtime' | 'service-manager' | 'oom-daemon' | 'other'

/** comm has 15 characters: containerd-shim-runc-v2 is `containerd-shim`. `runc:[2:INIT]` is a container's first process before its own program. */
const RUNTIMES = /^(?:containerd(?:-shim)?|runc|runc:\[\d:[A-Z]+\]|crun|youki|runsc(?:-.*)?|kata-runtime|conmon(?:rs)?|crio|dockerd|docker-containe|docker-proxy|podman|lxc-start|lxc-stop|kubelet|cri-dockerd|ctr|nerdctl)$/

/** A user who logged in gives his processes any name, too. */
const OF_A_USER: ReadonlySet<string> = new Set(['session', 'user-service'])

export type Sender = {
  readonly kind: SenderKind
  readonly level?: Level
  /** Inside a container anybody may have that name: then it is just a process. */
  readonly isTrusted: boolean
}

export function senderOf(model: NodeModel, { sender }: NonNullable<KillCase['sentSignal']>): Sender {
  const { level, within } = sender.path === undefined ? {} : workloadIn(model, sender.path), inContainer = level === 'container' || level === 'pod' || within !== undefined
  const known = { ...(level === undefined ? {} : { level }), isTrusted: level !== undefined && !inContainer && !OF_A_USER.has(identityOf(sender.path ?? '').kind) }
  if (inContainer) return { kind: 'other', ...known }
  if (RUNTIMES.test(sender.comm)) return { kind: 'runtime', ...known }
  if (isOomDaemon(sender.comm)) return { kind: 'oom-daemon', ...known }
  return { kind: sender.pid === 1 && /^(?:systemd|init)$/.test(sender.comm) ? 'service-manager' : 'other', ...known }
}

/** Why a finding that rests on who sent it is not surer. */
export const byNameOnly = ({ isTrusted }: Sender): { readonly atMost: 'possible'; readonly why: string } | undefined => (isTrusted ? undefined : { atMost: 'possible', why: 'the sender is known by its name only' })

/** Cases are in order of time: the last one that is not younger. */
function lastUntil(cases: readonly KillCase[], tsNs: number): number {
  let low = 0, high = cases.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cases[middle]?.tsNs ?? 0) <= tsNs) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The OOM kill in the same cgroup just before: then the runtime only ended what was left. */
export function oomJustBefore(model: NodeModel, target: KillCase): KillCase | undefined {
  const SOON_NS = 10e9, ids = new Set(target.victims.map((victim) => victim.memcgId))
  const { cases } = model
  for (let i = lastUntil(cases, target.tsNs); i >= 0; i -= 1) {
    const other = cases[i]
    if (other === undefined || target.tsNs - other.tsNs >= SOON_NS) return undefined
    if (isOomCase(other) && other.victims.some((victim) => victim.memcgId !== undefined && ids.has(victim.memcgId))) return other
  }
  return undefined
}
