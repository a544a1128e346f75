/** The launcher gives the terminal back after deaths that no program survives, and is otherwise not noticed. */
import { afterEach, beforeAll, expect, it } from 'vitest'
import { buildAppUnderTest, ROOT, SHELL_MODES, Tui } from '../helpers/pty.ts'

const LAUNCHER = `${ROOT}src/cli/oomscope.sh`
let app: string
let tui: Tui | undefined
beforeAll(() => { app = buildAppUnderTest() })
afterEach(({ task }) => { tui?.picture(`launcher ${task.name}`); tui?.kill(); tui = undefined })

/** Runs the launcher under a shell that afterwards prints the terminal's line discipline and the exit code. */
async function start(): Promise<Tui> {
  tui = new Tui('sh', ['-c', `sh ${LAUNCHER}; echo "code $?"; stty -a | tr ' ' '\\n' | grep -xE '[-]?(icanon|echo)' | tr '\\n' ' '`], { env: { OOMSCOPE_MAIN: app } })
  await tui.until((t) => t.frames >= 1, 'the first frame')
  return tui
}

it.each([['SIGKILL', 137, true], ['SIGABRT', 134, true], ['SIGSEGV', 139, true], ['SIGHUP', 129, false], ['SIGTERM', 143, false], ['SIGQUIT', 131, false], ['SIGINT', 130, false]] as const)('the terminal is as before after %s, exit code %i', async (signal, code, said) => {
  const t = await start()
  process.kill(t.childNamed('node'), signal)
  await t.see(`code ${code}`)
  await t.ended()
  expect(t.modes()).toEqual(SHELL_MODES)
  expect(t.text()).toMatch(/code \d+\nicanon echo|code \d+\necho icanon/)
  expect(t.text().includes('oomscope was ended by signal')).toBe(said)
})

it('passes keys through and keeps the exit code of a normal end', async () => {
  const t = await start()
  t.keys('?')
  await t.see('Keys')
  t.keys('q')
  await t.see('code 0')
})

it.each([['SIGTERM', 143], ['SIGQUIT', 131], ['SIGHUP', 129], ['SIGINT', 130]] as const)('passes %s sent to the launcher on to the program', async (signal, code) => {
  tui = new Tui('sh', [LAUNCHER], { env: { OOMSCOPE_MAIN: app } })
  await tui.until((t) => t.frames >= 1, 'the first frame')
  tui.signal(signal)
  expect(await tui.ended()).toBe(code)
  expect(tui.modes()).toEqual(SHELL_MODES)
})

it('stops with the program on ^Z, so that the shell comes back, and goes on with it', async () => {
  tui = new Tui('bash', ['--norc', '--noprofile', '-i'], { env: { OOMSCOPE_MAIN: app, OOMSCOPE_LAUNCHER_UNDER_TEST: LAUNCHER, PS1: 'shell> ' } })
  await tui.see('shell> ')
  tui.keys('sh $OOMSCOPE_LAUNCHER_UNDER_TEST\r')
  await tui.until((t) => t.frames >= 1, 'the first frame')
  tui.keys('\x1a')
  await tui.see('Stopped')
  tui.keys('fg\r')
  await tui.until((t) => t.modes().alternate && t.text().includes('USED/LIMIT'), 'the screen again')
  tui.keys('q')
  await tui.until((t) => !t.modes().alternate && /shell> $/.test(`${t.text().trimEnd()} `), 'the shell again')
})
