/** What views ask of the rooms below them about names and causes; one object, so that a test can look through another one. */
import type { KillCase, Workload } from '../model/case.ts'
import type { NodeModel } from '../model/node.ts'
import { applyNames, placeName } from '../identity/workload.ts'
import { cellText } from './cell-text.ts'

/** A case in words: `cause` is a word of design.md's table, `sentence` one line a person can paste into a ticket, `brief` the same without who was killed. */
export type CaseWords = { readonly cause: string; readonly sentence: string; readonly brief?: string; readonly confidence?: string }

export type Lens = {
  readonly workloadOf: (path: string) => Workload
  readonly caseWords: (killCase: KillCase, model: NodeModel) => CaseWords
  /** The whole case as lines of plain text. */
  readonly caseLines: (killCase: KillCase, model: NodeModel) => readonly string[]
}

/** The workload with the names learned from elsewhere filled in. */
export const named = (model: NodeModel, workload: Workload): Workload => applyNames(workload, model.names)

/** `3f2a… in 1b3319ed9c1d`: a nested node's pods are not this node's, whatever their uids say. */
const inside = ({ within }: Workload): string => (within === undefined ? '' : ` in ${cellText(placeName(within))}`)

/** `payments/api-7d9f` when the name is known, `pod 3f2a…` when only the uid is; nothing when it is no pod. */
export function podLabel(workload: Workload): string | undefined {
  if (workload.pod !== undefined) return cellText(workload.namespace === undefined ? workload.pod : `${workload.namespace}/${workload.pod}`)
  return workload.podUid === undefined ? undefined : `pod ${cellText(workload.podUid)}${inside(workload)}`
}

/** `postgres (docker)`: a container of no pod whose name is known; nothing otherwise. A cgroup of its own making keeps its path. */
export function containerLabel({ level, podUid, containerId, container, runtime }: Workload, path: string): string | undefined {
  if (level !== 'container' || podUid !== undefined || container === undefined || containerId === undefined || !(path.split('/').at(-1) ?? '').includes(containerId)) return undefined
  return `${cellText(container)}${runtime === undefined || runtime === 'cri' ? '' : ` (${cellText(runtime)})`}`
}

/** What a person calls this cgroup: the pod, the container, else the path without its leading slash. */
export function placeLabel(lens: Lens, model: NodeModel, path: string): string {
  if (path === '/' || path === '') return 'the node'
  const workload = named(model, lens.workloadOf(path))
  return podLabel(workload) ?? containerLabel(workload, path) ?? cellText(path.replace(/^\/+/, ''))
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** `container "api"`, `pod`, `kubepods`, or the last part of the path: a level of limits in a sentence. */
export function levelLabel(workload: Workload, path: string): string {
  switch (workload.level) {
    case 'container': return `container "${cellText(workload.container ?? (workload.role === 'sandbox' ? 'pause' : undefined) ?? workload.containerId?.slice(0, 12) ?? lastOf(path))}"`
    case 'pod': return `the pod${inside(workload)}`
    case 'root': return 'the root cgroup'
    default: return cellText(lastOf(path))
  }
}
