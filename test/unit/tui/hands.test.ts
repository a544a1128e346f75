/** The mouse and other sets of keys: what a terminal says of them, and what it comes to. */
import { describe, expect, it } from 'vitest'
import { point } from '../../../src/tui/click.ts'
import type { Hit } from '../../../src/tui/hits.ts'
import { hitAt } from '../../../src/tui/hits.ts'
import { named, translated } from '../../../src/tui/keymap.ts'
import { clipped } from '../../../src/tui/export-case.ts'
import { keysBeside, mouseEvents } from '../../../src/tui/mouse.ts'
import { press } from '../../../src/tui/press.ts'
import type { Context } from '../../../src/tui/press.ts'
import { START } from '../../../src/tui/ui.ts'
import type { Ui } from '../../../src/tui/ui.ts'

describe('what a terminal says of the mouse', () => {
  it('is every press and every notch of a chunk, counted from 0; no release, no motion, no other button', () => {
    expect(mouseEvents('\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<65;300;70M\x1b[<64;2;3M\x1b[<2;9;9M\x1b[<35;4;4M\x1b[<16;5;5M')).toEqual([{ does: 'click', x: 0, y: 0 }, { does: 'down', x: 299, y: 69 }, { does: 'up', x: 1, y: 2 }])
  })
  it('is nothing in what is typed or broken', () => {
    expect(mouseEvents('jk[<0;1;1M')).toEqual([])
    expect(mouseEvents('\x1b[<0;1M\x1b[<;;M')).toEqual([])
  })
  it('leaves the keys beside it', () => {
    expect(keysBeside('j\x1b[<0;1;1MK \r\x1b[<0;1;1m\x1b[A')).toBe('jK \r\x1b[A')
    expect(keysBeside('jk')).toBe('')
  })
})

describe('what is copied', () => {
  it('is all of it, or as many whole lines as a terminal takes, counted in bytes', () => {
    expect(clipped('a\nb\n')).toEqual({ text: 'a\nb\n', lines: '2 lines' })
    const line = `${'─'.repeat(99)}·\n`, { text, lines } = clipped(line.repeat(1000))
    expect(text).toBe(line.repeat(233))
    expect(lines).toBe('233 of 1000 lines')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(70_000)
  })
})

const CONTEXT: Context = {
  nowNs: 100e9, rowKeys: ['a', 'b', 'c', 'd', 'e', 'f'], listKeys: [], spikes: [], kills: [{ id: 'k2', tsNs: 90e9 }, { id: 'k1', tsNs: 50e9 }], pressureStarts: () => [60e9, 95e9], pageLines: 10, textLines: 0, canCharts: true, canSave: true,
  replay: { speed: 1, canSpeed: true, canSeek: true, stepNs: 1e8, momentOf: () => undefined },
}
const hit = (target: Hit['target'], at: Partial<Hit> = {}): Hit => ({ x: 0, y: 0, width: 10, height: 1, ...at, target })
const clickOn = (ui: Ui, target: Hit['target'], context = CONTEXT) => point(ui, { does: 'click', x: 4, y: 0 }, { hits: [hit(target)], context })

