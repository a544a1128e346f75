/** A quantity of Kubernetes (`128Mi`, `1.5G`, `1e9`, `100m`) in whole units, rounded up as the kubelet does (apimachinery pkg/api/resource). */

const SUFFIXES: Readonly<Record<string, number>> = { n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 }

/** Nothing for what is no quantity, negative, or more than can be counted exactly. */
export function parseQuantity(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value
  const match = typeof text === 'string' && text.length <= 40 ? /^\+?(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text) : null
  if (match?.[1] === undefined) return undefined
  const scale = SUFFIXES[match[3] ?? ''] ?? 1, units = Math.ceil(Number(`${match[1]}${match[2] ?? ''}`) * scale)
  return Number.isSafeInteger(units) ? units : undefined
}
