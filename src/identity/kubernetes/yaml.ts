/** The part of YAML that kubeconfig files are written in: maps and lists by indentation, plain and quoted text. Anything else is refused, not guessed. */

type Line = { readonly indent: number; readonly text: string; readonly number: number }
type Reader = { readonly lines: Line[]; at: number }

const MAX_LINES = 10_000, MAX_DEPTH = 32

/** Throws an Error that names the line, and nothing of what is in it: it may be a secret. */
export function parseYaml(text: string): unknown {
  const lines = text.split(/\r?\n/).flatMap((raw, i): Line[] => {
    const body = raw.trim()
    if (body === '' || body.startsWith('#') || body === '---') return []
    if (raw.includes('\t')) throw refused(i + 1, 'a tab')
    return [{ indent: raw.length - raw.trimStart().length, text: body, number: i + 1 }]
  })
  if (lines.length > MAX_LINES) throw refused(MAX_LINES, 'too long')
  const reader = { lines, at: 0 }, value = lines.length === 0 ? undefined : block(reader, lines[0]?.indent ?? 0, 0), rest = lines[reader.at]
  if (rest !== undefined) throw refused(rest.number, 'not understood')
  return value
}

const refused = (line: number, why: string): Error => new Error(`line ${line}: ${why}`)

function block(reader: Reader, indent: number, depth: number): unknown {
  const first = reader.lines[reader.at]
  if (first === undefined) return undefined
  if (depth > MAX_DEPTH) throw refused(first.number, 'nested too deep')
  if (first.text.startsWith('{') || first.text.startsWith('[')) throw refused(first.number, 'flow style')
  return first.text === '-' || first.text.startsWith('- ') ? list(reader, indent, depth) : map(reader, indent, depth)
}

function list(reader: Reader, indent: number, depth: number): unknown[] {
  const items: unknown[] = []
  for (let line = reader.lines[reader.at]; line !== undefined && line.indent === indent && (line.text === '-' || line.text.startsWith('- ')); line = reader.lines[reader.at]) {
    const text = line.text.slice(1).trimStart(), inner = indent + line.text.length - text.length
    if (text === '') {
      reader.at += 1
      items.push(nested(reader, indent + 1, depth))
    } else if (splitKey(text) === undefined) {
      reader.at += 1
      items.push(scalar(text, line.number))
    } else {
      // The item's first key stands on the dash's own line.
      reader.lines[reader.at] = { indent: inner, text, number: line.number }
      items.push(map(reader, inner, depth + 1))
    }
  }
  return items
}

function map(reader: Reader, indent: number, depth: number): Readonly<Record<string, unknown>> {
  const entries = new Map<string, unknown>()
  for (let line = reader.lines[reader.at]; line !== undefined && line.indent === indent; line = reader.lines[reader.at]) {
    const [key, text] = splitKey(line.text) ?? []
    if (key === undefined || text === undefined) throw refused(line.number, 'neither a key nor a list')
    reader.at += 1
    entries.set(key, text === '' ? nested(reader, indent, depth) : scalar(text, line.number))
  }
  const next = reader.lines[reader.at]
  if (next !== undefined && next.indent > indent) throw refused(next.number, 'indented too far')
  return Object.fromEntries(entries)
}

/** What stands below a key: deeper, or a list at the key's own indentation. */
function nested(reader: Reader, indent: number, depth: number): unknown {
  const next = reader.lines[reader.at]
  if (next === undefined || next.indent < indent || (next.indent === indent && !next.text.startsWith('-'))) return undefined
  return block(reader, next.indent, depth + 1)
}

function splitKey(text: string): readonly [string, string] | undefined {
  const match = /^(?:"([^"\\]*)"|'([^']*)'|([^\s"'#:{}[\],&*!|>%@`-][^:#]*?|-[^\s:][^:#]*?)):(?:\s+(.*))?$/.exec(text)
  return match === null ? undefined : [match[1] ?? match[2] ?? match[3] ?? '', withoutComment(match[4] ?? '')]
}

const withoutComment = (text: string): string => (text.startsWith('#') ? '' : text)

function scalar(text: string, line: number): unknown {
  if (text === '{}') return {}
  if (text === '[]') return []
  if (text === 'null' || text === '~') return undefined
  const double = /^("(?:[^"\\]|\\.)*")\s*(?:#.*)?$/.exec(text)?.[1], single = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text)?.[1]
  if (double !== undefined) {
    try {
      return JSON.parse(double) as unknown
    } catch {
      throw refused(line, 'a quoted text with escapes that are not JSON\'s')
    }
  }
  if (single !== undefined) return single.replaceAll("''", "'")
  if (/^[[{&*!|>%@`"']/.test(text)) throw refused(line, 'a kind of value that is not understood')
  return text.replace(/\s+#.*$/, '')
}
