/** Runs inside the guest, below systemd, as on a node of Kubernetes: services, and pods through a real containerd with the systemd driver, recorded. */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { prove } from '../helpers/cri/proof.ts'
import { proveUnits } from '../helpers/lab/units.ts'
import { tracesOf } from '../helpers/leftovers.ts'

/** Compiled to build/lab/vm/node-guest.js. */
const repository = fileURLToPath(new URL('../../..', import.meta.url)), programs = `${repository}build/workloads`, program = `${repository}dist/cli/main.js`

async function main(share: string): Promise<void> {
  // The judge must not be among the dead.
  writeFileSync('/proc/self/oom_score_adj', '-1000')
  const tell = (about: string, result: unknown): void => appendFileSync(`${share}/results.jsonl`, `${JSON.stringify({ about, result })}\n`)
  await proveUnits(program, '/run/units.oom', programs)
  copyFileSync('/run/units.oom', `${share}/units.oom`)
  tell('units', {})
  // /run is in memory: a file system that the snapshotter and overlayfs can do anything on.
  const containerd = { directory: '/run/c', programs, cgroupRoot: '/kubepods.slice', driver: 'systemd' as const }
  const proof = await prove({ main: program, scratch: '/run', containerd })
  for (const [key, name] of [['file', 'cri.oom'], ['unansweredFile', 'cri-late.oom']] as const) copyFileSync(proof[key], `${share}/${name}`)
  tell('proof', proof)
  tell('traces', tracesOf(containerd))
}

await main(process.argv[2] ?? '/run/share')
