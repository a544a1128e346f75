/** Series and text for the screen: histories, sparklines, plots, the timeline, safe and cut text, filter and order. */
import { describe, expect, it } from 'vitest'
import { cellText, cutEnd, cutMiddle, wrap, wrapLine } from '../../../src/view/cell-text.ts'
import { recordUsage } from '../../../src/model/history.ts'
import { momentOf } from '../../../src/view/moment.ts'
import { overviewRows } from '../../../src/view/overview.ts'
import { matcher, selectRows, SORT_KEYS } from '../../../src/view/select.ts'
import { bar, blockOf, brailleLine, condense, sparkline } from '../../../src/view/sparkline.ts'
import { statusOf } from '../../../src/view/status-line.ts'
import { stepOf, Timeline } from '../../../src/view/timeline.ts'
import { largest, series, usageSeries } from '../../../src/view/window.ts'
import { demoNode } from '../../helpers/demo-node.ts'
import { addKill, addMemcg, emptyHistory, emptyNode, fillHistory, M, NOW_S, tell, TEST_LENS } from '../../helpers/node-model.ts'

describe('a history window', () => {
  it('ends at the second asked for and says NaN outside what is kept', () => {
    const history = emptyHistory()
    fillHistory(history, 'usageBytes', (ago) => ago)
    expect(series(history, 'usageBytes', { lastSecond: NOW_S - 1, seconds: 3 })).toEqual([3, 2, 1])
    expect(series(history, 'usageBytes', { lastSecond: NOW_S + 1, seconds: 2 })).toEqual([0, Number.NaN])
    expect(series(history, 'usageBytes', { lastSecond: NOW_S - 119, seconds: 2 })).toEqual([Number.NaN, 119])
  })
  it('has no largest of nothing', () => {
    expect(largest([Number.NaN])).toBeUndefined()
  })
  it('lets a usage stand until the next one, because unchanged values are not sent, but not for ever', () => {
    const history = emptyHistory(), at = (second: number, bytes: number): void => recordUsage(history, second * 1e9, bytes)
    at(NOW_S - 30, 3)
    at(NOW_S - 8, 7)
    expect(usageSeries(history, { lastSecond: NOW_S, seconds: 32 })).toEqual([Number.NaN, ...new Array(13).fill(3), ...new Array(9).fill(Number.NaN), ...new Array(9).fill(7)])
  })
  it('lets what came last stand on, not the peak before it: after a kill the line falls at once', () => {
    const history = emptyHistory()
    for (const [tsNs, bytes] of [[NOW_S - 4, 60], [NOW_S - 3.9, 64], [NOW_S - 3.8, 2]] as const) recordUsage(history, tsNs * 1e9, bytes)
    expect(usageSeries(history, { lastSecond: NOW_S, seconds: 5 })).toEqual([64, 2, 2, 2, 2])
  })
})

describe('a sparkline', () => {
  it('keeps a spike of one second visible', () => { expect(condense([1, 9, 1, 1, 1, Number.NaN], 2)).toEqual([9, 1]) })
  it('leaves unknown stretches blank', () => { expect(sparkline([Number.NaN, 5, 10], 3, 10)).toBe(' ▄▇') })
  it('shows any value above zero and zero alike at the bottom', () => { expect([blockOf(0, 10), blockOf(0.1, 10), blockOf(99, 10)]).toEqual(['▁', '▁', '▇']) })
  it('draws a bar in half cells with a stroke at the peak', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(0.6, 4), bar(1.2, 4), bar(0.25, 4, 0.8), bar(0.9, 4, 0.8)]).toEqual(['····', '━━··', '━━╸·', '━━━━', '━··┃', '━━━╸'])
  })
  it('plots a rising line from the bottom left to the top right', () => {
    expect(brailleLine([0, 1, 2, 3], { width: 2, height: 1, min: 0, max: 3 })).toEqual(['⡠⠊'])
    expect(brailleLine([Number.NaN, 3], { width: 1, height: 2, min: 0, max: 3 })).toEqual(['⠈', ' '])
  })
})

describe('the timeline', () => {
  it('remembers longer than the model, shows the worst second of a cell and where the kills were', () => {
    const model = emptyNode(), timeline = new Timeline()
    fillHistory(model.history, 'someUs', () => 0)
    let someTotalUs = 0
    for (let i = 0; i < 400; i++) {
      someTotalUs += i === 10 ? 500_000 : 0
      tell(model, 'node_psi', model.nowNs + 1e9, { someAvg10Centi: 0, someTotalUs, fullAvg10Centi: 0, fullTotalUs: 0 })
      timeline.feed(model)
    }
    addKill(model, addMemcg(model, '/x'), { secondsAgo: 450 })
    const line = timeline.columns(model, { columns: 90, nowNs: model.nowNs })
    expect((line.endNs - line.startNs) / 1e9).toBe(900)
    expect(line.kills).toEqual([45])
    expect(line.percent.filter((percent) => percent === 50)).toHaveLength(1)
    expect(line.percent.slice(0, 35).every(Number.isNaN)).toBe(true)
  })
  it('starts over when a replay jumps back', () => {
    const model = demoNode(), timeline = new Timeline()
    timeline.feed(model)
    const pressed = (): boolean => timeline.columns(model, { columns: 60, nowNs: model.nowNs }).percent.some((percent) => percent > 0)
    expect(pressed()).toBe(true)
    model.nowNs -= 60e9
    model.history.someUs.fill(0)
    timeline.feed(model)
    expect(pressed()).toBe(false)
  })
  it('gives equal heights to equal pressures', () => { expect([Number.NaN, 0, 0.6, 3, 25, 100].map(stepOf)).toEqual([0, 1, 2, 4, 7, 8]) })
})

