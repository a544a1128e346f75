/** Two places that list the pods of this node: the Kubernetes API, narrowed to the node, and the node's own kubelet. GET only. */
import { readFile } from 'node:fs/promises'
import { printable } from '../../base/text.ts'
import { getJson, type Answer, type Place } from '../http-json.ts'
import { at, listOf, textOf } from '../json.ts'
import { accessOf, type AccessOptions } from './access.ts'

export type Pods = { readonly pods: readonly unknown[]; readonly who: string; /** Spent on reading them. */ readonly parseMs: number; /** Something is missing. */ readonly reason?: string } | { readonly failure: string; readonly isAbsent?: true }
export type PodReader = (signal: AbortSignal) => Promise<Pods>

export type ReaderOptions = AccessOptions & {
  /** As the cluster knows it. */
  readonly node: string
  /** Of the kubelet: `https://host:port`, or `http://host:port` of its read-only port, which only a person can vouch for. */
  readonly kubelet?: string | undefined
  /** Certificates of a kubelet that signed its own. */
  readonly kubeletCertificate?: string
  readonly timeoutMs?: number
}

const PAGE = 250, MAX_PAGES = 20, MAX_BYTES = 8 * 2 ** 20, TIMEOUT_MS = 5000
const KUBELET = 'https://localhost:10250', KUBELET_CERTIFICATE = '/var/lib/kubelet/pki/kubelet.crt'

/** What a person can do about a refusal. */
function wordsOf(answer: Extract<Answer, { readonly failure: string }>, rights: string): string {
  if (answer.status === 401) return 'status 401: the credentials are not accepted'
  return answer.status === 403 ? `status 403: not allowed, it needs ${rights}` : answer.failure
}

const hostText = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Every pod of this node, a page at a time, from the API server's cache. */
export const apiReader = (options: ReaderOptions): PodReader => async (signal) => {
  const access = await accessOf(options)
  if ('reason' in access) return { failure: access.reason, ...(access.isAbsent === true ? { isAbsent: true } : {}) }
  const { server, token, ca, cert, key, servername } = access, place: Place = { protocol: 'https:', ...server, ca, cert, key, servername }
  const pods: unknown[] = [], who = `Kubernetes API at ${printable(hostText(server.host, server.port), 200)}`
  let next = '', parseMs = 0
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = `fieldSelector=${encodeURIComponent(`spec.nodeName=${options.node}`)}&limit=${PAGE}${next === '' ? '&resourceVersion=0' : `&continue=${encodeURIComponent(next)}`}`
    const answer = await getJson(place, `/api/v1/pods?${query}`, { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, maxBytes: MAX_BYTES, token, signal })
    if ('failure' in answer) return { failure: `${who}: ${wordsOf(answer, 'get and list on pods')}` }
    if (!Array.isArray(at(answer.value, 'items'))) return { failure: `${who}: the answer is no list of pods` }
    parseMs += answer.parseMs
    // A server that does not narrow the list is not believed about other nodes.
    pods.push(...listOf(at(answer.value, 'items')).filter((pod) => at(pod, 'spec', 'nodeName') === options.node))
    const more = at(answer.value, 'metadata', 'continue')
    if (typeof more !== 'string' || more === '') return { pods, who, parseMs, ...(pods.length === 0 ? { reason: `it has no pod on a node called ${printable(options.node, 253)} (--node says another name)` } : {}) }
    next = more
  }
  return { pods, who, parseMs, reason: 'more pods than are read' }
}

/** What the kubelet runs. Its certificate must be the cluster's, or the one it made for itself, which only root can have put there. */
export const kubeletReader = (options: ReaderOptions): PodReader => async (signal) => {
  const url = URL.canParse(options.kubelet ?? KUBELET) ? new URL(options.kubelet ?? KUBELET) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) return { failure: '--kubelet is no address like https://127.0.0.1:10250' }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1'), isPlain = url.protocol === 'http:', port = url.port === '' ? (isPlain ? 10255 : 10250) : Number(url.port), who = `kubelet at ${printable(hostText(host, port), 200)}`
  let token: string | undefined, place: Place = { protocol: 'http:', host, port }
  if (!isPlain) {
    const access = await accessOf(options)
    if ('reason' in access) return { failure: access.reason, ...(access.isAbsent === true && options.kubelet === undefined ? { isAbsent: true } : {}) }
    const own = await readFile(options.kubeletCertificate ?? KUBELET_CERTIFICATE, 'utf8').catch(() => ''), { ca = '', cert, key } = access
    token = access.token
    place = { protocol: 'https:', host, port, ca: `${ca}\n${own}`, cert, key, servername: /^[\d.]+$|:/.test(host) || host === 'localhost' ? options.node : undefined }
  }
  const answer = await getJson(place, '/pods', { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, maxBytes: MAX_BYTES, token, signal })
  // In a network of its own, as most pods have it, there is no kubelet.
  if ('failure' in answer && answer.errno === 'ECONNREFUSED' && options.kubelet === undefined) return { failure: `${who}: nobody listens`, isAbsent: true }
  if ('failure' in answer) return { failure: `${who}: ${wordsOf(answer, 'get on nodes/pods (before 1.33 on nodes/proxy)')}` }
  if (!Array.isArray(at(answer.value, 'items'))) return { failure: `${who}: the answer is no list of pods` }
  return { pods: listOf(at(answer.value, 'items')), who: `${who}${await evictionWords(place, options, { token, signal })}`, parseMs: answer.parseMs }
}

/** When it begins to evict; nothing where it does not say so. */
async function evictionWords(place: Place, options: ReaderOptions, { token, signal }: { readonly token: string | undefined; readonly signal: AbortSignal }): Promise<string> {
  const answer = await getJson(place, '/configz', { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, maxBytes: MAX_BYTES, token, signal })
  const threshold = 'failure' in answer ? undefined : textOf(at(answer.value, 'kubeletconfig', 'evictionHard', 'memory.available'), 40)
  return threshold === undefined ? '' : `, which evicts below ${threshold} available`
}
