/** A container image out of a few static programs, as the tar of an OCI layout that `ctr images import` takes, and `docker load` and `podman load`, too: no registry, no network. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** One file in ustar (POSIX pax, "ustar Interchange Format"): a header of 512 bytes, then the bytes, padded. */
function tarEntry(name: string, bytes: Buffer, mode: number): Buffer {
  const head = Buffer.alloc(512), octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`
  head.write(name, 0)
  head.write(octal(mode, 8), 100)
  head.write(octal(0, 8) + octal(0, 8), 108)
  head.write(octal(bytes.length, 12) + octal(0, 12), 124)
  head.write('        0', 148)
  head.write('ustar\u000000', 257)
  let sum = 0
  for (const byte of head) sum += byte
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

const tar = (entries: readonly Buffer[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)])

const blobPath = ({ digest }: { readonly digest: string }): string => `blobs/${digest.replace(':', '/')}`

export type ImageSpec = { readonly reference: string; /** Where each program is, by the name it has in the image. */ readonly programs: Readonly<Record<string, string>>; readonly entrypoint: string }

/** Writes the image; each program lies in the root of its file system. */
export function writeImage(file: string, { reference, programs, entrypoint }: ImageSpec): void {
  const blobs = new Map<string, Buffer>(), json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const put = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => {
    blobs.set(sha256(bytes), bytes)
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
  }
  const layer = tar(Object.entries(programs).map(([name, path]) => tarEntry(name, readFileSync(path), 0o755)))
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const config = put('application/vnd.oci.image.config.v1+json', json({ architecture, os: 'linux', config: { Entrypoint: [entrypoint] }, rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] } }))
  const rootLayer = put('application/vnd.oci.image.layer.v1.tar', layer)
  const manifest = put('application/vnd.oci.image.manifest.v1+json', json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [rootLayer] }))
  // What Docker reads before version 25 (moby, image/tarexport/load.go): it looks for no index.
  const forDocker = [{ Config: blobPath(config), RepoTags: [reference], Layers: [blobPath(rootLayer)] }]
  const named = { ...manifest, platform: { architecture, os: 'linux' }, annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference } }
  writeFileSync(file, tar([
    tarEntry('oci-layout', json({ imageLayoutVersion: '1.0.0' }), 0o644), tarEntry('index.json', json({ schemaVersion: 2, manifests: [named] }), 0o644),
    tarEntry('manifest.json', json(forDocker), 0o644), ...[...blobs].map(([digest, bytes]) => tarEntry(blobPath({ digest: `sha256:${digest}` }), bytes, 0o644)),
  ]))
}
