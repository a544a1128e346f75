/** Keys: names, the line editor, and what each key does to what is set. */
import { describe, expect, it } from 'vitest'
import { keyName } from '../../../src/tui/keys.ts'
import { edit, EMPTY_LINE } from '../../../src/tui/line-editor.ts'
import { press } from '../../../src/tui/press.ts'
import type { Context } from '../../../src/tui/press.ts'
import { SORT_KEYS } from '../../../src/view/select.ts'
import { scrolled, selectedIndex, START } from '../../../src/tui/ui.ts'
import type { Ui } from '../../../src/tui/ui.ts'

describe('a key name', () => {
  it.each([
    ['a', { name: 'a' }, 'a'], ['G', { name: 'g', shift: true }, 'G'], ['\r', { name: 'return' }, undefined], ['\r', { name: 'enter' }, 'enter'], ['\n', { name: 'linefeed' }, 'enter'],
    ['\u0003', { name: 'c', ctrl: true }, 'C-c'], [' ', { name: 'space' }, 'space'], [undefined, { name: 'up' }, 'up'], ['x', { name: 'x', meta: true }, undefined], [undefined, { name: 'f5' }, undefined],
    ['é', {}, 'é'], [undefined, { name: 'f1' }, 'f1'], ['\u007f', { name: 'backspace' }, 'backspace'],
  ] as const)('of %j %j is %s', (char, key, name) => { expect(keyName(char, key)).toBe(name) })
})

describe('the line editor', () => {
  const type = (keys: readonly string[]): string => { const line = keys.reduce(edit, EMPTY_LINE); return `${line.text.slice(0, line.cursor)}|${line.text.slice(line.cursor)}` }
  it.each([
    [['a', 'b', 'left', 'c'], 'ac|b'], [['a', 'space', 'b', 'C-w'], 'a |'], [['a', 'b', 'C-a', 'delete'], '|b'], [['a', 'b', 'C-u'], '|'], [['a', 'b', 'left', 'C-k'], 'a|'],
    [['backspace', 'a', 'backspace', 'backspace'], '|'], [['a', 'home', 'end', 'right', 'b'], 'ab|'], [['up', 'tab', 'a'], 'a|'], [['left', 'left', 'x'], 'x|'],
  ] as const)('%j gives %s', (keys, text) => { expect(type(keys)).toBe(text) })
  it('stops at a length nobody means', () => { expect(Array.from({ length: 300 }, () => 'x').reduce(edit, EMPTY_LINE).text).toHaveLength(200) })
})

const CONTEXT: Context = { nowNs: 2.5e9, canSave: false, rowKeys: ['a', 'b', 'c'], listKeys: [], spikes: [], kills: [{ id: 'k3', tsNs: 3e9 }, { id: 'k2', tsNs: 2e9 }, { id: 'k1', tsNs: 1e9 }], pressureStarts: () => [], pageLines: 2, textLines: 10, canCharts: true }
const after = (keys: readonly string[], ui: Ui = START, context = CONTEXT): Ui => keys.reduce((state, key) => press(state, key, context).ui, ui)

