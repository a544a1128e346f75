/** Decides whether a kernel and a bpftrace have what a script says it needs (`Needs:` in its header), and if not, why. */
import type { BpftraceFeatures } from './bpftrace.ts'
import type { KernelFeatures } from './kernel-features.ts'

type Asked = { readonly kernel: KernelFeatures; readonly bpftrace: BpftraceFeatures }
type Test = (name: string, asked: Asked) => string | undefined

/** By the word before the first colon of a need: undefined when met, else the reason that it is not. */
const TESTS: Readonly<Record<string, Test>> = {
  btf: (_, { kernel }) => kernel.btf ? undefined : kernel.btfReason ?? 'no BTF',
  tracepoint: (name, { kernel }) => kernel.tracepoints.has(name) ? undefined : `no tracepoint ${name}`,
  rawtracepoint: (name, { kernel, bpftrace }) =>
    bpftrace.refusals.rawtracepoint !== undefined ? `no raw tracepoints: ${bpftrace.refusals.rawtracepoint}`
      : [...kernel.tracepoints].some((tracepoint) => tracepoint.endsWith(`:${name}`)) ? undefined : `no tracepoint ${name}`,
  kprobe: (name, { kernel }) =>
    !kernel.kprobes ? 'the kernel has no kprobes (CONFIG_KPROBES)'
      : kernel.lockdown === 'confidentiality' ? 'kernel lockdown=confidentiality forbids kprobes'
        : kernel.functions.has(name) ? undefined : `no function ${name} to probe`,
  fentry: (name, { kernel, bpftrace }) =>
    bpftrace.refusals.fentry !== undefined ? `no fentry/fexit: ${bpftrace.refusals.fentry}`
      : kernel.functions.has(name) && kernel.btf?.hasFunction(name) ? undefined : `no function ${name} to trace`,
  struct: (name, { kernel }) => {
    const [struct = '', member = ''] = name.split('.')
    return kernel.btf?.hasMember(struct, member) ? undefined : `struct ${struct} has no ${member}`
  },
  field: (name, { kernel }) => {
    const [event = '', field = ''] = name.split('.')
    return kernel.fields.get(event)?.has(field) ? undefined : `tracepoint ${event.replace('/', ':')} has no field ${field}`
  },
  'dynamic-strings': (_, { bpftrace }) => bpftrace.refusals['dynamic-strings'] !== undefined ? `dynamic strings: ${bpftrace.refusals['dynamic-strings']}` : undefined,
}

/** The first need that is not met, as a reason; undefined when all are. */
export function unmetNeed(needs: readonly string[], asked: Asked): string | undefined {
  for (const need of needs) {
    const colon = need.indexOf(':'), word = colon < 0 ? need : need.slice(0, colon)
    const test = TESTS[word]
    const reason = test ? test(need.slice(colon + 1), asked) : `unknown need ${need}`
    if (reason !== undefined) return reason
  }
  return undefined
}

/** Is this a need that can be tested at all? (For the check of the headers.) */
export const isKnownNeed = (need: string): boolean => (need.split(':', 1)[0] as string) in TESTS
