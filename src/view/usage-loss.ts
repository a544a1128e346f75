/** What a recording's losses do to numbers about usage: which time is missing, and whether any number can be trusted to be whole. */
import { plural } from '../base/text.ts'
import { formatDuration } from '../base/time.ts'
import type { NodeModel } from '../model/node.ts'

/** Where the rows of cgroup files can be lost; probes' lines and the kernel log hold no usage. */
const PLACES = ['ring', 'decode']

/** Rows are missing and nobody knows which: every number may be too low. */
export function isUsageLost({ health, gaps }: NodeModel): boolean {
  const lost = PLACES.some((place) => (health.losses.get(place)?.count ?? 0) > 0)
  // A damaged place with whole frames behind it is a gap of known time.
  return lost || health.badRows > 0 || (health.corruptFrames > 0 && gaps.damages === 0)
}

/** In words; empty when nothing is missing. */
export function usageLossText(model: NodeModel): string {
  const { health, gaps } = model, parts: string[] = []
  if (gaps.count > 0) parts.push(`nothing was told for ${formatDuration(gaps.lostNs)} in ${plural(gaps.count, 'gap')}`)
  for (const place of PLACES) {
    const count = health.losses.get(place)?.count ?? 0
    if (count > 0) parts.push(`${plural(count, 'row')} lost at ${place}`)
  }
  const unread = health.losses.get('memcg')?.count ?? 0
  if (unread > 0) parts.push(`${plural(unread, 'cgroup')} could not be read`)
  if (health.badRows > 0) parts.push(`${plural(health.badRows, 'unreadable row')}`)
  if (health.corruptFrames > 0) parts.push(`${plural(health.corruptFrames, 'damaged place')} in the file`)
  return parts.join(', ')
}
