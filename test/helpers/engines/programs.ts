/** Where the container engines of the tests are: on PATH, or as `unpack.sh` left them. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CACHE = fileURLToPath(new URL('../../../.cache/engines', import.meta.url))

export type Program = { readonly file: string; readonly env: NodeJS.ProcessEnv; /** Of its own libraries and helpers; nothing where it is installed. */ readonly unpacked?: string }

/** dockerd, podman or conmon; nothing where there is none. */
export function engineProgram(name: string): Program | undefined {
  const paths = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, installed = paths.split(':').map((directory) => `${directory}/${name}`).find((file) => existsSync(file))
  if (installed !== undefined) return { file: installed, env: { ...process.env, PATH: paths } }
  const file = `${CACHE}/bin/${name}`
  return existsSync(file) ? { file, env: { ...process.env, PATH: `${CACHE}/bin:${paths}`, LD_LIBRARY_PATH: `${CACHE}/lib` }, unpacked: CACHE } : undefined
}
