/** What a node offers besides probes: where the memory controller is, PSI, the kernel log, the bridge. Never throws: what cannot be read is absent. */
import { accessSync, closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../base/errors.ts'
import { bridgePath } from './bridge-process.ts'

export type MemcgMount = { readonly version: 'v1' | 'v2'; readonly path: string }

export type NodeFacts = {
  readonly memcg?: MemcgMount
  /** Why the memory controller's tree cannot be read. */
  readonly memcgReason?: string
  /** Why only a part of the node's memcgs can be seen. */
  readonly memcgPartial?: string
  /** Why not every process of the node, or not everything of it, can be read; absent: all of it. */
  readonly processesPartial?: string
  /** Why slab caches are not told. */
  readonly slabReason?: string
  readonly psi: boolean
  readonly psiReason?: string
  readonly kmsg: boolean
  readonly kmsgReason?: string
  readonly bridge: string
  readonly bridgeReason?: string
}

/** Of the first node of every hierarchy (fs/kernfs/dir.c, kernfs_create_root). In a cgroup namespace the mount begins further down. */
const ROOT_INODE = 1

/** Looks at the running system; `root` stands before every path, for tests. */
export function readNodeFacts(root = ''): NodeFacts {
  const memcg = memcgMount(readText(join(root, '/proc/self/mountinfo')) ?? '', (mount) => readText(join(root, mount, 'cgroup.controllers')) ?? '')
  const psi = whyNot(() => readFileSync(join(root, '/proc/pressure/memory')))
  // Opened, not asked about: with kernel.dmesg_restrict the mode says yes and open() says no.
  const kmsg = whyNot(() => closeSync(openSync(join(root, '/dev/kmsg'), 'r')))
  const isPartial = memcg !== undefined && inodeOf(join(root, memcg.path)) !== ROOT_INODE
  const tree = memcg === undefined ? undefined : whyNot(() => readdirSync(join(root, memcg.path)))
  const processesPartial = processesPartialAt(root), slabReason = whyNot(() => closeSync(openSync(join(root, '/proc/slabinfo'), 'r')))
  const bridge = bridgePath(), bridgeReason = whyNot(() => accessSync(bridge, constants.X_OK))
  return {
    ...(memcg === undefined ? {} : { memcg }), ...(tree === undefined ? {} : { memcgReason: tree }),
    ...(isPartial ? { memcgPartial: 'not the root of the tree: what runs outside this cgroup is not seen' } : {}), ...(processesPartial === undefined ? {} : { processesPartial }), ...(slabReason === undefined ? {} : { slabReason }), psi: psi === undefined, ...(psi === undefined ? {} : { psiReason: psi }),
    kmsg: kmsg === undefined, ...(kmsg === undefined ? {} : { kmsgReason: kmsg }), bridge, ...(bridgeReason === undefined ? {} : { bridgeReason }),
  }
}

/** Inode of the first PID namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]'

/** What stands between us and the processes of the node, the worst first. */
function processesPartialAt(root: string): string | undefined {
  const namespace = linkOf(join(root, '/proc/self/ns/pid'))
  if (namespace !== undefined && namespace !== FIRST_PID_NAMESPACE) return 'this is a PID namespace of its own: processes outside it are not seen'
  if (readText(join(root, '/proc/1/status')) === undefined) return 'processes of others are hidden (/proc is mounted with hidepid)'
  if (whyNot(() => closeSync(openSync(join(root, '/proc/1/environ'), 'r'))) !== undefined) return 'sizes and command lines only: the settings in the environment of some processes cannot be read (no CAP_SYS_PTRACE)'
  return undefined
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    // An old kernel, or no /proc: nothing speaks against it.
    return undefined
  }
}

/** Where the memory controller is mounted, from /proc/self/mountinfo; on hybrid hosts v1 carries it and v2 is only for names. */
export function memcgMount(mountinfo: string, controllersOf: (mount: string) => string): MemcgMount | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - '), path = before.split(' ')[4], [type = '', , options = ''] = after.split(' ')
    return path === undefined ? [] : [{ path: unescapeMount(path), type, options: options.split(',') }]
  })
  const v1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('memory'))
  if (v1 !== undefined) return { version: 'v1', path: v1.path }
  const v2 = mounts.find(({ type, path }) => type === 'cgroup2' && controllersOf(path).split(/\s+/).includes('memory'))
  return v2 === undefined ? undefined : { version: 'v2', path: v2.path }
}

/** mountinfo writes blanks in paths as octal. */
const unescapeMount = (path: string): string => path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Absent on this node, or not for us: the fact is absent.
    return undefined
  }
}

function inodeOf(path: string): number {
  try {
    return statSync(path).ino
  } catch {
    // Whoever may not look at it is told so by the tree's own reason.
    return ROOT_INODE
  }
}

function whyNot(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}
