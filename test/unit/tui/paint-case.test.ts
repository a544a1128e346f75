/** The page of a kill at its sizes: what must be there at the smallest, what a tall one uses its room for, and the sign of what is left out. */
import { describe, expect, it } from 'vitest'
import { Grid } from '../../../src/tui/grid.ts'
import { paintCasePage } from '../../../src/tui/paint-case.ts'
import { casePage } from '../../../src/view/case-page.ts'
import type { CasePage } from '../../../src/view/case-page.ts'
import { Story } from '../../../src/view/story.ts'
import { addContainer, addKill, addPod, emptyNode, G, M, TEST_LENS } from '../../helpers/node-model.ts'

/** A pod of two containers at its limit, with pressure and a full limit in the minute before. */
function killed(): CasePage {
  const model = emptyNode(), container = addPod(model, 'batch/etl-28870412-k9x7p', { used: 1000 * M, max: G, some: 40, full: 30, maxPerS: 9, highPerS: 2, stall: 500, container: 'extract' }), beside = addContainer(model, container)
  const killCase = addKill(model, container, { secondsAgo: 2, comm: 'extract' }), [, other] = killCase.candidates
  if (other !== undefined) Object.assign(other, { path: beside.path, memcgId: beside.id })
  killCase.candidates.push({ pid: 1, comm: 'pause', path: beside.path, points: 7, eligible: true, chosen: false })
  killCase.composition = { anonBytes: G - 10 * M, fileBytes: 0, shmemBytes: 0, kernelBytes: 10 * M }
  killCase.reclaim = { attempts: 45, stalledNs: 1e9, reclaimedPages: 0 }
  return casePage({ lens: TEST_LENS, model, killCase, moment: new Story(model).moments.of(killCase) })
}

function painted(page: CasePage, { cols, rows }: { readonly cols: number; readonly rows: number }): readonly string[] {
  const grid = new Grid(cols, rows)
  paintCasePage(grid, { y: 2, height: rows - 3 }, page)
  return grid.lines()
}
const SMALL = { cols: 80, rows: 24 }, ALL = 'tab: all of it'
const rowsWith = (lines: readonly string[], text: string): number => lines.filter((line) => line.includes(text)).length
/** Rows of the pane `the n s before`, less its frame. */
const plotRows = (lines: readonly string[]): number => lines.length - 1 - lines.findIndex((line) => line.includes(' s before ')) - 2

describe('the page of a kill', () => {
  const page = killed()
  it('has usage, pressure and the full limit at 80x24, and says shorter what the headline says, with a sign that there is more', () => {
    const lines = painted(page, SMALL), text = lines.join(' ').replace(/[\s│]+/g, ' ')
    for (const label of ['used', 'PSI full %', 'max events/s']) expect(rowsWith(lines, `│ ${label} `)).toBe(1)
    expect(text).toContain('reached its memory limit of 1 GiB; the limit was filled with 1014 MiB anonymous and 0 B file memory; in the 10 s before, 45 reclaim attempts freed 0 B.')
    expect(text).not.toContain('the kernel killed')
    expect(rowsWith(lines, ALL)).toBe(1)
    expect(lines.some((line) => /-60 s─.*─0 X─.*┘/.test(line))).toBe(true)
  })
  it('says there in which container each was that was judged', () => {
    const lines = painted(page, SMALL)
    expect(rowsWith(lines, 'COMMAND         CONTAINER ')).toBe(1)
    expect(lines.some((line) => /│ +1 +\d+ extract +extract .*KILLED │/.test(line))).toBe(true)
  })
  it('has the whole sentence, and no sign, where there is room for all', () => {
    const lines = painted(page, { cols: 200, rows: 60 })
    expect(lines.join(' ').replace(/[\s│]+/g, ' ')).toContain('the kernel killed extract')
    expect(rowsWith(lines, ALL)).toBe(0)
    expect(rowsWith(lines, 'events 60 s: high ')).toBe(1)
  })
  it('keeps the whole sentence where there is no shorter one', () => {
    const { brief, ...whole } = page
    expect(brief).toBeDefined()
    expect(painted(whole, SMALL).join(' ').replace(/[\s│]+/g, ' ')).toContain('the kernel killed extract')
  })
  it('leaves no row empty below the curves where they are not as tall as they may be', () => {
    for (const rows of [32, 36, 40, 44, 48]) {
      const lines = painted(page, { cols: 120, rows }), axis = lines.findIndex((line) => line.includes('-60 s')), end = lines.length - 2
      expect([end - 1, end], `${rows} rows`).toContain(axis)
    }
  })
  it('gives a tall screen to the curves', () => {
    const lines = painted(page, { cols: 300, rows: 90 }), drawn = lines.slice(lines.length - 1 - 2 - plotRows(lines)).filter((line) => /[\u2801-\u28ff]/.test(line)).length
    expect(drawn).toBeGreaterThan(4 * page.plots.length)
  })
})
