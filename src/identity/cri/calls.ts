/** What may be asked of a runtime: calls that read. Its socket would also create, stop and exec; nothing here can name those. */

export const READ_CALLS = ['Version', 'ListPodSandbox', 'ListContainers', 'ContainerStatus', 'PodSandboxStatus', 'GetContainerEvents'] as const
export type ReadCall = (typeof READ_CALLS)[number]

const ALLOWED: ReadonlySet<string> = new Set(READ_CALLS)

/** The request's path. Throws for anything that is not in the list, whatever the types were told. */
export function callPath(call: ReadCall): string {
  if (!ALLOWED.has(call)) throw new Error(`not a call that reads: ${call}`)
  return `/runtime.v1.RuntimeService/${call}`
}
