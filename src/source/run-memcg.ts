/**
 * A memory cgroup of our own for one command: made where this process may make one, removed with everything in it.
 * v2: cgroup-v2.rst, "No internal process constraint" and "Delegation"; v1: cgroup-v1/memory.rst.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { environmentError, errnoOf, reasonOf } from '../base/errors.ts'
import { readNodeFacts } from './node-facts.ts'
import type { MemcgMount } from './node-facts.ts'

export type RunLimits = {
  readonly maxBytes?: number
  /** With a limit: what may go to swap besides. A container of Kubernetes without NodeSwap has none, so 0 unless asked for. */
  readonly swapBytes?: number
  /** All die together, as containers of kubelet 1.28 and later do on cgroup v2. */
  readonly oomGroup?: boolean
}

/** What is said when the kernel lets us make none. */
const HINT = 'run it as root, or in a cgroup of your own: systemd-run --user --scope -p Delegate=yes oomscope run …'
const refused = (why: string, cause?: unknown): Error => environmentError({ code: 'no-memcg', message: `cannot make a memory cgroup for the command: ${why}`, hint: HINT, cause })

const NAMES = {
  v1: { max: 'memory.limit_in_bytes', swap: 'memory.memsw.limit_in_bytes', peak: 'memory.max_usage_in_bytes', current: 'memory.usage_in_bytes' },
  v2: { max: 'memory.max', swap: 'memory.swap.max', peak: 'memory.peak', current: 'memory.current' },
} as const

export class RunMemcg {
  /** Relative to the controller's mount, as the stream names it. */
  readonly path: string
  readonly directory: string
  /** `stat -c %i`: what the stream calls it. */
  readonly memcgId: number
  private readonly version: 'v1' | 'v2'

  constructor(mount: MemcgMount, path: string) {
    this.version = mount.version
    this.path = path
    this.directory = join(mount.path, path)
    this.memcgId = statSync(this.directory).ino
  }

  /** Who writes its pid here lives in it from then on. */
  get procsFile(): string { return join(this.directory, 'cgroup.procs') }

  limit({ maxBytes, swapBytes = 0, oomGroup }: RunLimits): void {
    const { max, swap } = NAMES[this.version]
    if (maxBytes !== undefined) {
      this.write(max, String(maxBytes))
      // Kernels without swap accounting have no such file, and nothing to forbid.
      if (this.has(swap)) this.write(swap, String(this.version === 'v1' ? maxBytes + swapBytes : swapBytes))
    }
    if (oomGroup !== true) return
    if (!this.has('memory.oom.group')) throw environmentError({ code: 'no-oom-group', message: 'cannot kill the command as a group: this node has cgroup v1', hint: 'leave --oom-group out' })
    this.write('memory.oom.group', '1')
  }

  /** The highest usage since it was made, counted by the kernel at every charge; absent before 5.19 on v2. */
  peakBytes(): number | undefined { return this.number(NAMES[this.version].peak) }
  currentBytes(): number | undefined { return this.number(NAMES[this.version].current) }

  /** Everybody in it, in cgroups below it too. */
  pids(): number[] { return pidsBelow(this.directory) }

  /** Those that are in it now. */
  kill(): void { for (const pid of this.pids()) killHard(pid) }

  /** Ends whatever the command left behind, as a container does when its first process ends, and removes it. False when it is still busy after two seconds; throws what else the system says. */
  async remove(): Promise<boolean> {
    const TRIES = 200, PAUSE_MS = 10
    for (let tries = 0; ; tries += 1) {
      this.kill()
      try {
        removeTree(this.directory)
        return true
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return true
        // The killed have not left yet: they wait for a disk, or have much memory to give back.
        if (errnoOf(error) !== 'EBUSY') throw error
        if (tries >= TRIES) return false
      }
      await pause(PAUSE_MS)
    }
  }

  /** The same within two seconds (on a busy machine the dead take their time), for the end of this process: nothing can be awaited then. */
  readonly abandon = (): void => {
    const TRIES = 400, PAUSE_MS = 5, nothing = new Int32Array(new SharedArrayBuffer(4))
    for (let tries = 0; tries < TRIES; tries += 1) {
      this.kill()
      if (isRemoved(this.directory)) return
      Atomics.wait(nothing, 0, 0, PAUSE_MS)
    }
  }

