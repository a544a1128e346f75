/** One vitest project per level of proof; `make test` runs all of them. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Levels that use real processes, cgroups or terminals run one file at a time: they share the machine's kernel. Guests have kernels of their own:
 * `make test` runs them beside host and pty, in a second vitest. The limits end what hangs;
 * what is slow is far from them, also on a machine many times slower than the one it was written on.
 */
const level = (name: string, testTimeout: number, alone = false) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, expect: { poll: { interval: 20, timeout: testTimeout / 2 } }, pool: 'forks' as const, fileParallelism: !alone },
})

/** No level of proof: `make demo-recording`. */
const recording = { extends: true as const, test: { name: 'demo', include: ['test/vm/demo.recording.ts'], testTimeout: 900_000 } }

export default defineConfig({
  root,
  test: {
    reporters: ['default', fileURLToPath(new URL('helpers/summary-reporter.ts', import.meta.url))],
    projects: [
      level('structure', 60_000), level('unit', 60_000), level('contract', 300_000), level('golden', 120_000), level('fuzz', 300_000),
      level('host', 900_000, true), level('pty', 300_000, true), level('vm', 2_400_000, true),
      ...(process.env['OOMSCOPE_RECORD_DEMO'] === '1' ? [recording] : []),
    ],
  },
})
