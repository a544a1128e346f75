/** Runs inside the guest: pods through a real containerd on cgroup v2, recorded; the recordings and what was asked of the runtime go to the shared directory. */
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { prove } from '../helpers/cri/proof.ts'
import { tracesOf } from '../helpers/leftovers.ts'

/** Compiled to build/lab/vm/cri-guest.js. */
const repository = fileURLToPath(new URL('../../..', import.meta.url))

async function main(share: string): Promise<void> {
  // The judge must not be among the dead.
  writeFileSync('/proc/self/oom_score_adj', '-1000')
  const tell = (about: string, result: unknown): void => appendFileSync(`${share}/results.jsonl`, `${JSON.stringify({ about, result })}\n`)
  // /run is in memory: a file system that the snapshotter and overlayfs can do anything on.
  const containerd = { directory: '/run/c', programs: `${repository}build/workloads`, cgroupRoot: '/oomscope-cri' }
  const proof = await prove({ main: `${repository}dist/cli/main.js`, scratch: '/run', containerd })
  for (const [key, name] of [['file', 'cri.oom'], ['unansweredFile', 'cri-late.oom']] as const) copyFileSync(proof[key], `${share}/${name}`)
  tell('proof', proof)
  tell('traces', tracesOf(containerd))
}

await main(process.argv[2] ?? '/run/share')
