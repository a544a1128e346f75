/** The sources of names of this node, cheapest first. */
import type { NameSource } from '../identity/name-source.ts'
import { PodLogSource } from '../identity/pod-log-source.ts'

export const nameSources = (): NameSource[] => [new PodLogSource()]
