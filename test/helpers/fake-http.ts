/** A server of JSON on a socket file or a port, as Docker, the kubelet and the Kubernetes API answer; a test says what it answers, or how it fails. */
import { createServer as createHttp } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'

export type Reply = { readonly status?: number; readonly body: unknown; readonly server?: string } | { readonly raw: string } | 'hang' | 'drip' | 'break'
export type FakeHttp = { readonly requests: { readonly method: string; readonly url: string; readonly authorization: string | undefined }[]; readonly port: number; readonly close: () => Promise<void> }

export async function fakeHttp(reply: (url: string, request: IncomingMessage) => Reply, at: { readonly path?: string; readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string } } = {}): Promise<FakeHttp> {
  const requests: { method: string; url: string; authorization: string | undefined }[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', authorization: request.headers.authorization })
    answer(reply(request.url ?? '', request), response)
  }
  const server = at.tls === undefined ? createHttp(handle) : createHttps({ ...at.tls, ...(at.tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }) }, handle)
  await new Promise<void>((resolve) => { if (at.path === undefined) server.listen(0, '127.0.0.1', resolve); else server.listen(at.path, resolve) })
  return { requests, port: at.path === undefined ? (server.address() as AddressInfo).port : 0, close: async () => { server.closeAllConnections(); await new Promise((resolve) => server.close(resolve)) } }
}

function answer(reply: Reply, response: ServerResponse): void {
  if (reply === 'hang') return
  if (reply === 'break') { response.writeHead(200, { 'content-length': 1000 }); response.write('['); setImmediate(() => response.destroy()); return }
  if (reply === 'drip') { response.writeHead(200); const timer = setInterval(() => response.write(' '), 5); response.on('close', () => clearInterval(timer)); return }
  if ('raw' in reply) { response.writeHead(200); response.end(reply.raw); return }
  response.writeHead(reply.status ?? 200, { server: reply.server ?? 'Docker/20.10.24 (linux)' })
  response.end(JSON.stringify(reply.body))
}

/** Waits until it is so, looking again after every turn of the event loop; the test's own time limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1))
}
