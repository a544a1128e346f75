/** Credentials: kubeconfig in the YAML it is written in, the account of a pod, and words that never quote what was read. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { accessOf } from '../../../../src/identity/kubernetes/access.ts'
import { parseYaml } from '../../../../src/identity/kubernetes/yaml.ts'
import { freshDirectories } from '../../../helpers/files.ts'

const fresh = freshDirectories()
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const CONFIG = `apiVersion: v1
kind: Config
# a comment
current-context: "main"
preferences: {}
clusters:
- cluster:
    certificate-authority-data: ${base64('CA')}
    server: https://10.0.0.1:6443   # here
  name: prod
- name: other
  cluster: {server-less: x}
contexts:
  - context:
      cluster: prod
      namespace: default
      user: 'node''s'
    name: main
users:
- name: "node's"
  user:
    client-certificate: pki/client.pem
    client-key: pki/client.pem
    token: s3cr3t-token
`.replace('  cluster: {server-less: x}\n', '  cluster:\n    server: http://x\n')

function written(text: string): string {
  const directory = fresh(), path = join(directory, 'kubeconfig')
  mkdirSync(join(directory, 'pki'))
  writeFileSync(join(directory, 'pki/client.pem'), 'PEM')
  writeFileSync(path, text)
  return path
}

test('a kubeconfig as kubectl and kubeadm write it', async () => {
  expect(await accessOf({ kubeconfig: written(CONFIG) })).toEqual({ server: { host: '10.0.0.1', port: 6443 }, ca: 'CA', cert: 'PEM', key: 'PEM', token: 's3cr3t-token' })
  expect(await accessOf({ kubeconfig: written(JSON.stringify(parseYaml(CONFIG))) })).toMatchObject({ server: { host: '10.0.0.1' }, token: 's3cr3t-token' })
})

test.each<[string, string, RegExp]>([
  ['no verification', CONFIG.replace('    server: https', '    insecure-skip-tls-verify: true\n    server: https'), /insecure-skip-tls-verify is not followed/], ['a program to log in', CONFIG.replace('    token: s3cr3t-token', '    exec:\n      command: aws'), /another program/],
  ['no TLS', CONFIG.replace('https://', 'http://'), /no cluster with an https server/], ['a context that is not there', CONFIG.replace('"main"', 'x'), /no cluster with an https server/],
  ['YAML of another kind', CONFIG.replace('token: s3cr3t-token', 'token: {s3cr3t-token}'), /line \d+: a kind of value/], ['a file that is not there', CONFIG.replace('client-key: pki/client.pem', 'client-key: pki/none.pem'), /none\.pem: there is no such file/],
  ['damage', CONFIG.replace('    token:', '      token'), /line \d+: /], ['half of it as JSON', '{"token": "s3cr3t-token"', /not JSON/],
])('%s is refused in words without the secret', async (_, text, words) => {
  const access = await accessOf({ kubeconfig: written(text) })
  expect(access).toEqual({ reason: expect.stringMatching(words) })
  expect(JSON.stringify(access)).not.toContain('s3cr3t')
})

test('the account of the pod that oomscope runs in; none outside', async () => {
  const directory = fresh()
  writeFileSync(join(directory, 'ca.crt'), 'CA')
  writeFileSync(join(directory, 'token'), 't0ken\n')
  expect(await accessOf({ serviceHost: 'fd00::1', servicePort: '443', accountDirectory: directory })).toEqual({ server: { host: 'fd00::1', port: 443 }, ca: 'CA', token: 't0ken' })
  expect(await accessOf({})).toMatchObject({ isAbsent: true })
  expect(await accessOf({ serviceHost: '10.0.0.1', accountDirectory: join(directory, 'none') })).toEqual({ reason: expect.stringContaining('there is no such file') })
})

test('YAML that is damaged anywhere is read or refused, and never hangs or quotes', () => {
  for (let i = 0; i < CONFIG.length; i += 3) for (const piece of ['\n', ':', '- ', '"', '\t', '  ', '{', '\u001b']) {
    try {
      parseYaml(CONFIG.slice(0, i) + piece + CONFIG.slice(i + 1))
    } catch (error) {
      expect((error as Error).message).toMatch(/^line \d+: [a-zA-Z' ]+$/)
    }
  }
  expect(() => parseYaml('a:\n'.repeat(20_000))).toThrow('too long')
  expect(() => parseYaml(Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'))).toThrow('nested too deep')
})
