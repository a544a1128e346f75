/**
 * Names of pods and containers from the directories the kubelet writes logs to: no socket, no token, only a readable /var/log.
 * `/var/log/pods/<namespace>_<pod>_<uid>/<container>/<n>.log` and `/var/log/containers/<pod>_<namespace>_<container>-<id>.log`
 * (kubernetes pkg/kubelet/kuberuntime/helpers.go, legacy.go). Names in there are as hostile as any file name.
 */
import { opendir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../base/errors.ts'

export type LearnedName = { readonly podUid?: string; readonly containerId?: string; readonly namespace: string; readonly pod: string; readonly container?: string }

/** What was found; `skipped` entries did not have kubelet's form, `truncated` says that there were more than are read. */
export type PodLogs = { readonly names: readonly LearnedName[]; readonly skipped: number; readonly truncated: boolean; readonly failure?: string }

export type PodLogOptions = { readonly podsDirectory?: string; readonly containersDirectory?: string; readonly maxEntries?: number }

const DNS_LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?', DNS_NAME = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?'
const UID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}'
const POD_DIRECTORY = new RegExp(`^(${DNS_LABEL})_(${DNS_NAME})_(${UID})$`)
const CONTAINER_LINK = new RegExp(`^(${DNS_NAME})_(${DNS_LABEL})_(${DNS_LABEL})-([0-9a-f]{64})\\.log$`)
const DEFAULT_MAX_ENTRIES = 10_000, ENTRIES_AT_ONCE = 512

/** `_` cannot occur in a namespace, a pod name or a uid, so the split is exact. */
export function parsePodDirectory(name: string): LearnedName | undefined {
  const match = POD_DIRECTORY.exec(name)
  return match?.[1] === undefined || match[2] === undefined || match[3] === undefined ? undefined : { namespace: match[1], pod: match[2], podUid: match[3] }
}

/** A name cut at 251 characters has lost its id and is no container's. */
export function parseContainerLink(name: string): LearnedName | undefined {
  const match = CONTAINER_LINK.exec(name)
  return match?.[1] === undefined || match[2] === undefined || match[3] === undefined || match[4] === undefined ? undefined
    : { pod: match[1], namespace: match[2], container: match[3], containerId: match[4] }
}

type Listing = { readonly entries: readonly string[]; readonly truncated: boolean; readonly failure?: string }

async function list(directory: string, maxEntries: number): Promise<Listing> {
  const entries: string[] = []
  try {
    for await (const entry of await opendir(directory, { bufferSize: ENTRIES_AT_ONCE })) {
      if (entries.length >= maxEntries) return { entries, truncated: true }
      entries.push(entry.name)
    }
  } catch (error) {
    // No kubelet on this node: nothing to learn, and no failure.
    if (errnoOf(error) !== 'ENOENT') return { entries, truncated: false, failure: `${directory}: ${errnoOf(error) || 'unreadable'}` }
  }
  return { entries, truncated: false }
}

/** The same object again while nothing was made or removed in the directory. */
function lister(directory: string, maxEntries: number): () => Promise<Listing> {
  let last: { readonly listing: Listing; readonly mtimeNs: bigint; readonly isSure: boolean } | undefined
  return async () => {
    const mtimeNs = await stat(directory, { bigint: true }).then((is) => is.mtimeNs, () => undefined)
    if (last?.isSure === true && last.mtimeNs === mtimeNs) return last.listing
    const listing = await list(directory, maxEntries)
    // Listed twice: what comes within the same tick of the kernel's clock leaves the time as it is.
    last = mtimeNs === undefined || listing.failure !== undefined ? undefined : { listing, mtimeNs, isSure: last?.mtimeNs === mtimeNs }
    return listing
  }
}

/** The link's target is inside the pod's directory, which has the pod's uid in its name; a link that says otherwise is not believed. */
async function podUidOfLink(directory: string, entry: string, named: LearnedName): Promise<string | undefined> {
  try {
    const parts = (await readlink(join(directory, entry))).split('/')
    const pod = parts.length >= 3 ? parsePodDirectory(parts[parts.length - 3] ?? '') : undefined
    return pod !== undefined && pod.namespace === named.namespace && pod.pod === named.pod && parts[parts.length - 2] === named.container ? pod.podUid : undefined
  } catch {
    // Removed meanwhile, or a file instead of a link: its name still says enough.
    return undefined
  }
}

/**
 * Reads both directories, bounded; a directory that is not there has no names. What it returns may be called again and again: on a node of
 * 500 pods a link is read once, and nothing is listed that did not change; then the answer is the same object as before.
 */
export function podLogReader(options: PodLogOptions = {}): () => Promise<PodLogs> {
  const { maxEntries = DEFAULT_MAX_ENTRIES, podsDirectory = '/var/log/pods', containersDirectory = '/var/log/containers' } = options
  const listPods = lister(podsDirectory, maxEntries), listLinks = lister(containersDirectory, maxEntries)
  let known: ReadonlyMap<string, LearnedName> = new Map(), last: { readonly pods: Listing; readonly links: Listing; readonly found: PodLogs } | undefined
  return async () => {
    const pods = await listPods(), links = await listLinks()
    if (last?.pods === pods && last.links === links) return last.found
    const names = pods.entries.flatMap((entry) => parsePodDirectory(entry) ?? []), complete = new Map<string, LearnedName>()
    for (const entry of links.entries) {
      const name = known.get(entry) ?? await readLink(containersDirectory, entry)
      if (name === undefined) continue
      names.push(name)
      // The id in the link's name is of one container, and so of one pod.
      if (name.podUid !== undefined) complete.set(entry, name)
    }
    known = complete
    const failure = pods.failure ?? links.failure
    const found = { names, skipped: pods.entries.length + links.entries.length - names.length, truncated: pods.truncated || links.truncated, ...(failure === undefined ? {} : { failure }) }
    last = { pods, links, found }
    return found
  }
}

async function readLink(directory: string, entry: string): Promise<LearnedName | undefined> {
  const name = parseContainerLink(entry), podUid = name === undefined ? undefined : await podUidOfLink(directory, entry, name)
  return name === undefined || podUid === undefined ? name : { ...name, podUid }
}
