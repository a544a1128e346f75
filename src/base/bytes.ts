/** Byte quantities as a person types and reads them. */

const UNITS: Readonly<Record<string, number>> = {
  '': 1, b: 1,
  k: 2 ** 10, ki: 2 ** 10, kib: 2 ** 10, m: 2 ** 20, mi: 2 ** 20, mib: 2 ** 20, g: 2 ** 30, gi: 2 ** 30, gib: 2 ** 30, t: 2 ** 40, ti: 2 ** 40, tib: 2 ** 40,
  kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12,
}

/** Bytes of `256MiB`, `512Mi`, `1.5G`, `4096`; kB/MB/GB/TB are powers of 1000, all others of 1024. `undefined` if it is not a quantity. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = match?.[2] === undefined ? undefined : UNITS[match[2].toLowerCase()]
  if (match?.[1] === undefined || unit === undefined) return undefined
  const bytes = Math.round(Number(match[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `1023 B`, `1.5 KiB`, `300 MiB`: three significant digits. */
export function formatBytes(bytes: number): string {
  let value = bytes, unit = 0
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  // 1023.5 and not 1024: it would be printed as `1024 KiB` instead of `1 MiB`.
  while (Math.abs(value) >= 1023.5 && unit < names.length - 1) { value /= 1024; unit += 1 }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${names[unit]}`
}
