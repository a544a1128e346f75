/** A page of tables as plain data: sections with columns and rows, each cell a text, a bar or a series; the screen decides where they go. */

/** What a row or a cell means; the theme decides how it looks. */
export type Tone = 'plain' | 'strong' | 'quiet' | 'good' | 'warn' | 'alarm' | 'differs' | 'data'

/** `share` 0..1 is drawn as a bar, `values` as a sparkline against `full`. */
export type SheetCell = string | { readonly share: number; readonly tone?: Tone } | { readonly values: readonly number[]; readonly full: number; readonly tone?: Tone }

/** `width` cells are needed, up to `grow` are of use; the lightest `weight` falls first when it gets narrow. */
export type SheetColumn = { readonly title: string; readonly width: number; readonly grow?: number; readonly align?: 'left' | 'right'; readonly weight: number; /** A longer text goes on in the lines below instead of being cut. */ readonly wraps?: boolean }

export type SheetRow = { readonly cells: readonly SheetCell[]; readonly tone: Tone; /** Tones of single cells, where they differ from the row's. */ readonly tones?: readonly (Tone | undefined)[] }

export type TableSection = {
  readonly kind: 'table'
  readonly title: string
  /** `half` sections stand beside each other where there is room. */
  readonly span: 'full' | 'half'
  /** Without titles there is no header line. */
  readonly columns: readonly SheetColumn[]
  readonly rows: readonly SheetRow[]
  /** Said instead of an empty table. */
  readonly empty: string
  /** In the lower edge, where they cost no line: how to read it, most important first; those that do not fit are left out. */
  readonly notes?: readonly string[]
}

export type TextSection = { readonly kind: 'text'; readonly title: string; readonly span: 'full' | 'half'; readonly lines: readonly { readonly text: string; readonly tone: Tone }[] }

export type Sheet = readonly (TableSection | TextSection)[]

export const rowOf = (cells: readonly SheetCell[], tone: Tone = 'plain', tones?: readonly (Tone | undefined)[]): SheetRow => (tones === undefined ? { cells, tone } : { cells, tone, tones })
