/** The laboratory on the machine at hand, or why there can be none. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Memcg, memcgMount } from '../helpers/lab/cgroup.ts'
import { Lab } from '../helpers/lab/lab.ts'

export type HostLab = { readonly lab: Lab; readonly directory: string; readonly close: () => void } | { readonly reason: string }

const workloads = fileURLToPath(new URL('../workloads', import.meta.url)), programs = fileURLToPath(new URL('../../build/workloads', import.meta.url))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error))

/** A lab whose cgroups all lie below one of its own name. */
export async function hostLab(): Promise<HostLab> {
  if (process.getuid?.() !== 0) return { reason: 'real kills need root' }
  const mount = memcgMount(), root = `/oomscope-lab-${process.pid}`
  if (mount === undefined) return { reason: 'no memory controller is mounted at /sys/fs/cgroup' }
  try {
    new Memcg(mount, root).create().remove()
    execFileSync('make', ['-C', workloads], { stdio: 'pipe' })
  } catch (error) {
    return { reason: messageOf(error) }
  }
  const directory = mkdtempSync(`${tmpdir()}/oomscope-host-`), lab = new Lab({ place: 'host', mount, root, programs, scratch: directory })
  return { lab, directory, close: () => { lab.close(); rmSync(directory, { recursive: true, force: true }) } }
}
