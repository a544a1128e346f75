/** What a function of a text said, kept: for what never changes and is asked for again and again. */

/** More paths than a node has cgroups; a damaged or hostile stream may bring any number, and beyond so many of them all are found anew. */
const MOST = 20_000

/** `find`, which never gives undefined, asked once for each text. */
export function remembered<T extends {} | null>(find: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    if (known.size >= MOST) known.clear()
    const found = find(text)
    known.set(text, found)
    return found
  }
}
