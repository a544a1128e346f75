/** Columns: what a cell says of known, unknown and zero values, and which columns survive a narrow screen. */
import { describe, expect, it } from 'vitest'
import { cellOf, layout, OVERVIEW_COLUMNS } from '../../../src/view/columns.ts'
import type { Column } from '../../../src/view/columns.ts'
import { bytesCell, countCell, percentCell, secondsCell } from '../../../src/view/compact.ts'

const column = (unit: Column<number | undefined>['unit']): Column<number | undefined> => ({ key: 'k', title: 'K', unit, width: 5, align: 'right', weight: 1, help: '', of: (value) => value })

describe('a cell', () => {
  it.each(['bytes', 'percent', 'ms/s', '1/s', 'count'] as const)('of %s tells zero (·) from not known (-)', (unit) => {
    expect(cellOf(column(unit), 0)).toBe('·')
    expect(cellOf(column(unit), undefined)).toBe('-')
  })
  it('marks a forecast as an estimate', () => { expect(cellOf(column('seconds'), 42)).toBe('~42s') })
  it('prints exact numbers exactly', () => { expect(cellOf(column('exact'), 1864)).toBe('1864') })
  it.each([[0, '0B'], [1023, '1023B'], [1024, '1.0K'], [12 * 1024, '12K'], [998 * 2 ** 20, '998M'], [1023.6 * 2 ** 20, '1.00G'], [2 ** 30, '1.00G'], [9.996 * 2 ** 30, '10.0G'], [16.1 * 2 ** 30, '16.1G'], [512 * 2 ** 30, '512G'], [3 * 2 ** 40, '3.00T']])('prints %d bytes as %s', (bytes, text) => {
    expect(bytesCell(bytes)).toBe(text)
    expect(bytesCell(bytes).length).toBeLessThanOrEqual(5)
  })
  it.each([[0.2, '0.2'], [5, '5'], [41.4, '41'], [999, '999'], [999.6, '1.0k'], [1432, '1.4k'], [12e3, '12k'], [999.9e3, '1.0M'], [2e9, '2.0G']])('prints a rate of %d as %s', (count, text) => {
    expect(countCell(count)).toBe(text)
  })
  it('prints per cent and forecasts in few characters', () => {
    expect([0.04, 61.24, 99.96, 100].map(percentCell)).toEqual(['0.0', '61.2', '100', '100'])
    expect([42, 110, 3600, 7300, 360e3].map(secondsCell)).toEqual(['42s', '2m', '60m', '2h', '4d'])
  })
})

describe('the layout', () => {
  const keys = (cols: number): string[] => layout(OVERVIEW_COLUMNS, { from: 2, cols }).map(({ column: { key } }) => key)
  it('keeps every column on a wide screen', () => { expect(keys(140)).toEqual(OVERVIEW_COLUMNS.map(({ key }) => key)) })
  it('keeps who, how much of what limit, pressure and kills at 50 columns', () => {
    expect(keys(50)).toEqual(expect.arrayContaining(['name', 'used', 'limit', 'oom']))
    expect(keys(50)).not.toContain('peak')
  })
  it.each([50, 57, 64, 80, 97, 120, 200, 300])('never overlaps and never leaves the screen at %d columns', (cols) => {
    let end = 2
    for (const { x, width } of layout(OVERVIEW_COLUMNS, { from: 2, cols })) {
      expect(x).toBeGreaterThanOrEqual(end)
      end = x + width
    }
    expect(end).toBeLessThanOrEqual(cols)
  })
})