describe('a key', () => {
  it('never leaves the lists, however often it is pressed', () => {
    expect(after(['k', 'k', 'up']).selected).toBe('a')
    expect(after(['j', 'j', 'j', 'j', 'pagedown']).selected).toBe('c')
    expect(after(['G', 'g']).selected).toBe('a')
    expect(after(['j', 'enter', 'K', 'j'], START, { ...CONTEXT, rowKeys: [], kills: [] })).toMatchObject({ page: 'kills' })
  })
  it('belongs to the filter while one is typed, even q', () => {
    const ui = after(['/', 'q', 's', 'K'])
    expect(ui).toMatchObject({ page: 'overview', filter: 'qsK' })
    expect(press(ui, 'q', CONTEXT).command).toBeUndefined()
    expect(press(ui, 'C-c', CONTEXT).command).toEqual({ do: 'quit' })
    expect(after(['escape'], ui)).toMatchObject({ filter: '', prompt: undefined })
    expect(after(['enter', 'escape'], ui)).toMatchObject({ filter: '' })
  })
  it('goes back the way it came', () => {
    const ui = after(['K', 'enter', '?'])
    expect(ui.page).toBe('help')
    expect(['escape', 'escape', 'escape'].map((_, i) => after(Array.from({ length: i + 1 }, () => 'escape'), ui).page)).toEqual(['case', 'kills', 'overview'])
    expect(after(['?', '?']).page).toBe('overview')
  })
  it('that hands know from elsewhere does what they expect: F1 helps, ^S exports, a capital sorts', () => {
    expect(after(['f1']).page).toBe('help')
    expect(after(['f1', 'f1']).page).toBe('overview')
    expect(after(['/', 'f1'])).toMatchObject({ page: 'overview', filter: '' })
    expect(press(after([']']), 'C-s', { ...CONTEXT, canSave: true }).command).toEqual({ do: 'save' })
    expect(['P', 'U', 'S', 'O'].map((key) => after(['I', key]).sort)).toEqual(['some', 'used', 'stall', 'oom'].map((key) => ({ key, inverted: false })))
    expect(['P', 'U', 'O'].every((key) => SORT_KEYS.includes(after([key]).sort.key))).toBe(true)
    expect(press(START, 'S', { ...CONTEXT, keys: 'below' }).ui.sort).toEqual({ key: START.sort.key, inverted: true })
  })
  it('< and > lead from the page of a workload to the one beside it', () => {
    const ui = after(['enter', '>', '>'])
    expect(ui).toMatchObject({ page: 'row', selected: 'c', sort: START.sort })
    expect(after(['>', '<'], ui)).toMatchObject({ page: 'row', selected: 'b' })
    expect(after(['escape'], after(['>', '<'], ui))).toMatchObject({ page: 'overview', selected: 'b' })
    expect(after(['enter', '>'], START, { ...CONTEXT, rowKeys: [] }).page).toBe('overview')
  })
  it('steps through kills in time: [ earlier, ] later', () => {
    expect(after([']'])).toMatchObject({ page: 'case', kill: 'k3' })
    expect(after([']', '[', '['])).toMatchObject({ kill: 'k1' })
    expect(after([']', '[', '[', '[', ']'])).toMatchObject({ kill: 'k2' })
  })
  it('asks for what only the source can do, and only when it can', () => {
    const replay = { ...CONTEXT, replay: { speed: 1, canSpeed: true, canSeek: true, stepNs: 1e8, momentOf: (text: string) => (text === '1s' ? 1e9 : undefined) } }
    expect(press(START, 'space', replay).command).toEqual({ do: 'pause', paused: true })
    expect(press(START, '+', replay).command).toEqual({ do: 'speed', speed: 2 })
    expect(press(START, '-', { ...replay, replay: { ...replay.replay, speed: 0.25 } }).command).toBeUndefined()
    expect(press(START, '+', CONTEXT).command).toBeUndefined()
    expect(press({ ...START, page: 'case', kill: 'k2' }, 'enter', replay).command).toEqual({ do: 'seek', tsNs: 2e9 })
    expect(press({ ...START, page: 'case', kill: 'k2' }, 'enter', CONTEXT).command).toBeUndefined()
    expect(press(START, 'D', { ...CONTEXT, canCharts: false }).ui.page).toBe('overview')
  })
  it('moves through a recording: by seconds, by samples, to a typed time, and stops there', () => {
    const replay = { ...CONTEXT, replay: { speed: 1, canSpeed: true, canSeek: true, stepNs: 1e8, momentOf: (text: string) => (text === '1s' ? 1e9 : undefined) } }
    const target = (keys: readonly string[]): unknown => { let ui = START, command: unknown; for (const key of keys) { const pressed = press(ui, key, replay); ui = pressed.ui; command = pressed.command }; return command }
    expect(['h', 'l', 'H', 'L', 't', 'T', 'left', 'right'].map((key) => (target([key]) as { readonly tsNs: number }).tsNs / 1e9)).toEqual([1.5, 3.5, -7.5, 12.5, 2.6, 2.4, 1.5, 3.5])
    expect(target(['b', '1', 's', 'enter'])).toEqual({ do: 'seek', tsNs: 1e9 })
    expect(after(['b', 'x', 'enter'], START, replay).message).toMatch(/^not a time/)
    expect(after(['b', 'x', 'enter', 'j'], START, replay).message).toBeUndefined()
    expect(after(['b', 'enter'], START, replay).prompt).toBeUndefined()
    expect(after(['h'], START, replay).paused).toBe(true)
    expect(after(['h', 'b', 't'])).toEqual(START)
  })
  it('goes from kill to kill in a recording, and Enter opens the case of the one it stands at', () => {
    const replay = { ...CONTEXT, replay: { speed: 1, canSpeed: true, canSeek: true, stepNs: 1e8, momentOf: () => undefined } }
    expect(press(START, ']', replay)).toMatchObject({ command: { do: 'seek', tsNs: 3e9 }, ui: { atKill: 'k3', page: 'overview' } })
    expect(press(START, '[', replay)).toMatchObject({ command: { do: 'seek', tsNs: 2e9 }, ui: { atKill: 'k2' } })
    expect(after(['[', '['], START, replay)).toMatchObject({ atKill: 'k1' })
    expect(after(['[', '[', '['], START, replay)).toMatchObject({ atKill: 'k1', message: 'no earlier kill' })
    expect(after([']', 'enter'], START, replay)).toMatchObject({ page: 'case', kill: 'k3' })
    expect(after([']', 'j', 'enter'], START, replay)).toMatchObject({ page: 'row', atKill: undefined })
  })
  it('opens and closes what is below a cgroup of the tree', () => {
    expect([...after(['e', 'j', 'left']).folded]).toEqual(['b'])
    expect([...after(['e', 'j', 'left', 'right']).folded]).toEqual([])
    expect([...after(['e', 'left', 'j', 'left', '*']).folded]).toEqual([])
    expect(after(['left', 'e', 'e'])).toMatchObject({ tree: false, folded: new Set() })
  })
  it('scrolls text no further than its end', () => { expect(after(['?', 'G']).scroll).toBe(8) })
})

it('the selection is a workload, not a line; a vanished one leaves its line to its neighbour', () => {
  const at = (selected: string | undefined, index: number): number => selectedIndex({ ...START, selected, index }, ['a', 'b', 'c'])
  expect([at('a', 2), at('c', 0), at('gone', 1), at('gone', 9), at(undefined, 2)]).toEqual([0, 2, 1, 2, 0])
})

it('scrolling moves as little as the selection needs', () => {
  expect([scrolled(0, 5, { height: 4, count: 9 }), scrolled(3, 4, { height: 4, count: 9 }), scrolled(8, 8, { height: 4, count: 9 }), scrolled(5, 2, { height: 4, count: 9 }), scrolled(5, 0, { height: 4, count: 0 })]).toEqual([2, 3, 5, 2, 0])
})
