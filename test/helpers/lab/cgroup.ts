/** Memory cgroups that a test makes and removes itself, with the same words on v1 and v2. Names are bytes: the kernel allows nearly all of them. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'

export type MemcgVersion = 'v1' | 'v2'
/** Where the memory controller is mounted. */
export type MemcgMount = { readonly version: MemcgVersion; readonly directory: string }

const V1_ROOT = '/sys/fs/cgroup/memory', V2_ROOT = '/sys/fs/cgroup'

/** The memory controller of this machine, or undefined where no group of our own can be made. */
export function memcgMount(): MemcgMount | undefined {
  if (existsSync(`${V1_ROOT}/memory.limit_in_bytes`)) return { version: 'v1', directory: V1_ROOT }
  const controllers = existsSync(`${V2_ROOT}/cgroup.controllers`) ? readFileSync(`${V2_ROOT}/cgroup.controllers`, 'utf8') : ''
  return /\bmemory\b/.test(controllers) ? { version: 'v2', directory: V2_ROOT } : undefined
}

export type Limits = {
  readonly maxBytes?: number; readonly highBytes?: number; readonly oomGroup?: boolean
  /** Leave swap unlimited. v1 charges memory+swap first, and since 6.13 counts failures (failcnt) of memory alone. */
  readonly anySwap?: boolean; readonly swapMaxBytes?: number
}

/** Counters of memory.events(.local); on v1 only what memory.oom_control tells. */
export type MemcgEvents = { readonly oom?: number; readonly oomKill: number; readonly oomGroupKill?: number; readonly high?: number; readonly max?: number; readonly localOom?: number; readonly localOomKill?: number }

/** `\xNN` for every byte that a command line or a log could not carry. */
export const escaped = (bytes: Buffer): string => [...bytes].map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('')

function valueOf(text: string, key: string): number | undefined {
  const match = new RegExp(`^${key} (\\d+)$`, 'm').exec(text)
  return match === null ? undefined : Number(match[1])
}

/** One memory cgroup. `path` is relative to the controller's mount, as the kernel log prints it. */
export class Memcg {
  readonly bytes: Buffer
  private readonly mount: MemcgMount

  constructor(mount: MemcgMount, path: Buffer | string) {
    this.mount = mount
    this.bytes = Buffer.isBuffer(path) ? path : Buffer.from(path)
  }

  /** As a program shows it: bytes that are not UTF-8 become U+FFFD. */
  get path(): string { return this.bytes.toString('utf8') }
  get directory(): Buffer { return Buffer.concat([Buffer.from(this.mount.directory), this.bytes]) }
  get inode(): number { return statSync(this.directory).ino }

  child(name: Buffer | string): Memcg { return new Memcg(this.mount, Buffer.concat([this.bytes, Buffer.from('/'), Buffer.from(name)])) }

  /** Makes it, in a parent that exists; on v2 with the memory controller handed down from the root. */
  create(limits: Limits = {}): this {
    if (this.mount.version === 'v2') for (let at = 0; at >= 0; at = this.bytes.indexOf('/', at + 1)) delegate(this.mount, this.bytes.subarray(0, at))
    mkdirSync(this.directory)
    this.limit(limits)
    return this
  }

  limit({ maxBytes, highBytes, oomGroup, swapMaxBytes = 0, anySwap = false }: Limits): void {
    const v2 = this.mount.version === 'v2'
    if (maxBytes !== undefined) {
      this.write(v2 ? 'memory.max' : 'memory.limit_in_bytes', String(maxBytes))
      // No way out into swap: the limit is then also oom_badness()'s totalpages.
      const swap = v2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes'
      if (!anySwap && existsSync(this.file(swap))) this.write(swap, String(v2 ? swapMaxBytes : maxBytes + swapMaxBytes))
    }
    if (highBytes !== undefined) this.write('memory.high', String(highBytes))
    if (oomGroup !== undefined) this.write('memory.oom.group', oomGroup ? '1' : '0')
  }

  write(file: string, text: string): void { writeFileSync(this.file(file), text) }
  read(file: string): string { return readFileSync(this.file(file), 'utf8') }
  has(file: string): boolean { return existsSync(this.file(file)) }
  /** 0 for a counter that this kernel does not have. */
  number(file: string): number { return this.has(file) ? Number(this.read(file)) : 0 }
  /** One line of memory.stat. */
  stat(key: string): number | undefined { return valueOf(this.read('memory.stat'), key) }

  events(): MemcgEvents {
    if (this.mount.version === 'v1') return { oomKill: valueOf(this.read('memory.oom_control'), 'oom_kill') ?? 0 }
    const all = this.read('memory.events'), local = this.read('memory.events.local')
    const number = (text: string, key: string): number => valueOf(text, key) ?? 0
    return { oom: number(all, 'oom'), oomKill: number(all, 'oom_kill'), ...(valueOf(all, 'oom_group_kill') === undefined ? {} : { oomGroupKill: number(all, 'oom_group_kill') }), high: number(all, 'high'), max: number(all, 'max'), localOom: number(local, 'oom'), localOomKill: number(local, 'oom_kill') }
  }

  remove(): void { rmdirSync(this.directory) }

  private file(name: string): Buffer { return Buffer.concat([this.directory, Buffer.from(`/${name}`)]) }
}

function delegate(mount: MemcgMount, parent: Buffer): void {
  const file = Buffer.concat([Buffer.from(mount.directory), parent, Buffer.from('/cgroup.subtree_control')])
  if (!/\bmemory\b/.test(readFileSync(file, 'utf8'))) writeFileSync(file, '+memory')
}