describe('text in cells', () => {
  it('is as many cells as characters, whatever came in', () => {
    expect(cellText('a\u001b[31m\u009b\u0007\u007fb')).toBe('a?[31m???b')
    expect(cellText('漢😀e\u0301\u200b\u202e\ud800')).toBe('··e··?·')
    expect(cellText('Grüße Привет ━╸┃·')).toBe('Grüße Привет ━╸┃·')
  })
  it('is cut where it hurts least', () => {
    expect(cutMiddle('kube-system/coredns-5d78c9869d-4rj2s', 24)).toBe('kube-system/cored~-4rj2s')
    expect(cutMiddle('short', 24)).toBe('short')
    expect([cutEnd('sentence', 4), cutEnd('abc', 0)]).toEqual(['sen…', ''])
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap('abcdefgh', 3)).toEqual(['abc', 'def', 'gh'])
    expect(wrapLine('  s  < >   sorts by a column', 28)).toEqual(['  s  < >   sorts by a column'])
    expect(wrapLine('  s  < >   sorts by a column', 24)).toEqual(['  s  < >   sorts by a', '           column'])
    expect(wrapLine('  said in one column', 12)).toEqual(['  said in', '    one', '    column'])
    expect(wrapLine('a very long first column  b', 20)).toEqual(['a very long first', '  column  b'])
  })
})

describe('filter and order', () => {
  it('understands regular expressions, inversion, and text that is no expression', () => {
    expect([matcher('^web/')('web/a'), matcher('!web')('web/a'), matcher('a(')('x-A(1)'), matcher('!')('x'), matcher('')('x')]).toEqual([true, false, true, true, true])
  })
  it.each(SORT_KEYS)('sorts by %s and back, rows without a value last both times', (key) => {
    const rows = overviewRows(momentOf(TEST_LENS, demoNode())), down = selectRows(rows, { filter: '', sort: { key, inverted: false } }), up = selectRows(rows, { filter: '', sort: { key, inverted: true } })
    expect(down).toHaveLength(rows.length)
    if (key === 'used') expect([down[0]?.name, up[0]?.name]).toEqual(['ml/embedder-0', 'kube-system/kube-proxy-vvs7m'])
    if (key === 'eta') expect([down[0]?.secondsToLimit, up[0]?.secondsToLimit].every((value) => value !== undefined)).toBe(true)
    if (key === 'name') expect(down.map((row) => row.name)).toEqual(up.map((row) => row.name).reverse())
  })
})

describe('the status', () => {
  it('names the losses, the failed rungs and the missing tracer in words', () => {
    const model = emptyNode()
    model.health.losses.set('ring', { count: 2 })
    model.health.losses.set('line', { count: 0 })
    model.health.corruptFrames = 1
    model.health.corruptBytes = 512
    model.health.tracer = { kind: 'tracer', tsNs: 0, state: 'exited', pid: 1, detail: 'signal 9\u001b[2J' }
    model.rungs.set('a', { kind: 'rung', tsNs: 0, question: 'memcg-reclaim', rung: 'none', state: 'absent', reason: undefined })
    model.rungs.set('b', { kind: 'rung', tsNs: 0, question: 'kswapd', rung: 'none', state: 'absent', reason: undefined })
    model.rungs.set('c', { kind: 'rung', tsNs: 0, question: 'asked-later', rung: 'none', state: 'refused', reason: undefined })
    expect(statusOf(TEST_LENS, model, { rows: [] }).doubts).toEqual(['2 facts lost at ring', '1 frame (512B) unreadable', 'no probes: bpftrace exited (signal 9?[2J)', 'reclaim at limits is not counted', 'asked later: refused'])
  })
  it('does not call it a failure that the probes of a recording ended with it', () => {
    const model = emptyNode()
    model.health.tracer = { kind: 'tracer', tsNs: model.nowNs - 5e8, state: 'exited', pid: 1, detail: 'exit status 0: ERROR: an old warning' }
    expect(statusOf(TEST_LENS, model, { rows: [] }).doubts).toEqual([])
    model.nowNs += 2e9
    expect(statusOf(TEST_LENS, model, { rows: [] }).doubts).toEqual(['the probes ended at 14:03:26'])
  })
  it('claims only what is known when all is calm', () => {
    const model = emptyNode(), calm = (): string => statusOf(TEST_LENS, model, { rows: overviewRows(momentOf(TEST_LENS, model)) }).calm
    expect(calm()).toBe('No cgroups seen yet.')
    addMemcg(model, '/x', { used: M })
    expect(calm()).toBe('Nothing is near a limit.')
    model.psi = { kind: 'node_psi', tsNs: model.nowNs, someAvg10Centi: 0, someTotalUs: 0, fullAvg10Centi: 0, fullTotalUs: 0 }
    expect(calm()).toBe('Nothing is near a limit, nobody waits for memory.')
  })
  it('doubts nothing when nothing is lost', () => { expect(statusOf(TEST_LENS, demoNode(), { rows: [] }).doubts).toEqual([]) })
  it('says that PSI is missing instead of zero, and has no stall figure without probes', () => {
    expect(statusOf(TEST_LENS, emptyNode(), { rows: [] }).parts.map((part) => part.long)).toEqual(['worker-3', 'PSI not available', 'OOM kills 0/h'])
  })
  it('counts the dead of the last hour and names the newest', () => {
    const model = emptyNode(), memcg = addMemcg(model, '/jobs/a', { used: M })
    addKill(model, memcg, { secondsAgo: 3599 })
    addKill(model, memcg, { secondsAgo: 3601 })
    const status = statusOf(TEST_LENS, model, { rows: [] })
    expect(status.parts.at(-1)?.long).toBe('OOM kills 1/h')
    expect(status.lastKill).toBe('last kill 13:03:28 jobs/a')
  })
})
