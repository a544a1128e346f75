/** The bridge alone, without probes, over one part of the cgroup tree; what it says is kept as a recording. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Unpackr } from 'msgpackr'
import type { MemcgMount } from './cgroup.ts'

/** This file runs where it stands, and for a guest compiled to build/lab. */
const BRIDGE = ['../../..', '../../../..'].map((root) => fileURLToPath(new URL(`${root}/dist/native/oomscope-bridge`, import.meta.url))).find(existsSync) ?? 'oomscope-bridge'

/** Of a frame (src/README.md); the length of its payload is at 4. */
const HEADER_BYTES = 24

/** What a process holds open: descriptors, and names watched through inotify. */
export type Held = { readonly descriptors: number; readonly watches: number }

export class BridgeRun {
  /** Everything that was read of it, in whole chunks: its end may be cut until `end`. */
  readonly file: string
  private readonly child: ChildProcessByStdio<null, Readable, null>
  private readonly closed: Promise<unknown>

  private constructor(child: ChildProcessByStdio<null, Readable, null>, file: string) {
    this.child = child
    this.file = file
    this.closed = once(child, 'close')
    child.stdout.on('data', (chunk: Buffer) => { appendFileSync(file, chunk) })
  }

  /** Runs once it has read everything below `root` for the first time. */
  static async start(mount: MemcgMount, root: string, file: string, args: readonly string[] = []): Promise<BridgeRun> {
    const child = spawn(BRIDGE, ['--no-kmsg', '--no-psi', '--memcg-root', root, '--memcg-version', mount.version, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const run = new BridgeRun(child, file)
    await once(child.stdout, 'data')
    return run
  }

  get pid(): number { return this.child.pid ?? 0 }

  /** What it has said until now of kinds with these numbers, as rows: [number, tsNs, …fields]. */
  said(...numbers: readonly number[]): unknown[][] {
    const bytes = readFileSync(this.file), unpackr = new Unpackr({ int64AsType: 'number' }), rows: unknown[][] = []
    for (let at = 0, end: number; at + HEADER_BYTES <= bytes.length && (end = at + HEADER_BYTES + bytes.readUInt32LE(at + 4)) <= bytes.length; at = end) {
      unpackr.unpackMultiple(bytes.subarray(at + HEADER_BYTES, end), (row: unknown[]) => { if (numbers.includes(row[0] as number)) rows.push(row) })
    }
    return rows
  }

  /** What it keeps: the same at two looks, so that a file that it reads and closes is none of it. */
  async held(): Promise<Held> {
    for (let last = this.heldNow(); ;) {
      await pause(20)
      const held = this.heldNow()
      if (held.descriptors === last.descriptors && held.watches === last.watches) return held
      last = held
    }
  }

  private heldNow(): Held {
    const held = readdirSync(`/proc/${this.pid}/fd`).flatMap((fd) => this.infoOf(fd) ?? [])
    return { descriptors: held.length, watches: held.reduce((sum, info) => sum + (info.match(/^inotify /gm)?.length ?? 0), 0) }
  }

  /** Nothing of one that was closed since it was listed. */
  private infoOf(fd: string): string | undefined {
    try {
      return readFileSync(`/proc/${this.pid}/fdinfo/${fd}`, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Asks it to end, and waits until it has said everything. */
  async end(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.closed
  }
}
