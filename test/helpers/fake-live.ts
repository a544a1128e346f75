/** A live source whose bridge is test/helpers/fake-bridge.mjs; every start, its arguments and its script are on record. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const FAKE_BRIDGE = fileURLToPath(new URL('fake-bridge.mjs', import.meta.url))

/** One start of the bridge: see fake-bridge.mjs. `frames` go to stdout. */
export type FakeRun = { readonly frames?: readonly Uint8Array[]; readonly stderr?: string; readonly then?: number | string; readonly ignoreTerm?: boolean; readonly loop?: boolean; /** Sent again and again. */ readonly ticks?: readonly Uint8Array[] }
export type FakeStart = { readonly pid: number; readonly args: readonly string[]; readonly script?: string }
export type FakeBridge = { readonly env: { readonly OOMSCOPE_BRIDGE: string; readonly OOMSCOPE_FAKE: string }; readonly starts: () => FakeStart[] }

export function fakeBridge(directory: string, runs: readonly FakeRun[]): FakeBridge {
  const log = join(directory, 'starts.jsonl')
  const files = runs.map(({ frames = [], ticks, ...rest }, i) => {
    const file = join(directory, `frames-${i}`)
    writeFileSync(file, Buffer.concat(frames))
    if (ticks === undefined) return { ...rest, file }
    writeFileSync(`${file}-ticks`, Buffer.concat(ticks))
    return { ...rest, file, ticks: `${file}-ticks` }
  })
  return {
    env: { OOMSCOPE_BRIDGE: FAKE_BRIDGE, OOMSCOPE_FAKE: JSON.stringify({ runs: files, log }) },
    starts: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as FakeStart) : []),
  }
}

/** A bpftrace that accepts every script without the word `bad`; for code that tries scripts. */
export function fakeBpftrace(directory: string): string {
  const path = join(directory, 'bpftrace')
  writeFileSync(path, `#!/bin/sh
case "$*" in *--version*) echo 'bpftrace v0.99.0'; exit 0;; *--help*) echo '--dry-run'; exit 0;; esac
case "$*" in *bad*) echo "stdin:1:1: ERROR: bad is not allowed" >&2; exit 1;; esac
exit 0
`)
  chmodSync(path, 0o755)
  return path
}