describe('a click', () => {
  it('finds what was painted last', () => {
    const below = hit({ what: 'row', key: 'a' }), above = hit({ what: 'inside' }, { x: 3, width: 2 })
    expect(hitAt([below, above], 3, 0)).toBe(above)
    expect(hitAt([below, above], 5, 0)).toBe(below)
    expect(hitAt([below, above], 10, 0)).toBeUndefined()
    expect(hitAt([below, above], 3, 1)).toBeUndefined()
  })
  it('selects a row, and opens it when it is selected already', () => {
    const { ui } = clickOn(START, { what: 'row', key: 'c' })
    expect(ui).toMatchObject({ selected: 'c', index: 2, page: 'overview' })
    expect(clickOn(ui, { what: 'row', key: 'c' }).ui.page).toBe('row')
    expect(clickOn(START, { what: 'row', key: 'gone' }).ui).toBe(START)
  })
  it('goes to the time under it, where time can be gone through', () => {
    expect(clickOn(START, { what: 'time', startNs: 0, endNs: 100e9 }).command).toEqual({ do: 'seek', tsNs: 45e9 })
    const { replay, ...without } = CONTEXT
    expect(replay).toBeDefined()
    expect(clickOn(START, { what: 'time', startNs: 0, endNs: 100e9 }, without)).toEqual({ ui: START })
  })
  it('presses the key it falls on, sorts, chooses, and closes a menu it does not fall into', () => {
    expect(clickOn(START, { what: 'key', key: '?' }).ui.page).toBe('help')
    const sorted = clickOn(START, { what: 'column', key: 'used' }).ui
    expect(sorted.sort).toEqual({ key: 'used', inverted: false })
    expect(clickOn(sorted, { what: 'column', key: 'used' }).ui.sort).toEqual({ key: 'used', inverted: true })
    expect(clickOn({ ...START, menu: 0 }, { what: 'menu', index: 2 }).ui).toMatchObject({ menu: undefined, sort: { key: 'share' } })
    expect([...clickOn({ ...START, chooser: 0 }, { what: 'menu', index: 1 }).ui.hidden]).toEqual(['used'])
    expect(clickOn({ ...START, menu: 0 }, { what: 'row', key: 'c' }).ui).toEqual({ ...START, menu: undefined })
    expect(clickOn({ ...START, menu: 1 }, { what: 'inside' }).ui.menu).toBe(1)
  })
  it('selects a spike, and goes to its moment when it is selected already; from the bar of that page, too, the moment is what is looked at', () => {
    const spikes: Context = { ...CONTEXT, listKeys: ['s1', 's2'], spikes: [{ id: 's1', memcgId: 7, atNs: 80e9 }, { id: 's2', memcgId: 9, atNs: 60e9 }] }, page: Ui = { ...START, page: 'spikes', back: ['overview'] }
    const { ui, command } = clickOn(page, { what: 'item', key: 's2' }, spikes)
    expect([ui, command]).toEqual([{ ...page, picked: 's2' }, undefined])
    expect(clickOn(ui, { what: 'item', key: 's2' }, spikes)).toMatchObject({ ui: { page: 'overview', seekMemcgId: 9 }, command: { do: 'seek', tsNs: 60e9 } })
    expect(clickOn(page, { what: 'time', startNs: 0, endNs: 100e9 }, spikes)).toMatchObject({ ui: { page: 'overview' }, command: { do: 'seek', tsNs: 45e9 } })
  })
  it('leads out of the pane of a command and back', () => {
    const pages = clickOn({ ...START, page: 'command' }, { what: 'pane' }).ui
    expect(pages.page).toBe('overview')
    expect(clickOn({ ...pages, page: 'stalls', back: ['overview'] }, { what: 'pane' }).ui).toMatchObject({ page: 'command', back: [] })
  })
  it('the wheel moves three lines in a list', () => {
    expect(point(START, { does: 'down', x: 0, y: 0 }, { hits: [], context: CONTEXT }).ui).toMatchObject({ selected: 'd', index: 3 })
  })
})

describe('{ and }', () => {
  /** Where the keys lead one after another; each jump stands at its moment. */
  function walk(keys: string, fromNs: number): (string | undefined)[] {
    let ui = START, nowNs = fromNs
    return [...keys].map((key) => {
      const pressed = press({ ...ui, message: undefined }, key, { ...CONTEXT, nowNs })
      ui = pressed.ui
      if (pressed.command?.do !== 'seek') return ui.message
      nowNs = pressed.command.tsNs
      return ui.atKill ?? `${nowNs / 1e9} s`
    })
  }
  it('lead from one event to the next, be it a kill or the beginning of pressure', () => {
    expect(walk('{{{{{', 100e9)).toEqual(['95 s', 'k2', '60 s', 'k1', 'no earlier event'])
    expect(walk('}}}}}', 0)).toEqual(['k1', '60 s', 'k2', '95 s', 'no later event'])
    expect(walk('{}{', 92e9)).toEqual(['k2', '95 s', 'k2'])
  })
  it('lead nowhere where time cannot be wound, and not beyond the present', () => {
    const { replay: _, ...still } = CONTEXT
    expect(press(START, '{', still)).toEqual({ ui: START })
    expect(press(START, '}', { ...CONTEXT, replay: { ...CONTEXT.replay!, live: 'following' } })).toEqual({ ui: START })
  })
})

