import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { screenOptions } from '../../../src/cli/screen-options.ts'
import { openSettings, settingsPath } from '../../../src/cli/settings.ts'
import { formatSettings, parseSettings } from '../../../src/tui/settings.ts'
import { themeFor } from '../../../src/tui/theme.ts'
import { freshDirectories } from '../../helpers/files.ts'

const fresh = freshDirectories()
const pathIn = (home: string): string => join(home, '.config/oomscope/settings.json')
function written(text: string): { readonly HOME: string } {
  const home = fresh()
  mkdirSync(dirname(pathIn(home)), { recursive: true })
  writeFileSync(pathIn(home), text)
  return { HOME: home }
}

describe('settings', () => {
  test('survive being written and read', () => {
    const settings = { theme: 'light', sort: { key: 'used', inverted: true }, hiddenColumns: ['full', 'high'], keys: 'below', mouse: false } as const
    expect(parseSettings(formatSettings(settings))).toEqual(settings)
  })
  test('leave out what is not understood and never the name of a workload', () => {
    expect(parseSettings('{"theme":"pink","sort":{"key":"nonsense"},"hiddenColumns":["name","full","later",7],"keys":3,"mouse":"yes","more":[]}')).toEqual({ hiddenColumns: ['full'] })
    expect(parseSettings('{"sort":"used","hiddenColumns":"all"}')).toEqual({})
  })
  test.each(['', '{', '[]', '"dark"', 'null', '\u0000\u001b[2J'])('are none when the file says %j', (text) => { expect(parseSettings(text)).toBeUndefined() })
})

describe('their file', () => {
  test('lies where the XDG specification says', () => {
    expect(settingsPath({ XDG_CONFIG_HOME: '/x', HOME: '/h' })).toBe('/x/oomscope/settings.json')
    expect(settingsPath({ XDG_CONFIG_HOME: 'relative', HOME: '/h' })).toBe('/h/.config/oomscope/settings.json')
    expect(settingsPath({ XDG_CONFIG_HOME: '', HOME: '' })).toBeUndefined()
  })
  test('is made when there is something to remember, readable by nobody else, with nothing left beside it', () => {
    const home = fresh(), file = openSettings({ HOME: home })
    expect(file.notice).toBeUndefined()
    expect(existsSync(join(home, '.config'))).toBe(false)
    file.keep?.({ theme: '16' })
    file.keep?.({ theme: 'light' })
    expect(openSettings({ HOME: home }).settings).toEqual({ theme: 'light' })
    expect(statSync(pathIn(home)).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(pathIn(home)))).toEqual(['settings.json'])
  })
  test('is told about and left alone when it is broken', () => {
    const env = written('{"theme": "light",}'), file = openSettings(env)
    expect(file).toMatchObject({ settings: {}, notice: `${pathIn(env.HOME)} is ignored: it is not JSON; mend or remove it` })
    expect(file.keep).toBeUndefined()
    expect(readFileSync(pathIn(env.HOME), 'utf8')).toBe('{"theme": "light",}')
  })
  test('of absurd size, or a directory, is no settings', () => {
    expect(openSettings(written(' '.repeat(70_000))).notice).toContain('it is too large')
    const home = fresh()
    mkdirSync(pathIn(home), { recursive: true })
    expect(openSettings({ HOME: home })).toMatchObject({ settings: {} })
    expect(openSettings({ HOME: home }).keep).toBeUndefined()
  })
  test('in the home of somebody else is neither read nor written, also below a home that is still empty', () => {
    const env = written('{"theme":"light"}'), other = (process.getuid?.() ?? 0) + 1
    expect(openSettings(env, other)).toEqual({ settings: {}, notice: `settings are not kept: ${dirname(pathIn(env.HOME))} belongs to another user` })
    expect(openSettings({ HOME: fresh() }, other).keep).toBeUndefined()
  })
  test('that cannot be written costs nothing', () => {
    const home = fresh(), file = openSettings({ HOME: home })
    writeFileSync(join(home, '.config'), 'a file where a directory belongs')
    chmodSync(join(home, '.config'), 0o400)
    file.keep?.({ theme: 'light' })
    expect(readdirSync(home)).toEqual(['.config'])
  })
})

describe('how the screen looks', () => {
  test('what is asked for now outweighs NO_COLOR, that what was chosen earlier, that what the terminal is', () => {
    const env = { ...written('{"theme":"light","keys":"below"}'), TERM: 'linux' }
    expect(screenOptions({}, { HOME: fresh(), TERM: 'linux' })).toMatchObject({ theme: '16', keys: 'oomscope', settings: {} })
    expect(screenOptions({}, env)).toMatchObject({ theme: 'light', keys: 'below' })
    expect(screenOptions({}, { ...env, NO_COLOR: '1' })).toMatchObject({ theme: 'mono', settings: { theme: 'light' } })
    expect(screenOptions({ theme: 'dark', keys: 'oomscope' }, { ...env, NO_COLOR: '1' })).toMatchObject({ theme: 'dark', keys: 'oomscope' })
  })
  test('--no-settings neither reads nor keeps', () => {
    const options = screenOptions({ 'no-settings': true }, { ...written('{"theme":"light"}'), TERM: 'xterm-256color' })
    expect(options).toMatchObject({ theme: 'dark', settings: {} })
    expect(options.remember).toBeUndefined()
  })
  test('a theme or a set of keys that does not exist is named with those that do', () => {
    expect(() => screenOptions({ theme: 'pink' }, {})).toThrow(/--theme 'pink'/)
    expect(() => screenOptions({ keys: 'vi' }, {})).toThrow(/--keys 'vi'/)
  })
  test.each([['xterm-256color', '', 'dark'], ['screen-256color', '', 'dark'], ['xterm-kitty', '15;0', 'dark'], ['rxvt-unicode-256color', '0;15', 'light'], ['konsole-256color', '0;default;7', 'light'], ['linux', '', '16'], ['screen', '', '16'], ['xterm', '', 'dark'], ['rxvt-16color', '', '16'], ['vt100', '', 'mono'], ['vt220', '', 'mono'], ['xterm-mono', '', 'mono']])('suits TERM=%s COLORFGBG=%s', (TERM, COLORFGBG, theme) => {
    expect(themeFor({ TERM, COLORFGBG })).toBe(theme)
  })
})
