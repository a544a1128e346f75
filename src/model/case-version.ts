/** How often a case was written anew: whoever computed something of it knows whether that still holds. Beside the case, so that equal cases are equal. */
import type { KillCase } from './case.ts'

const versions = new WeakMap<KillCase, number>()

export const versionOf = (target: KillCase): number => versions.get(target) ?? 0

export function rewritten(target: KillCase): void {
  versions.set(target, versionOf(target) + 1)
}
