/** The sources of names of this node, cheapest first. */
import { CriSource } from '../identity/cri/source.ts'
import type { NameSource } from '../identity/name-source.ts'
import { PodLogSource } from '../identity/pod-log-source.ts'
import { textOf } from './args.ts'
import type { Options } from './args.ts'

export function nameSources(options: Options): NameSource[] {
  const cri = textOf(options, 'cri')
  return [new PodLogSource(), ...(cri === 'off' ? [] : [new CriSource(cri)])]
}
