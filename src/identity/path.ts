/**
 * A cgroup path → who it is, from the path alone: kubelet's and the runtimes' grammar, docker, podman, lxc, systemd.
 *
 * A container may have the right to make cgroups below its own, with any name. So the outermost thing that is complete
 * wins: nothing below a container can turn it into another pod. Whatever does not fit exactly is a plain cgroup. And where
 * somebody else than this node's kubelet could have made it, `within` says who.
 */

export type PathKind = 'root' | 'kubepods' | 'qos' | 'pod' | 'container' | 'subgroup' | 'conmon' | 'slice' | 'service' | 'session' | 'user-service' | 'mount' | 'lxc' | 'infra' | 'cgroup'

export type PathIdentity = {
  readonly kind: PathKind
  readonly runtime?: string; readonly qos?: string; readonly podUid?: string; readonly containerId?: string
  /** systemd unit (or Talos service). */
  readonly unit?: string
  /** The unit's own cgroup, where only the system's manager can have made it. */
  readonly unitPath?: string
  /** Below the container: the rest of the path, and the innermost container id in it. */
  readonly sub?: string; readonly inner?: string
  /** The container that is a node: kind, minikube. */
  readonly node?: string
  /**
   * Who made this part of the tree, if not this node's own kubelet or runtimes: a container (id), an lxc container, a user's slice, a
   * unit. Whoever may make cgroups can give them any name, also that of a real pod: names learned on this node do not apply in there.
   */
  readonly within?: string
  /** A static pod: its "uid" is the hash of its manifest, not the API's uid. */
  readonly static?: boolean
  /** Owner of a login session or user service. */
  readonly uid?: number
}

