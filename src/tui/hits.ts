/** What lies where in a picture, so that a click finds it: painters leave a hit beside what they paint. */

export type Target =
  /** A row of the overview, of the kills, of another list. */
  | { readonly what: 'row' | 'kill' | 'item'; readonly key: string }
  /** The header of a column of the overview. */
  | { readonly what: 'column'; readonly key: string }
  /** A stretch of time; where in it the click was says which moment. */
  | { readonly what: 'time'; readonly startNs: number; readonly endNs: number }
  /** A line of the open menu; a place in it without a line. */
  | { readonly what: 'menu'; readonly index: number } | { readonly what: 'inside' }
  /** A key in the key bar. */
  | { readonly what: 'key'; readonly key: string }
  /** The way from the command's pane to the pages and back. */
  | { readonly what: 'pane' }

export type Hit = { readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly target: Target }

/** The topmost; what was painted last lies above. */
export const hitAt = (hits: readonly Hit[], x: number, y: number): Hit | undefined =>
  hits.findLast((hit) => x >= hit.x && x < hit.x + hit.width && y >= hit.y && y < hit.y + hit.height)