describe('keys of below', () => {
  const below: Context = { ...CONTEXT, keys: 'below' }
  it('jump by a typed duration, help, sort by the column beside, and leave j and k to time', () => {
    expect(press(START, 'j', below).ui.prompt).toEqual({ for: 'time', line: { text: '+', cursor: 1 } })
    expect(press(START, 'J', below).ui.prompt?.line.text).toBe('-')
    expect(press(START, 'h', below).ui.page).toBe('help')
    expect(press(START, '.', below).ui.sort.key).not.toBe(START.sort.key)
    expect(press({ ...START, filter: 'x' }, 'C-l', below).ui.filter).toBe('')
    expect(press(START, 'k', below)).toEqual({ ui: START })
    expect(press(START, 'down', below).ui.index).toBe(1)
  })
  it('close and open a branch of the tree', () => {
    const folded = press({ ...START, tree: true }, 'f', below).ui
    expect([...folded.folded]).toEqual(['a'])
    expect([...press(folded, '=', below).ui.folded]).toEqual([])
  })
  it('are letters where text is typed, and named in the key bar as they are', () => {
    const typing = press(press(START, '/', below).ui, 'j', below).ui
    expect(typing.filter).toBe('j')
    expect(named('below', [['j k', 'scroll'], ['q', 'quit']])).toEqual([['up down', 'scroll'], ['q', 'quit']])
    expect(translated('oomscope', 'j')).toBe('j')
  })
})

describe('keys of a live screen with a memory', () => {
  const at = (live: 'following' | 'back', more: Partial<NonNullable<Context['replay']>> = {}): Context => ({ ...CONTEXT, replay: { speed: 1, canSpeed: live === 'back', canSeek: true, stepNs: 1e8, momentOf: () => undefined, live, oldestNs: 60e9, ...more } })
  it('space holds and lets go; after a jump it plays on from there', () => {
    const held = press(START, 'space', at('following'))
    expect(held).toEqual({ ui: { ...START, paused: true, held: true }, command: { do: 'hold' } })
    expect(press(held.ui, 'space', at('back')).command).toEqual({ do: 'live' })
    const jumped = press(held.ui, 'h', at('back'))
    expect(jumped.command).toEqual({ do: 'seek', tsNs: 99e9 })
    expect(press(jumped.ui, 'space', at('back'))).toEqual({ ui: { ...jumped.ui, paused: false }, command: { do: 'pause', paused: false } })
  })
  it.each(['end', '0'])('%s leads back to the present, and only from the past', (key) => {
    expect(press({ ...START, paused: true }, key, at('back')).command).toEqual({ do: 'live' })
    expect(press(START, key, at('following')).command).toBeUndefined()
  })
  it('[ goes to the moment of the newest kill, ] opens its case; of a kill that is no longer kept only the case is left', () => {
    expect(press(START, '[', at('following'))).toMatchObject({ ui: { atKill: 'k2', page: 'overview' }, command: { do: 'seek', tsNs: 90e9 } })
    expect(press(START, ']', at('following'))).toMatchObject({ ui: { page: 'case', kill: 'k2' } })
    const older = press({ ...START, atKill: 'k2', paused: true }, '[', at('back'))
    expect(older.command).toBeUndefined()
    expect(older.ui).toMatchObject({ page: 'case', kill: 'k1', message: 'the samples of that moment are no longer kept: this is its case' })
    expect(press({ ...START, page: 'case', kill: 'k1' }, 'enter', at('back'))).toMatchObject({ ui: { page: 'case', message: 'the samples of that moment are no longer kept: this is its case' } })
  })
  it('the speed is of the past only', () => {
    expect(press(START, '+', at('following')).command).toBeUndefined()
    expect(press(START, '+', at('back')).command).toEqual({ do: 'speed', speed: 2 })
  })
})