  private write(file: string, text: string): void { writeFileSync(join(this.directory, file), text) }
  private has(file: string): boolean { return statSync(join(this.directory, file), { throwIfNoEntry: false }) !== undefined }

  private number(file: string): number | undefined {
    try {
      const text = readFileSync(join(this.directory, file), 'utf8').trim()
      return /^\d+$/.test(text) ? Number(text) : undefined
    } catch {
      // The kernel has no such file: the number is not known.
      return undefined
    }
  }
}

/** Named after the process that made it. */
const RUN_NAME = /\/oomscope-run-(\d+)$/

/** Makes one below our own cgroup, or as near to it as the kernel allows. Throws a UserError (exit 3) where it does not. */
export function makeRunMemcg(limits: RunLimits): RunMemcg {
  const { memcg: mount } = readNodeFacts()
  if (mount === undefined) throw refused('no memory controller is mounted')
  const own = ownPath(mount.version)
  let why: unknown
  for (let parent = own; ; parent = dirname(parent)) {
    try {
      return made(mount, { parent, name: `oomscope-run-${process.pid}`, limits, isOwn: parent === own })
    } catch (error) {
      why ??= error
    }
    if (parent === '/') throw refused(`${own}: ${reasonOf(why)}`, why)
  }
}

type Place = { readonly parent: string; readonly name: string; readonly limits: RunLimits; readonly isOwn: boolean }

function made(mount: MemcgMount, { parent, name, limits, isOwn }: Place): RunMemcg {
  const above = join(mount.path, parent)
  if (mount.version === 'v2') handDown(above, isOwn)
  sweep(above)
  mkdirSync(join(above, name))
  try {
    const memcg = new RunMemcg(mount, join(parent, name))
    memcg.limit(limits)
    return memcg
  } catch (error) {
    rmdirSync(join(above, name))
    throw error
  }
}

/** The line of the controller's hierarchy in /proc/self/cgroup: cgroups(7). Below a mount that begins further down it is already relative to that. */
function ownPath(version: 'v1' | 'v2'): string {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    const isIt = version === 'v2' ? line.startsWith('0::') : controllers.split(',').includes('memory')
    // `/..` begins the path of who stands outside the cgroup namespace.
    if (isIt) return path.startsWith('/') && !path.startsWith('/..') ? path : '/'
  }
  return '/'
}

/** Gives the memory controller to the children; our own cgroup must have no process in it for that, so we step down into a leaf. */
function handDown(directory: string, isOwn: boolean): void {
  const control = join(directory, 'cgroup.subtree_control')
  if (readFileSync(control, 'utf8').split(/\s+/).includes('memory')) return
  try {
    writeFileSync(control, '+memory')
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY' || !isOwn) throw error
    const leaf = join(directory, 'oomscope-itself'), all = processesIn(directory)
    // Others of this cgroup are not ours to move.
    if (all.some((pid) => pid !== process.pid && pid !== process.ppid)) throw error
    mkdirSync(leaf, { recursive: true })
    for (const pid of all) writeFileSync(join(leaf, 'cgroup.procs'), String(pid))
    writeFileSync(control, '+memory')
  }
}

const processesIn = (directory: string): number[] => readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)

function childrenOf(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(directory, entry.name)] : []))
}

function pidsBelow(directory: string): number[] {
  try {
    return [...processesIn(directory), ...childrenOf(directory).flatMap(pidsBelow)]
  } catch {
    // Gone between two looks: nobody is in it.
    return []
  }
}

/** What an earlier run left because it was killed itself: empty by now, or somebody else's. */
function sweep(directory: string): void {
  for (const child of childrenOf(directory)) {
    const pid = RUN_NAME.exec(child)?.[1]
    if (pid !== undefined && statSync(`/proc/${pid}`, { throwIfNoEntry: false }) === undefined) isRemoved(child)
  }
}

function isRemoved(directory: string): boolean {
  try {
    removeTree(directory)
    return true
  } catch (error) {
    return errnoOf(error) === 'ENOENT'
  }
}

/** Deepest first: a cgroup with children cannot be removed. */
function removeTree(directory: string): void {
  for (const child of childrenOf(directory)) removeTree(child)
  rmdirSync(directory)
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}
