/** `make demo-recording`: records docs/demo.oom anew, in a guest. */
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { forget, GUESTS, runGuest } from './guests.ts'

const DEMO = fileURLToPath(new URL('../../docs/demo.oom', import.meta.url))

test('the story is recorded', async () => {
  const ran = await runGuest(GUESTS.at(-1) ?? { kernel: '6.12', bpftrace: 'system' }, 'demo-guest')
  if ('skipped' in ran) throw new Error(ran.skipped)
  const made = join(ran.share, 'demo.oom'), isMade = existsSync(made)
  if (isMade) copyFileSync(made, DEMO)
  console.log(ran.console)
  forget(ran)
  expect(isMade).toBe(true)
})
