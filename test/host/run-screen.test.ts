/** `oomscope run` on the screen: the command's own terminal in a pane, its keys, its memory beside it, and what it came to. */
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { CLI } from '../helpers/cli.ts'
import { SHELL_MODES, Tui } from '../helpers/pty.ts'
import { inLab, type OpenLab } from './host-lab.ts'
import { leftovers } from './run-leftovers.ts'

const LAUNCHER = join(dirname(CLI), 'oomscope.sh')

/** Runs with a screen of this size; always ended, and nothing may be left of it. */
async function onScreen(host: OpenLab, { args = [], command, cols = 80, rows = 24 }: { readonly args?: readonly string[]; readonly command: string; readonly cols?: number; readonly rows?: number }, look: (screen: Tui) => Promise<void>): Promise<void> {
  const screen = new Tui(LAUNCHER, ['run', '--no-probes', '--no-settings', ...args, '--', 'sh', '-c', command], { cols, rows })
  try {
    await look(screen)
  } finally { screen.kill() }
  expect(leftovers(host.lab.options.mount.directory)).toEqual([])
}

test('what is typed reaches the command, not the screen; ^] leads to the pages and back', (context) => inLab(context, (host) => onScreen(host, { command: 'printf "\\033[31mred\\033[0m\\n"; stty size; read line; echo "read <$line>"; read other' }, async (screen) => {
  await screen.see(/^red$/m)
  expect(screen.cell(0, screen.lines().indexOf('red'))).toMatchObject({ char: 'r', fg: 1 })
  screen.keys('q?K\r')
  await screen.see('read <q?K>')
  screen.picture('run 80x24')
  screen.keys('\u001d')
  await screen.see('WORKLOAD')
  screen.keys('?')
  await screen.see('All times are UTC')
  screen.keys('\u001d')
  await screen.see('read <q?K>')
  screen.keys('\r')
  await screen.see('what it came to')
  screen.keys('q')
  expect(await screen.ended()).toBe(0)
  expect(screen.modes()).toEqual(SHELL_MODES)
  expect(screen.text()).toContain('exit 0')
})))

test('a long paste reaches the command whole: no letter is broken where one read ends and the next begins', (context) => inLab(context, (host) => {
  const line = 'ä€'.repeat(12), lines = 300
  return onScreen(host, { command: `stty -echo; echo ready; n=0; while [ $n -lt ${lines} ] && read -r line; do [ "$line" = ${line} ] || echo broken; n=$((n + 1)); done; echo "$n lines"; read end` }, async (screen) => {
    await screen.see('ready')
    screen.keys(`${line}\r`.repeat(lines))
    await screen.see(`${lines} lines`)
    expect(screen.text()).not.toContain('broken')
    screen.keys('\r')
    await screen.see('what it came to')
    screen.keys('q')
    expect(await screen.ended()).toBe(0)
  })
}))

test('a kill at the limit: seen while the screen is up, told in the summary, exit 137', (context) => inLab(context, (host) => {
  const hog = join(host.lab.options.programs, 'hog')
  return onScreen(host, { args: ['--limit', '48Mi'], cols: 130, rows: 40, command: `read go; echo g | exec ${hog} --name grower --touch 30 --grow-to 60` }, async (screen) => {
    await screen.see('its memory')
    await screen.see('of 48 MiB')
    screen.picture('run 130x40')
    screen.keys('\r')
    await screen.see('what it came to')
    await screen.see('reached its memory limit of 48 MiB')
    screen.picture('run killed 130x40')
    screen.keys('q')
    expect(await screen.ended()).toBe(137)
    expect(screen.modes()).toEqual(SHELL_MODES)
  })
}))

test('q on another page asks first while the command runs; the second q ends it', (context) => inLab(context, (host) => onScreen(host, { command: 'trap "exit 5" TERM; echo up; while :; do sleep 0.05; done' }, async (screen) => {
  await screen.see('up')
  screen.keys('\u001d')
  await screen.see('WORKLOAD')
  screen.keys('q')
  await screen.see('the command is still running')
  screen.keys('q')
  expect(await screen.ended()).toBe(5)
  expect(screen.modes()).toEqual(SHELL_MODES)
})))

test('a click on ^] leads to the pages and back; any other click is not the command\'s, nor ours', (context) => inLab(context, (host) => onScreen(host, { command: 'read line; echo "read <$line>"' }, async (screen) => {
  const click = (text: string): void => { const y = screen.rowOf(text), x = screen.lines()[y]?.indexOf(text) ?? 0; screen.keys(`\u001b[<0;${x + 1};${y + 1}M\u001b[<0;${x + 1};${y + 1}m`) }
  await screen.see('all other keys')
  click('go to the command')
  click('the pages of oomscope')
  await screen.see('WORKLOAD')
  click('^]')
  await screen.see('all other keys')
  screen.keys('x\r')
  await screen.see('read <x>')
  await screen.see('what it came to')
  screen.keys('q')
  expect(await screen.ended()).toBe(0)
})))

test('other moments can be looked at on the pages, while the command runs and after it; its own page is the present', (context) => inLab(context, (host) => onScreen(host, { cols: 120, rows: 40, command: 'echo up; read line; echo "read <$line>"; read other' }, async (screen) => {
  await screen.see(/^up/m)
  screen.keys('\u001d')
  await screen.see('WORKLOAD')
  await screen.see('● LIVE')
  screen.keys('h')
  await screen.see('■ PAUSED')
  screen.keys('\u001d')
  await screen.see('● LIVE')
  await screen.see(/^up/m)
  screen.keys('one\r')
  await screen.see('read <one>')
  screen.keys('\r')
  await screen.see('what it came to')
  screen.keys('hT')
  await screen.see('● LIVE')
  screen.keys('\u001d')
  await screen.see('WORKLOAD')
  screen.keys('h')
  await screen.see('■ PAUSED')
  screen.keys('\u001b[F')
  await screen.see('● LIVE')
  screen.keys('q')
  expect(await screen.ended()).toBe(0)
})))

test('a resize reaches the command', (context) => inLab(context, (host) => onScreen(host, { command: 'trap "stty size" WINCH; echo up; while :; do sleep 0.05; done' }, async (screen) => {
  await screen.see('up')
  screen.resize(140, 50)
  await screen.see(/46 98|\b98\b/)
  screen.keys('\u0003')
  await screen.see('what it came to')
  screen.keys('q')
  expect(await screen.ended()).toBe(130)
})))

test('SIGTERM to oomscope gives the terminal back and reaches the command', (context) => inLab(context, (host) => onScreen(host, { command: 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done' }, async (screen) => {
  await screen.see('up')
  screen.signal('SIGTERM')
  expect(await screen.ended()).toBe(9)
  expect(screen.modes()).toEqual(SHELL_MODES)
})))
