/** A certificate authority of the test's own, a server's and a client's certificate by it, made by openssl; nothing of it is kept. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificates = { readonly ca: string; readonly serverCert: string; readonly serverKey: string; readonly clientCert: string; readonly clientKey: string; readonly otherCa: string }

const openssl = (directory: string, args: readonly string[]): void => { execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' }) }
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** The server is called `names`, the client CN=`oomscope-test`. */
export function makeCertificates(directory: string, names: string): Certificates {
  for (const ca of ['ca', 'other']) openssl(directory, ['req', '-x509', ...EC, '-keyout', `${ca}.key`, '-out', `${ca}.crt`, '-days', '2', '-subj', `/CN=test-${ca}`])
  for (const [who, extension] of [['server', `subjectAltName=${names}`], ['client', 'extendedKeyUsage=clientAuth']] as const) {
    writeFileSync(join(directory, `${who}.ext`), `${extension}\n`)
    openssl(directory, ['req', ...EC, '-keyout', `${who}.key`, '-out', `${who}.csr`, '-subj', '/CN=oomscope-test'])
    openssl(directory, ['x509', '-req', '-in', `${who}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-out', `${who}.crt`, '-days', '2', '-extfile', `${who}.ext`])
  }
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8')
  return { ca: read('ca.crt'), otherCa: read('other.crt'), serverCert: read('server.crt'), serverKey: read('server.key'), clientCert: read('client.crt'), clientKey: read('client.key') }
}

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
