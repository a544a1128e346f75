/**
 * gRPC over HTTP/2 on a unix socket, the client's half of what CRI needs (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): unary calls and
 * server streams. Every call ends: with an answer, a refusal, or its timeout. Whatever the other side sends is bounded and never throws.
 */
import { connect as connectHttp2, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { callPath, type ReadCall } from './calls.ts'

/** gRPC's own status codes that matter here; `-1` is ours: there was no answer at all. */
export const GRPC = { ok: 0, deadlineExceeded: 4, notFound: 5, unimplemented: 12, none: -1 } as const

export type Answer = { readonly status: 0; readonly body: Buffer } | { readonly status: number; readonly body?: undefined; readonly reason: string }

export type CallOptions = { readonly timeoutMs: number; readonly maxBytes: number }

/** Flow control: the default 64 KiB would cost a round trip for each of them, and a list of a thousand containers is 2 MiB. */
const WINDOW_BYTES = 4 * 2 ** 20

export class GrpcConnection {
  private readonly session: ClientHttp2Session
  /** Why the connection ended; undefined while it lives. */
  fault: string | undefined
  /** Called once, when it ended. */
  onEnd: () => void = () => undefined

  constructor(socketPath: string) {
    this.session = connectHttp2('http://localhost', { createConnection: () => connectSocket(socketPath), settings: { enablePush: false, initialWindowSize: WINDOW_BYTES } })
    this.session.on('error', (error: NodeJS.ErrnoException) => this.end(error.code ?? error.message))
    this.session.on('goaway', () => this.end('it went away'))
    this.session.on('close', () => this.end('closed'))
    this.session.once('connect', () => this.session.setLocalWindowSize(WINDOW_BYTES))
    // A runtime that hangs must not keep the program from ending.
    this.session.unref()
  }

  close(): void { this.end('closed') }

  /** One question, one answer. Never rejects. */
  async unary(call: ReadCall, request: Buffer, { timeoutMs, maxBytes }: CallOptions): Promise<Answer> {
    let body: Buffer | undefined
    const ended = await this.run(call, request, { timeoutMs, maxBytes, onMessage: (message) => { body ??= message } })
    if (ended.status !== GRPC.ok) return ended
    return body === undefined ? { status: GRPC.none, reason: 'an answer without a message' } : { status: GRPC.ok, body }
  }

  /** A server stream: `onMessage` gets each message; resolves when the stream ended. `onOpen` when it was accepted. */
  stream(call: ReadCall, request: Buffer, options: { readonly maxBytes: number; readonly onMessage: (message: Buffer) => void; readonly onOpen: () => void }): Promise<Answer> {
    return this.run(call, request, options)
  }

  private run(call: ReadCall, request: Buffer, options: RunOptions): Promise<Answer> {
    if (this.fault !== undefined || this.session.destroyed) return Promise.resolve({ status: GRPC.none, reason: this.fault ?? 'closed' })
    let stream: ClientHttp2Stream
    try {
      stream = this.session.request({
        ':method': 'POST', ':path': callPath(call), ':authority': 'localhost', 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'oomscope',
        ...(options.timeoutMs === undefined ? {} : { 'grpc-timeout': `${options.timeoutMs}m` }),
      })
    } catch (error) {
      return Promise.resolve({ status: GRPC.none, reason: error instanceof Error ? error.message : String(error) })
    }
    stream.end(frameOf(request))
    return answerOf(stream, options)
  }

  private end(reason: string): void {
    if (this.fault !== undefined) return
    this.fault = reason
    this.session.destroy()
    this.onEnd()
  }
}

type RunOptions = { readonly maxBytes: number; readonly timeoutMs?: number; readonly onMessage: (message: Buffer) => void; readonly onOpen?: () => void }

/** A message on the wire: not compressed, length, bytes. */
export function frameOf(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Follows one call to its end. */
function answerOf(stream: ClientHttp2Stream, { maxBytes, timeoutMs, onMessage, onOpen }: RunOptions): Promise<Answer> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {}, trailers: IncomingHttpHeaders = {}, isDone = false
    const splitter = new MessageSplitter(maxBytes)
    const finish = (answer: Answer): void => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      resolve(answer)
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
    }
    const fail = (reason: string): void => finish({ status: GRPC.none, reason })
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => finish({ status: GRPC.deadlineExceeded, reason: `no answer within ${timeoutMs / 1000} s` }), timeoutMs)
    stream.on('response', (given) => {
      headers = given
      if (given[':status'] !== 200) fail(`HTTP status ${String(given[':status'])}`)
      else if (given['grpc-status'] === undefined) onOpen?.()
    })
    stream.on('trailers', (given: IncomingHttpHeaders) => { trailers = given })
    stream.on('data', (chunk: Buffer) => {
      if (isDone) return
      const fault = splitter.push(chunk, onMessage)
      if (fault !== undefined) fail(fault)
    })
    stream.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    // A call that ends before any message says its status in the headers.
    stream.on('close', () => finish(statusOf(trailers['grpc-status'] === undefined ? headers : trailers)))
  })
}

function statusOf(from: IncomingHttpHeaders): Answer {
  const code = from['grpc-status'], message = from['grpc-message']
  if (code === '0') return { status: GRPC.ok, body: Buffer.alloc(0) }
  if (typeof code !== 'string' || !/^\d{1,3}$/.test(code)) return { status: GRPC.none, reason: 'the connection ended without a status' }
  return { status: Number(code), reason: typeof message === 'string' && message !== '' ? percentDecoded(message) : `gRPC status ${code}` }
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Chunks of a stream → messages. */
class MessageSplitter {
  private chunks: Buffer[] = []
  private held = 0
  /** Length of the message being gathered; undefined while its head is not complete. */
  private wanted: number | undefined
  private readonly maxBytes: number

  constructor(maxBytes: number) { this.maxBytes = maxBytes }

  /** Gives every complete message; returns what is wrong with the stream, if anything. */
  push(chunk: Buffer, give: (message: Buffer) => void): string | undefined {
    this.chunks.push(chunk)
    this.held += chunk.length
    for (;;) {
      if (this.wanted === undefined) {
        if (this.held < 5) return undefined
        const head = this.take(5)
        if (head[0] !== 0) return 'a compressed message, which was not asked for'
        this.wanted = head.readUInt32BE(1)
        if (this.wanted > this.maxBytes) return `a message of ${this.wanted} bytes: more than ${this.maxBytes} are not read`
      }
      if (this.held < this.wanted) return undefined
      const message = this.take(this.wanted)
      this.wanted = undefined
      give(message)
    }
  }

  private take(count: number): Buffer {
    const [first] = this.chunks
    const all = this.chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.chunks, this.held)
    this.held -= count
    this.chunks = this.held === 0 ? [] : [all.subarray(count)]
    return all.subarray(0, count)
  }
}
