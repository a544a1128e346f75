/** A terminal that stops reading (^S, a slow line, a pager of a colleague): the screen waits for it, what happens meanwhile is not lost. */
import { readFileSync, readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { container } from '../helpers/lab/pods.ts'
import { MIB } from '../helpers/lab/scenarios-limits.ts'
import { Tui } from '../helpers/pty.ts'
import { skip } from '../helpers/skip.ts'
import { inLab } from './host-lab.ts'

const BORN = 100

/** Does it hang in a call to the kernel that writes to its terminal? proc_pid_syscall(5). */
function waitsForTerminal(pid: number): boolean {
  const fd = /^\d+ (0x[0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/syscall`, 'latin1'))?.[1]
  try { return fd !== undefined && readlinkSync(`/proc/${pid}/fd/${Number(fd)}`).startsWith('/dev/pts/') } catch { return false }
}

test('a kill and a hundred births while nobody reads the terminal are all told when somebody does, and nothing is lost', (context) => inLab(context, async ({ lab }) => {
  try { readFileSync('/proc/self/syscall') } catch { skip(context, 'this kernel does not tell in which call a process hangs (/proc/PID/syscall)') }
  const group = container(lab, 'unread', { maxBytes: 48 * MIB }), grower = await lab.hog({ cgroup: group, name: 'grower', touchMib: 3, growToMib: 61 })
  const screen = new Tui('node', [CLI, 'live', '--no-probes', '--no-names', '--no-settings'], { cols: 200, rows: 50 })
  try {
    await screen.see('● LIVE')
    screen.process.pause()
    // Each theme paints every cell anew, until the terminal takes no more.
    await expect.poll(() => { screen.keys('x'); return waitsForTerminal(screen.process.pid) }).toBe(true)
    for (let i = 0; i < BORN; i++) lab.memcg(`/born-${i}`)
    await lab.grow(grower)
    expect((await grower.workload.exited).signal).toBe('SIGKILL')
    expect(waitsForTerminal(screen.process.pid)).toBe(true)
    screen.process.resume()
    screen.keys('/born-')
    await screen.see(`${BORN} of `)
    screen.keys('\rK')
    await screen.see(/grower \d+/)
    screen.keys('6')
    await screen.see('can this picture be trusted')
    expect(screen.text()).not.toMatch(/facts lost at|\) unreadable/)
    screen.keys('q')
    expect(await screen.ended()).toBe(0)
  } finally { screen.kill() }
}))