const UUID = /^[0-9a-f]{8}([-_])[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/
const STATIC_UID = /^[0-9a-f]{32}$/
const ID = '([0-9a-f]{64})'

/** A pod's uid as the API writes it; nothing else is one. */
function podUidOf(text: string, separator: '-' | '_'): { readonly podUid: string; readonly static?: true } | undefined {
  if (STATIC_UID.test(text)) return { podUid: text, static: true }
  return UUID.exec(text)?.[1] === separator ? { podUid: text.replaceAll('_', '-') } : undefined
}

type ContainerName = { readonly runtime: string; readonly containerId: string; readonly kind: 'container' | 'conmon' }

const RUNTIMES: readonly (readonly [RegExp, string, ContainerName['kind']])[] = [
  [new RegExp(`^cri-containerd-${ID}\\.scope$`), 'containerd', 'container'],
  [new RegExp(`^crio-conmon-${ID}(?:\\.scope)?$`), 'cri-o', 'conmon'],
  [new RegExp(`^crio-${ID}(?:\\.scope)?$`), 'cri-o', 'container'],
  [new RegExp(`^docker-${ID}(?:\\.scope)?$`), 'docker', 'container'],
  [new RegExp(`^libpod-conmon-${ID}(?:\\.scope)?$`), 'podman', 'conmon'],
  [new RegExp(`^libpod-(?:payload-)?${ID}(?:\\.scope)?$`), 'podman', 'container'],
  [new RegExp(`^nerdctl-${ID}\\.scope$`), 'containerd', 'container'],
  // containerd and docker write the same path with the cgroupfs driver.
  [new RegExp(`^${ID}$`), 'cri', 'container'],
]

function containerName(segment: string, parent: string | undefined): ContainerName | undefined {
  for (const [pattern, runtime, kind] of RUNTIMES) {
    const containerId = pattern.exec(segment)?.[1]
    if (containerId !== undefined) return { runtime: runtime === 'cri' && parent === 'docker' ? 'docker' : runtime, containerId, kind }
  }
  return undefined
}

/** The rest of a path below a container. */
function below(rest: readonly string[]): { readonly sub?: string; readonly inner?: string } {
  const inner = rest.findLast((segment) => containerName(segment, undefined) !== undefined)
  const innerId = inner === undefined ? undefined : containerName(inner, undefined)?.containerId
  return rest.length === 0 ? {} : { sub: rest.join('/'), ...(innerId === undefined ? {} : { inner: innerId }) }
}

/** Name of the kubepods root at this segment, without ".slice"; kubelet's --cgroup-root becomes a prefix under systemd. */
function kubepodsRoot(segment: string, parent: string | undefined): string | undefined {
  if (segment === 'kubepods') return segment
  const name = /^((?:[A-Za-z0-9_.]+-)*kubepods)\.slice$/.exec(segment)?.[1]
  if (name === undefined || name === 'kubepods') return name
  // systemd nests a.slice/a-b.slice: a name that does not repeat its parent was not made by systemd.
  return parent === `${name.slice(0, -'-kubepods'.length)}.slice` ? name : undefined
}

type PodPart = { readonly qos: string; readonly podUid: string; readonly static?: true }

function podOf(segment: string, root: string, qos: string | undefined): PodPart | undefined {
  const quality = qos ?? 'guaranteed'
  if (root === 'kubepods' && segment.startsWith('pod')) {
    const plain = podUidOf(segment.slice('pod'.length), '-')
    if (plain !== undefined) return { qos: quality, ...plain }
  }
  const prefix = `${root}${qos === undefined ? '' : `-${qos}`}-pod`
  if (!segment.startsWith(prefix) || !segment.endsWith('.slice')) return undefined
  const sliced = podUidOf(segment.slice(prefix.length, -'.slice'.length), '_')
  return sliced === undefined ? undefined : { qos: quality, ...sliced }
}

/** What the segments from a kubepods root on say; nothing when what follows is not kubelet's. */
function readKubepods(segments: readonly string[], at: number): PathIdentity | undefined {
  const root = kubepodsRoot(segments[at] ?? '', segments[at - 1])
  if (root === undefined) return undefined
  const cgroupfs = segments[at] === 'kubepods'
  if (segments.length === at + 1) return { kind: 'kubepods', runtime: 'k8s' }
  let next = at + 1
  const qos = ['burstable', 'besteffort'].find((q) => segments[next] === (cgroupfs ? q : `${root}-${q}.slice`))
  if (qos !== undefined) next += 1
  const podSegment = segments[next]
  if (podSegment === undefined) return qos === undefined ? undefined : { kind: 'qos', runtime: 'k8s', qos }
  if (cgroupfs !== !podSegment.endsWith('.slice')) return undefined
  const pod = podOf(podSegment, root, qos)
  return pod === undefined ? undefined : readInPod(segments.slice(next + 1), pod)
}

function readInPod([segment, ...rest]: readonly string[], pod: PodPart): PathIdentity {
  if (segment === undefined) return { kind: 'pod', runtime: 'k8s', ...pod }
  const container = containerName(segment, undefined)
  if (container === undefined) return { kind: 'cgroup', runtime: 'k8s', ...pod, ...below([segment, ...rest]) }
  const { kind, ...named } = container
  return { kind: kind === 'container' && rest.length > 0 ? 'subgroup' : kind, ...pod, ...named, ...below(rest) }
}

const MISMATCHED = new RegExp(`^((?:[A-Za-z0-9_.]+-)*kubepods)(?:-(burstable|besteffort))?-pod([0-9a-f_]+)\\.slice:(cri-containerd|crio|docker):${ID}$`)

/** kubelet with the systemd driver, containerd without: `slice:cri-containerd:id` becomes one directory below the runtime's service. */
function readMismatched(segment: string): (PodPart & { readonly runtime: string; readonly containerId: string }) | undefined {
  const match = MISMATCHED.exec(segment)
  const uid = match?.[3] === undefined ? undefined : podUidOf(match[3], '_')
  if (match?.[5] === undefined || uid === undefined) return undefined
  return { qos: match[2] ?? 'guaranteed', ...uid, runtime: match[4] === 'cri-containerd' ? 'containerd' : match[4] === 'crio' ? 'cri-o' : 'docker', containerId: match[5] }
}

/** Runtimes whose containers lie below their own service when their driver is not kubelet's. */
const RUNTIME_SERVICE = /^(?:containerd|crio|cri-o|docker|cri-docker|kubelet|k3s|k3s-agent|rke2-server|rke2-agent|k0scontroller|k0sworker|snap\.microk8s\.daemon-[a-z-]+)\.service$/

/** The outermost of these segments below which somebody else may make cgroups; `byUnits` tells whether a unit is one. */
function boundaryIn(segments: readonly string[], byUnits: boolean): string | undefined {
  const [first = '', second] = segments
  if (first === 'lxc' || first === 'lxc.payload') return second
  if (first.startsWith('lxc.payload.')) return first
  for (const [i, segment] of segments.entries()) {
    const container = containerName(segment, segments[i - 1])?.containerId
    if (container !== undefined || /^user-\d+\.slice$/.test(segment) || (byUnits && /.\.(?:service|scope)$/.test(segment))) return container ?? segment
  }
  return undefined
}

type Surroundings = { readonly node?: string; readonly within?: string }

/** What lies around the kubepods of a path. kubelet makes its own below slices only. */
function around(segments: readonly string[], isMismatched: boolean): Surroundings {
  // A container around kubepods is a node in a container (kind, minikube).
  const at = segments.findIndex((segment, i) => containerName(segment, segments[i - 1]) !== undefined), node = at < 0 ? undefined : containerName(segments[at] ?? '', undefined)?.containerId
  const within = boundaryIn(isMismatched && RUNTIME_SERVICE.test(segments.at(-1) ?? '') ? segments.slice(0, -1) : segments, true)
  return { ...(node === undefined ? {} : { node }), ...(within === undefined ? {} : { within }) }
}

/** Reads from the outside in; the first thing that is a container of a pod is final. */
function readKubernetes(segments: readonly string[]): PathIdentity | undefined {
  let found: PathIdentity | undefined
  for (const [i, segment] of segments.entries()) {
    const mismatched = readMismatched(segment)
    if (mismatched !== undefined) return { kind: i < segments.length - 1 ? 'subgroup' : 'container', ...mismatched, ...below(segments.slice(i + 1)), ...around(segments.slice(0, i), true) }
    const here = readKubepods(segments, i)
    if (here !== undefined) found = { ...here, ...around(segments.slice(0, i), false) }
    if (here?.podUid !== undefined) return found
  }
  return found
}

function readContainer(segments: readonly string[]): PathIdentity | undefined {
  for (const [i, segment] of segments.entries()) {
    const named = containerName(segment, segments[i - 1])
    if (named === undefined) continue
    const { kind, ...container } = named, rest = segments.slice(i + 1), within = boundaryIn(segments.slice(0, i), false)
    return { kind: kind === 'container' && rest.length > 0 ? 'subgroup' : kind, ...container, ...below(rest), ...(within === undefined ? {} : { within }) }
  }
  return undefined
}

function readLxc(segments: readonly string[]): PathIdentity | undefined {
  const [first = '', second, ...rest] = segments
  if (first.startsWith('lxc.payload.') && first.length > 'lxc.payload.'.length) return lxc(first.slice('lxc.payload.'.length), segments.slice(1))
  return (first === 'lxc' || first === 'lxc.payload') && second !== undefined ? lxc(second, rest) : undefined
}
const lxc = (containerId: string, rest: readonly string[]): PathIdentity => ({ kind: 'lxc', runtime: 'lxc', containerId, ...below(rest) })

/** systemd escapes "-" in a unit's name as \x2d. */
const unescapeUnit = (unit: string): string => unit.replace(/\\x([0-9a-f]{2})/g, (whole, hex: string) => {
  const code = Number.parseInt(hex, 16)
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : whole
})

function readSystemd(segments: readonly string[]): PathIdentity | undefined {
  const at = segments.findLastIndex((segment) => /.\.(?:service|scope|slice)$/.test(segment)), segment = segments[at]
  if (segment === undefined) return undefined
  const user = segments.slice(0, at + 1).map((s) => /^user-(\d+)\.slice$/.exec(s)?.[1]).find((uid) => uid !== undefined)
  const inManager = segments.slice(0, at).some((s) => /^user@\d+\.service$/.test(s)), isSlice = segment.endsWith('.slice')
  if (isSlice && at < segments.length - 1) return undefined
  const kind = isSlice ? 'slice' : user !== undefined && /^session-.+\.scope$/.test(segment) ? 'session' : inManager ? 'user-service' : 'service'
  // Below slices only: whoever is given a cgroup of its own may make others in it, with the name of any unit.
  const unitPath = segments.slice(0, at).every((s) => s.endsWith('.slice')) ? { unitPath: `/${segments.slice(0, at + 1).join('/')}` } : {}
  return { kind, runtime: 'systemd', unit: unescapeUnit(segment), ...unitPath, ...(user === undefined ? {} : { uid: Number(user) }), ...below(segments.slice(at + 1)) }
}

function readTalos(segments: readonly string[]): PathIdentity | undefined {
  const [first, unit] = segments
  return (first === 'podruntime' || first === 'system') && unit !== undefined && segments.length === 2 ? { kind: 'infra', runtime: 'talos', unit } : undefined
}

/** Identity of a cgroup path (relative to its hierarchy's root). Never throws; unknown is `cgroup`. */
export function identityOf(path: string): PathIdentity {
  const segments = path.split('/').filter((segment) => segment !== '')
  // From inside another cgroup namespace paths begin with "..".
  while (segments[0] === '..') segments.shift()
  if (segments.length === 0) return { kind: 'root', runtime: 'host' }
  if (segments.some((segment) => segment.endsWith('.mount'))) return { kind: 'mount' }
  return readKubernetes(segments) ?? readContainer(segments) ?? readLxc(segments) ?? readSystemd(segments) ?? readTalos(segments) ?? { kind: 'cgroup' }
}
