/** Services of a real systemd while oomscope records: one that lives, one that dies at its limit, one that is started again. Plain node. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { recorded, untilTold } from './recorder.ts'

export const UNIT_LIMIT = 24 << 20
/** In the order they are used. */
export const UNITS = { quiet: 'oomscope-lab-quiet.service', greedy: 'oomscope-lab-greedy.service', again: 'oomscope-lab-again.service' } as const
export const descriptionOf = (unit: string): string => `The lab's own (${unit}) = a test; "quoted"`

const systemctl = (...args: readonly string[]): string => execFileSync('systemctl', args, { encoding: 'utf8', stdio: 'pipe' })

function write(unit: string, command: string, more = ''): void {
  writeFileSync(`/run/systemd/system/${unit}`, `[Unit]\nDescription=${descriptionOf(unit)}\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nMemoryMax=${UNIT_LIMIT}\nMemorySwapMax=0\nExecStart=${command}\n${more}`)
}

/** Leaves the recording in `file`. */
export async function proveUnits(main: string, file: string, programs: string): Promise<void> {
  mkdirSync('/run/systemd/system', { recursive: true })
  write(UNITS.quiet, `${programs}/eater --mib 4`)
  write(UNITS.greedy, `${programs}/eater --mib 100 --after-ms 20`)
  // The first time it eats too much.
  write(UNITS.again, `/bin/sh -c 'test -e /run/ate && exec ${programs}/eater --mib 4; touch /run/ate; exec ${programs}/eater --mib 100'`, 'Restart=on-failure\nRestartSec=100ms\n')
  systemctl('daemon-reload')
  systemctl('start', UNITS.quiet)
  // Without probes: what the kernel's log says of a kill is enough to ask.
  await recorded(main, { file, options: ['--cri', 'off', '--no-probes'] }, async () => {
    systemctl('start', '--no-block', UNITS.greedy)
    await untilTold(main, file, (text) => text.includes(`systemd says of service ${UNITS.greedy}: exited`))
    systemctl('start', '--no-block', UNITS.again)
    await untilTold(main, file, (text) => new RegExp(`"unit":"${UNITS.again}"[^}]*"restarts":1`).test(text))
  })
  systemctl('stop', UNITS.quiet, UNITS.again)
}
