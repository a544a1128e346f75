/** Cgroups as kubelet and containerd name them (systemd driver), so that level and identity can be checked. */
import { createHash } from 'node:crypto'
import type { Limits, Memcg } from './cgroup.ts'
import type { Lab } from './lab.ts'

const hex = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A pod's uid that is the same in every run. */
export const podUid = (pod: string): string => hex(pod).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')

export const containerName = (container: string): string => `cri-containerd-${hex(container)}.scope`

/** The burstable QoS slice with everything above it; each scenario makes it anew. */
export function burstable(lab: Lab, limits: Limits = {}): Memcg {
  if (lab.options.root !== '') lab.memcg('')
  lab.memcg('/kubepods.slice')
  return lab.memcg('/kubepods.slice/kubepods-burstable.slice', limits)
}

export type PodOptions = { readonly limits?: Limits; readonly containers: Readonly<Record<string, Limits>> }

export type Pod = { readonly group: Memcg; readonly containers: Readonly<Record<string, Memcg>> }

export function pod(lab: Lab, qos: Memcg, name: string, { limits = {}, containers }: PodOptions): Pod {
  const group = lab.remember(qos.child(`kubepods-burstable-pod${podUid(name).replaceAll('-', '_')}.slice`).create(limits))
  return { group, containers: Object.fromEntries(Object.entries(containers).map(([container, of]) => [container, lab.remember(group.child(containerName(`${name}/${container}`)).create(of))])) }
}

/** The same below a limit for all pods, the node's allocatable memory. */
export function allocatable(lab: Lab, limits: Limits): { readonly kubepods: Memcg; readonly qos: Memcg } {
  const kubepods = lab.memcg('/kubepods.slice', limits)
  return { kubepods, qos: lab.memcg('/kubepods.slice/kubepods-burstable.slice') }
}

/** A pod with one container that has this limit; the pod has none, so that the container's is the one that is hit. */
export function container(lab: Lab, name: string, limits: Limits): Memcg {
  return pod(lab, burstable(lab), name, { containers: { main: limits } }).containers['main'] as Memcg
}
