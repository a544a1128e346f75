/** Globs over cgroup paths: `*` and `?` stay within one part of the path, `**` is any number of parts; what lies below a match matches, too. */

/** Longer than the longest path the kernel allows is no pattern of a person. */
export const MAX_GLOB = 4096

/** Without a leading `/` the pattern may begin at any part: `web.service` is `/system.slice/web.service` and everything in it. */
export function globMatcher(pattern: string): (path: string) => boolean {
  const parts = pattern.split('/').filter((part) => part !== ''), wanted = pattern.startsWith('/') ? [...parts, '**'] : ['**', ...parts, '**']
  return (path) => matchesParts(wanted, path.split('/').filter((part) => part !== ''))
}

/** The greedy way with one place to come back to: no pattern and no path makes it slow. */
function matches<T>(wanted: readonly T[], given: readonly T[], { isMany, isOne }: { readonly isMany: (item: T | undefined) => boolean; readonly isOne: (item: T, other: T) => boolean }): boolean {
  let at = 0, star = -1, from = 0, i = 0
  while (i < given.length) {
    const item = wanted[at], other = given[i]
    if (isMany(item)) { star = at; from = i; at += 1; continue }
    if (item !== undefined && other !== undefined && isOne(item, other)) { at += 1; i += 1; continue }
    if (star < 0) return false
    at = star + 1
    from += 1
    i = from
  }
  while (isMany(wanted[at])) at += 1
  return at === wanted.length
}

const matchesParts = (wanted: readonly string[], given: readonly string[]): boolean => matches(wanted, given, { isMany: (part) => part === '**', isOne: matchesPart })

const matchesPart = (wanted: string, given: string): boolean =>
  wanted === given || (/[*?]/.test(wanted) && matches([...wanted], [...given], { isMany: (c) => c === '*', isOne: (c, other) => c === '?' || c === other }))
