/**
 * Where the Kubernetes API is and as whom it may be read: the service account of the pod that oomscope runs in, or a kubeconfig that somebody
 * named. Secrets are read anew for every connection (they rotate), go into it and nowhere else: no message quotes what was read.
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { printable } from '../../base/text.ts'
import { at, listOf } from '../json.ts'
import { parseYaml } from './yaml.ts'

export type Server = { readonly host: string; readonly port: number }
export type Access = { readonly server: Server; readonly ca?: string | undefined; readonly token?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined; readonly servername?: string | undefined }
/** `isAbsent`: nobody gave any, which is no fault. */
export type NoAccess = { readonly reason: string; readonly isAbsent?: true }

export type AccessOptions = {
  readonly kubeconfig?: string | undefined
  /** KUBERNETES_SERVICE_HOST and _PORT, as every pod has them. */
  readonly serviceHost?: string | undefined; readonly servicePort?: string | undefined
  readonly accountDirectory?: string
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount', MAX_FILE_BYTES = 2 ** 20

export async function accessOf(options: AccessOptions): Promise<Access | NoAccess> {
  try {
    return options.kubeconfig === undefined ? await ofAccount(options) : await ofKubeconfig(options.kubeconfig)
  } catch (error) {
    return { reason: error instanceof Refusal ? error.message : 'the credentials cannot be read' }
  }
}

/** Its words may be shown. */
class Refusal extends Error {}

async function read(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Refusal(`${printable(path, 200)}: ${errnoOf(error) === 'ENOENT' ? 'there is no such file' : errnoOf(error) === 'EACCES' ? 'not permitted' : 'cannot be read'}`)
  }
  if (text.length > MAX_FILE_BYTES) throw new Refusal(`${printable(path, 200)}: too long`)
  return text
}

async function ofAccount({ serviceHost, servicePort, accountDirectory = ACCOUNT }: AccessOptions): Promise<Access | NoAccess> {
  if (serviceHost === undefined || serviceHost === '') return { reason: 'neither in a pod nor --kubeconfig given', isAbsent: true }
  return { server: { host: serviceHost, port: portOf(servicePort) ?? 443 }, ca: await read(`${accountDirectory}/ca.crt`), token: (await read(`${accountDirectory}/token`)).trim() }
}

const portOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined)

/** The element of a kubeconfig's list with this name. */
const named = (config: unknown, list: string, name: unknown, key: string): unknown => at(listOf(at(config, list)).find((one) => at(one, 'name') === name), key)

function parsed(text: string, path: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) as unknown : parseYaml(text)
  } catch (error) {
    throw new Refusal(`${printable(path, 200)}: ${error instanceof SyntaxError || !(error instanceof Error) ? 'not JSON' : error.message}`)
  }
}

async function ofKubeconfig(path: string): Promise<Access> {
  const config = parsed(await read(path), path), context = named(config, 'contexts', at(config, 'current-context'), 'context')
  const cluster = named(config, 'clusters', at(context, 'cluster'), 'cluster'), user = named(config, 'users', at(context, 'user'), 'user')
  const fail = (why: string): never => { throw new Refusal(`${printable(path, 200)}: ${why}`) }
  if (String(at(cluster, 'insecure-skip-tls-verify')) === 'true') fail('insecure-skip-tls-verify is not followed: a name that anybody may send is worth nothing')
  if (at(user, 'exec') !== undefined || at(user, 'auth-provider') !== undefined) fail('its user needs another program to log in, which is not run here')
  const url = serverOf(at(cluster, 'server')) ?? fail('the current context names no cluster with an https server')
  const material = async (owner: unknown, name: string): Promise<string | undefined> => {
    const inline = at(owner, `${name}-data`), file = at(owner, name)
    if (typeof inline === 'string' && inline !== '') return Buffer.from(inline, 'base64').toString('utf8')
    return typeof file === 'string' && file !== '' ? await read(resolve(dirname(path), file)) : undefined
  }
  const token = at(user, 'token'), tokenFile = at(user, 'tokenFile'), servername = at(cluster, 'tls-server-name')
  return {
    server: url, ca: await material(cluster, 'certificate-authority'), cert: await material(user, 'client-certificate'), key: await material(user, 'client-key'),
    token: typeof tokenFile === 'string' && tokenFile !== '' ? (await read(resolve(dirname(path), tokenFile))).trim() : typeof token === 'string' && token !== '' ? token : undefined,
    ...(typeof servername === 'string' ? { servername } : {}),
  }
}

/** Tokens go over verified TLS only. */
function serverOf(value: unknown): Server | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  const { protocol, hostname, port } = new URL(value)
  return protocol === 'https:' ? { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 443 : Number(port) } : undefined
}
