/** A real containerd of a test's own: private directories, socket and images; everything it started is gone at the end, also after a failure. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { sweep, type RuntimePlace } from '../leftovers.ts'
import { writeImage } from './image.ts'
import { Kubelet, type MadePod, type PodSpec } from './kubelet.ts'

export const IMAGE = 'localhost/oomscope/lab:1'
const START_MS = 300_000

/** The directory on a real file system, and with a short path: a socket's name has 108 bytes. */
export type ContainerdOptions = RuntimePlace & {
  /** Where the built workloads are. */
  readonly programs: string
  /** Names in the image of further programs there; `pause` and `eater` are always in it. */
  readonly also?: Readonly<Record<string, string>>
  /** Who makes the cgroups: the runtime itself, or systemd where it is the init; then `cgroupRoot` is `/kubepods.slice`. */
  readonly driver?: 'cgroupfs' | 'systemd'
}

/** The pod's cgroup as a kubelet names it to its runtime (pkg/kubelet/cm, for each driver). */
const parentOf = ({ driver, cgroupRoot }: ContainerdOptions, uid: string): string => (driver === 'systemd' ? `kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice` : `${cgroupRoot}/kubepods/burstable/pod${uid}`)

/** Where a container of it then is. */
export function containerPath(options: ContainerdOptions, uid: string, id: string): string {
  const parent = parentOf(options, uid)
  return options.driver === 'systemd' ? `${options.cgroupRoot}/kubepods-burstable.slice/${parent}/cri-containerd-${id}.scope` : `${parent}/${id}`
}

/** Why there can be none here. */
export function containerdMissing(): string | undefined {
  for (const program of ['containerd', 'ctr', 'runc']) {
    try {
      execFileSync(program, ['--version'], { stdio: 'pipe' })
    } catch {
      return `${program} is not installed (Debian: apt-get install containerd runc)`
    }
  }
  return undefined
}

/** Cgroups of one controller and tracing of none; no CNI (pods are in the host's network), no AppArmor, no registry. */
const configOf = ({ directory, driver }: ContainerdOptions): string => `version = 2
root = "${directory}/root"
state = "${directory}/state"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.restart", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.overlayfs"]
[grpc]
  address = "${directory}/c.sock"
[ttrpc]
  address = "${directory}/c.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = ${driver === 'systemd'}
`

export class Containerd {
  readonly socket: string
  private connection: Kubelet | undefined
  private readonly options: ContainerdOptions
  private readonly child: ChildProcess
  private readonly pods: MadePod[] = []

  private constructor(options: ContainerdOptions, child: ChildProcess) {
    this.options = options
    this.child = child
    this.socket = `${options.directory}/c.sock`
  }

  static async start(options: ContainerdOptions): Promise<Containerd> {
    const { directory, programs, also } = options
    mkdirSync(directory, { recursive: true })
    writeFileSync(`${directory}/config.toml`, configOf(options))
    writeImage(`${directory}/image.tar`, { reference: IMAGE, programs: Object.fromEntries(Object.entries({ pause: 'pause', eater: 'eater', ...also }).map(([name, program]) => [name, `${programs}/${program}`])), entrypoint: '/pause' })
    const log = openSync(`${directory}/containerd.log`, 'w')
    const made = new Containerd(options, spawn('containerd', ['-c', `${directory}/config.toml`], { stdio: ['ignore', log, log] }))
    closeSync(log)
    try {
      await made.listening()
      execFileSync('ctr', ['-a', `${directory}/c.sock`, '-n', 'k8s.io', 'images', 'import', '--snapshotter', 'native', `${directory}/image.tar`], { stdio: 'pipe' })
      await untilImage(made)
      return made
    } catch (error) {
      const said = readFileSync(`${directory}/containerd.log`, 'utf8').slice(-2000)
      await made.close()
      throw new Error(`containerd does not start: ${String(error)}\n${said}`)
    }
  }

  private async listening(): Promise<void> {
    for (const endMs = performance.now() + START_MS; performance.now() < endMs; await wait(50)) {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}`)
      if (existsSync(this.socket)) return
    }
    throw new Error('no socket after five minutes')
  }

  /** Connected when first used. */
  get kubelet(): Kubelet { return this.connection ??= new Kubelet(this.socket) }

  async runPod(spec: Omit<PodSpec, 'cgroupParent'>): Promise<MadePod> {
    const pod = await this.kubelet.runPod({ ...spec, cgroupParent: parentOf(this.options, spec.uid) })
    this.pods.push(pod)
    return pod
  }

  /** As the kernel's OOM killer would end it: its shims and containers live on. */
  crash(): void { this.child.kill('SIGKILL') }

  /** First as a kubelet would; then by force, whatever is left. */
  async close(): Promise<void> {
    for (const pod of this.pods) await this.kubelet.removePod(pod).catch(() => undefined)
    this.connection?.close()
    const ended = new Promise((resolve) => this.child.once('close', resolve))
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM')
      await Promise.race([ended, wait(10_000, undefined, { ref: false }).then(() => this.child.kill('SIGKILL'))])
    }
    await sweep(this.options)
  }
}

/** containerd tells its CRI part of an image a moment after the import. */
async function untilImage({ kubelet, socket }: Containerd): Promise<void> {
  for (const endMs = performance.now() + START_MS; ; await wait(50)) {
    try {
      await kubelet.call('Version', Buffer.alloc(0))
      if (execFileSync('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'ls'], { stdio: 'pipe' }).includes('io.cri-containerd.image=managed')) return
    } catch (error) {
      if (performance.now() > endMs) throw error
    }
    if (performance.now() > endMs) throw new Error('the image does not appear')
  }
}
