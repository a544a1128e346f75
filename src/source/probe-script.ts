/** One script of probes/: its header, the manual a person reads, is also what the choice of probes is made from. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ProbeScript = {
  readonly file: string
  readonly question: string
  readonly rung: string
  /** Kinds it prints, by number and name as its header says. */
  readonly emits: readonly { readonly number: number; readonly name: string }[]
  /** Counters and histograms it prints (names as in kinds.ts, without `@`). */
  readonly maps: readonly string[]
  /** What kernel and bpftrace must have; see probe-needs.ts. */
  readonly needs: readonly string[]
  readonly selftests: readonly string[]
  readonly text: string
}

// The same distance from src/source and dist/source.
const FROM_HERE = '../../probes'

/** The folder with the scripts. */
export const PROBES_DIRECTORY = fileURLToPath(new URL(FROM_HERE, import.meta.url))

/** Every script of a folder, by file name. */
export async function loadProbeScripts(directory: string = PROBES_DIRECTORY): Promise<ProbeScript[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.bt')).sort()
  return Promise.all(files.map(async (file) => parseProbeScript(file, await readFile(join(directory, file), 'utf8'))))
}

/** Reads the header: `// Key:  value` lines, continued by lines indented under the value, until the first line of code. */
export function parseProbeScript(file: string, text: string): ProbeScript {
  const header = headerOf(text), words = (key: string): string[] => (header.get(key) ?? '').split(/\s+/).filter(Boolean)
  const emits = header.get('Emits') ?? ''
  return {
    file, text,
    question: words('Question')[0] ?? '', rung: words('Rung')[0] ?? '', needs: words('Needs'), selftests: words('Selftest'),
    emits: [...emits.matchAll(/(\d+)\s+(\w+)/g)].map((m) => ({ number: Number(m[1]), name: m[2] as string })),
    maps: [...emits.matchAll(/@(\w+)/g)].map((m) => m[1] as string),
  }
}

/** The header's values by key; continuation lines are joined with a newline. */
export function headerOf(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let key: string | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('#!')) continue
    if (!line.startsWith('//')) break
    const [, name, value] = /^\/\/ (\w+):\s*(.*)$/.exec(line) ?? []
    if (name !== undefined) values.set(key = name, value ?? '')
    else if (key !== undefined && /^\/\/\s+\S/.test(line)) values.set(key, `${values.get(key)}\n${line.slice(2).trim()}`)
    else key = undefined
  }
  return values
}
