/** One GET, answered with JSON or with why not: bounded in time and size, over a socket file, plain HTTP or verified TLS. Nothing here can write. */
import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { errnoOf } from '../base/errors.ts'
import { printable } from '../base/text.ts'

/** TLS is always verified, against `ca` where it is given. */
export type Place =
  | { readonly socketPath: string }
  | { readonly protocol: 'http:' | 'https:'; readonly host: string; readonly port: number; readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined; readonly servername?: string | undefined }

export type Answer = { readonly value: unknown; readonly server: string | undefined; /** Of this process, for reading it. */ readonly parseMs: number } | { readonly failure: string; readonly status?: number; readonly errno?: string }

export type GetOptions = { readonly timeoutMs: number; readonly maxBytes: number; readonly token?: string | undefined; readonly signal?: AbortSignal }

/** Never rejects. */
export async function getJson(place: Place, path: string, options: GetOptions): Promise<Answer> {
  return await new Promise<Answer>((resolve) => {
    let request: ClientRequest | undefined
    const finish = (answer: Answer): void => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      resolve(answer)
      request?.destroy()
    }
    const abort = (): void => finish({ failure: 'no longer wanted' })
    // Of everything together: a server may send a byte now and then for ever.
    const timer = setTimeout(() => finish({ failure: `no answer within ${options.timeoutMs / 1000} s`, errno: 'ETIMEDOUT' }), options.timeoutMs).unref()
    options.signal?.addEventListener('abort', abort)
    try {
      request = open(place, path, options)
      request.on('response', (response) => { readBody(response, options.maxBytes, finish) })
      request.on('error', (error) => finish({ failure: wordsOf(error), errno: errnoOf(error) }))
      request.end()
    } catch (error) {
      // Node refuses some certificates, keys and header values at once.
      finish({ failure: wordsOf(error), errno: errnoOf(error) })
    }
  })
}

function open(place: Place, path: string, { token }: GetOptions): ClientRequest {
  const headers = { accept: 'application/json', 'user-agent': 'oomscope', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
  const common: RequestOptions = { method: 'GET', path, headers, agent: false, setHost: true }
  if ('socketPath' in place) return httpRequest({ ...common, socketPath: place.socketPath, host: 'localhost' })
  const { protocol, host, port, ca, cert, key, servername } = place
  if (protocol === 'http:') return httpRequest({ ...common, host, port })
  const given = Object.fromEntries(Object.entries({ ca, cert, key, servername }).filter(([, value]) => value !== undefined))
  return httpsRequest({ ...common, host, port, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...given })
}

function readBody(response: IncomingMessage, maxBytes: number, finish: (answer: Answer) => void): void {
  const status = response.statusCode ?? 0, chunks: Buffer[] = []
  let bytes = 0
  if (status !== 200) { finish({ failure: `status ${status}`, status }); return }
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBytes) finish({ failure: `more than ${Math.round(maxBytes / 2 ** 20)} MiB` })
    else chunks.push(chunk)
  })
  response.on('error', (error) => finish({ failure: wordsOf(error) }))
  response.on('aborted', () => finish({ failure: 'the answer broke off' }))
  response.on('end', () => {
    const { server } = response.headers
    const startMs = performance.now()
    try {
      const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
      finish({ value, parseMs: performance.now() - startMs, server: typeof server === 'string' ? printable(server, 80) : undefined })
    } catch {
      finish({ failure: 'the answer is not JSON' })
    }
  })
}

/** Node's messages may quote what was sent or received; a code says enough. */
function wordsOf(error: unknown): string {
  switch (errnoOf(error)) {
    case 'ENOENT': return 'there is no such socket'
    case 'ECONNREFUSED': return 'nobody listens'
    case 'EACCES': case 'EPERM': return 'not permitted (root may)'
    case '': return 'the request failed'
    default: return printable(errnoOf(error), 60)
  }
}
