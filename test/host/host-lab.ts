/** The laboratory on the machine at hand, or why there can be none. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'vitest'
import { Memcg, memcgMount } from '../helpers/lab/cgroup.ts'
import { Lab } from '../helpers/lab/lab.ts'
import { skip } from '../helpers/skip.ts'

export type OpenLab = { readonly lab: Lab; readonly directory: string; readonly close: () => void }
export type HostLab = OpenLab | { readonly reason: string }

const workloads = fileURLToPath(new URL('../workloads', import.meta.url)), programs = fileURLToPath(new URL('../../build/workloads', import.meta.url))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error))

/** Runs in a lab of its own, and clears up; or is skipped by name. */
export async function inLab(context: TestContext, run: (host: OpenLab) => Promise<void>): Promise<void> {
  const host = await hostLab()
  if ('reason' in host) return skip(context, host.reason)
  try {
    await run(host)
  } finally {
    await host.lab.clear()
    host.close()
  }
}

/** Why no probe can be had here at all: then nothing of this level can be told. */
function probesRefused(): string | undefined {
  if (!['/sys/kernel/tracing/events', '/sys/kernel/debug/tracing/events'].some((path) => existsSync(path))) return 'no tracefs is mounted'
  try {
    execFileSync('bpftrace', ['-e', 'interval:ms:1 { exit(); }'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `bpftrace cannot run: ${messageOf(error)}`
  }
}

/** include/uapi/linux/magic.h: files there are shared memory, which no reclaim can give back without swap. */
const TMPFS_MAGIC = 0x01021994

/** A directory of our own on a file system with page cache, where there is one. */
function scratchDirectory(): string {
  const places = [fileURLToPath(new URL('../../build', import.meta.url)), tmpdir(), '/var/tmp']
  return mkdtempSync(`${places.find((place) => existsSync(place) && statfsSync(place).type !== TMPFS_MAGIC) ?? tmpdir()}/oomscope-host-`)
}

/** A lab whose cgroups all lie below one of its own name. */
export async function hostLab(): Promise<HostLab> {
  if (process.getuid?.() !== 0) return { reason: 'real kills need root' }
  const refused = probesRefused(), mount = memcgMount(), root = `/oomscope-lab-${process.pid}`
  if (mount === undefined) return { reason: 'no memory controller is mounted at /sys/fs/cgroup' }
  if (refused !== undefined) return { reason: refused }
  try {
    new Memcg(mount, root).create().remove()
    execFileSync('make', ['-C', workloads], { stdio: 'pipe' })
  } catch (error) {
    return { reason: messageOf(error) }
  }
  const directory = scratchDirectory(), lab = new Lab({ place: 'host', mount, root, programs, scratch: directory })
  return { lab, directory, close: () => { lab.close(); rmSync(directory, { recursive: true, force: true }) } }
}
