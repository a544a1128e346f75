/** What a container runtime of a test's own may leave behind: processes, mounts, cgroups. Named, and swept away. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export type RuntimePlace = {
  /** Of the runtime's own; everything it runs names this directory on its command line. */
  readonly directory: string
  /** All its containers lie below this cgroup. */
  readonly cgroupRoot: string
}

const RUNTIME = /(?:^|\/)(?:containerd(?:-shim[\w-]*)?|dockerd|conmon|podman|runc)$/

/** What is left of one. */
export const tracesOf = ({ directory, cgroupRoot }: RuntimePlace): string[] =>
  [...leftOver(directory).map((pid) => `process ${pid}`), ...mountsBelow(directory), ...hierarchies().map((hierarchy) => `${hierarchy}${cgroupRoot}`).filter((path) => existsSync(path))]

/** By force, whatever is left. */
export async function sweep({ directory, cgroupRoot }: RuntimePlace): Promise<void> {
  // One that dies may have somebody clean up after it.
  for (let pids = leftOver(directory); pids.length > 0; pids = leftOver(directory)) {
    for (const pid of pids) kill(pid)
    await wait(10)
  }
  for (const mount of mountsBelow(directory)) execFileSync('umount', ['-l', mount], { stdio: 'pipe' })
  // runc makes the tree in all hierarchies of v1.
  for (const hierarchy of hierarchies()) if (existsSync(`${hierarchy}${cgroupRoot}/cgroup.procs`)) await removeTree(`${hierarchy}${cgroupRoot}`)
  rmSync(directory, { recursive: true, force: true })
}

const hierarchies = (): string[] => (existsSync('/sys/fs/cgroup/cgroup.controllers') ? ['/sys/fs/cgroup'] : readdirSync('/sys/fs/cgroup').map((name) => `/sys/fs/cgroup/${name}`))

/** Also shims that outlived their daemon. One that is dead already has no command line. */
function leftOver(directory: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return RUNTIME.test(words[0] ?? '') && words.some((word) => word.includes(`${directory}/`))
    } catch {
      return false
    }
  })
}

const mountsBelow = (directory: string): string[] =>
  readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${directory}/`)).toReversed()

function kill(pid: number): void {
  try { process.kill(pid, 'SIGKILL') } catch { /* it is gone already */ }
}

/** Innermost first. */
async function removeTree(directory: string): Promise<void> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) await removeTree(`${directory}/${entry.name}`)
  for (let tries = 0; ; tries++) {
    for (const pid of readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean)) kill(Number(pid))
    try {
      rmdirSync(directory)
      return
    } catch (error) {
      // Its dead are still being buried.
      if (tries > 200) throw error
      await wait(25)
    }
  }
}
