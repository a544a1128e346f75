/** Reads the kernel's type information (BTF, /sys/kernel/btf/vmlinux): which members a struct has and what an enum's value is. */

/** What can be asked. Answers are false or undefined when the name is not there, or the bytes are damaged where it would be. */
export type Btf = {
  hasMember(struct: string, member: string): boolean
  hasFunction(name: string): boolean
  enumValue(enumName: string, valueName: string): number | undefined
}

const MAGIC = 0xeb9f
const HEADER_BYTES = 24
const TYPE_BYTES = 12

/** Kinds as in include/uapi/linux/btf.h. */
const INT = 1, ARRAY = 3, STRUCT = 4, UNION = 5, ENUM = 6, FUNC = 12, FUNC_PROTO = 13, VAR = 14, DATASEC = 15, DECL_TAG = 17, ENUM64 = 19
const KIND_LAST = ENUM64

/** Bytes that follow a type's twelve: fixed, and for each of its `vlen` parts. */
const FIXED_BYTES: Readonly<Record<number, number>> = { [INT]: 4, [ARRAY]: 12, [VAR]: 4, [DECL_TAG]: 4 }
const PART_BYTES: Readonly<Record<number, number>> = { [STRUCT]: 12, [UNION]: 12, [ENUM]: 8, [FUNC_PROTO]: 8, [DATASEC]: 12, [ENUM64]: 12 }

/** Anonymous unions nest a few deep in the kernel; deeper is damage or a cycle. */
const MAX_NESTING = 16

/** Where the parts of one BTF blob are. */
type Layout = { readonly view: DataView; readonly bytes: Uint8Array; readonly strings: number; readonly end: number; readonly types: Uint32Array }

/** Undefined when the bytes are not BTF this reader understands. Never throws. */
export function parseBtf(bytes: Uint8Array): Btf | undefined {
  const layout = readLayout(bytes)
  if (!layout) return undefined
  return {
    hasMember: (struct, member) => positionsOf(layout, [STRUCT, UNION], struct).some((at) => hasMember(layout, at, Buffer.from(member), 0)),
    hasFunction: (name) => positionsOf(layout, [FUNC], name).length > 0,
    enumValue: (enumName, valueName) => {
      for (const at of positionsOf(layout, [ENUM, ENUM64], enumName)) {
        const value = enumValue(layout, at, Buffer.from(valueName))
        if (value !== undefined) return value
      }
      return undefined
    },
  }
}

function readLayout(bytes: Uint8Array): Layout | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint16(0, true) !== MAGIC) return undefined
  const header = view.getUint32(4, true)
  const typesAt = header + view.getUint32(8, true), typesEnd = typesAt + view.getUint32(12, true)
  const strings = header + view.getUint32(16, true), end = strings + view.getUint32(20, true)
  if (typesEnd > bytes.length || end > bytes.length) return undefined
  const types = new Uint32Array(Math.floor((typesEnd - typesAt) / TYPE_BYTES) + 1)
  let count = 1   // type 0 is void and takes no room
  for (let at = typesAt; at + TYPE_BYTES <= typesEnd;) {
    const info = view.getUint32(at + 4, true), kind = kindOf(info)
    if (kind === 0 || kind > KIND_LAST) return undefined   // a kind newer than this reader: its size is not known
    types[count++] = at
    at += TYPE_BYTES + (FIXED_BYTES[kind] ?? 0) + (PART_BYTES[kind] ?? 0) * (info & 0xffff)
    if (at > typesEnd) return undefined
  }
  return { view, bytes, strings, end, types: types.subarray(0, count) }
}

const kindOf = (info: number): number => (info >>> 24) & 0x1f

/** Compares in place: the kernel's hundred thousand names are never decoded. */
function isNamed(layout: Layout, nameOffset: number, name: Uint8Array): boolean {
  const at = layout.strings + nameOffset
  if (at + name.length >= layout.end || layout.bytes[at + name.length] !== 0) return false
  for (let i = 0; i < name.length; i++) if (layout.bytes[at + i] !== name[i]) return false
  return true
}

function positionsOf(layout: Layout, kinds: readonly number[], name: string): number[] {
  const wanted = Buffer.from(name), found: number[] = []
  for (let id = 1; id < layout.types.length; id++) {
    const at = layout.types[id] as number
    if (kinds.includes(kindOf(layout.view.getUint32(at + 4, true))) && isNamed(layout, layout.view.getUint32(at, true), wanted)) found.push(at)
  }
  return found
}

/** Members of unnamed structs and unions count as members of what they are in, as in C. */
function hasMember(layout: Layout, at: number, member: Uint8Array, depth: number): boolean {
  const info = layout.view.getUint32(at + 4, true), kind = kindOf(info)
  if ((kind !== STRUCT && kind !== UNION) || depth > MAX_NESTING) return false
  for (let i = 0; i < (info & 0xffff); i++) {
    const part = at + TYPE_BYTES + i * 12, nameOffset = layout.view.getUint32(part, true)
    if (isNamed(layout, nameOffset, member)) return true
    const inner = layout.types[layout.view.getUint32(part + 4, true)]
    if (inner && layout.bytes[layout.strings + nameOffset] === 0 && hasMember(layout, inner, member, depth + 1)) return true
  }
  return false
}

function enumValue(layout: Layout, at: number, valueName: Uint8Array): number | undefined {
  const info = layout.view.getUint32(at + 4, true), size = PART_BYTES[kindOf(info)] ?? 0
  for (let i = 0; i < (info & 0xffff); i++) {
    const part = at + TYPE_BYTES + i * size
    if (isNamed(layout, layout.view.getUint32(part, true), valueName)) return layout.view.getInt32(part + 4, true)
  }
  return undefined
}
