/** One vitest project per level of proof; `make test` runs all of them. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Levels that use real processes, cgroups or terminals run one file at a time: they share the machine's kernel. */
const level = (name: string, testTimeout: number, alone = false) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, pool: 'forks' as const, fileParallelism: !alone },
})

export default defineConfig({
  root,
  test: {
    reporters: ['default', fileURLToPath(new URL('helpers/summary-reporter.ts', import.meta.url))],
    projects: [
      level('structure', 10_000), level('unit', 10_000), level('contract', 60_000), level('golden', 20_000), level('fuzz', 60_000),
      level('host', 180_000, true), level('pty', 60_000, true), level('vm', 1_500_000, true),
    ],
  },
})
