/** What a person may choose about watching this node. */

export type LiveOptions = {
  /** Path of bpftrace, instead of the one in PATH. */
  readonly bpftrace?: string
  /** Sampling and the kernel log only. */
  readonly noProbes?: boolean
  /** No probes is an error, instead of watching with what is left. */
  readonly requireProbes?: boolean
  /** Stalls at least this long become single events. */
  readonly stallNs: number
  /** Period of sampling usage of memcgs that move; quiet ones are sampled less often, those near a limit more often. */
  readonly sampleNs: number
  /** What sampling may cost: share of one core, ≤ 1. */
  readonly sampleBudget: number
  /** Also read memory.numa_stat of every memcg, where several NUMA nodes have memory. */
  readonly numa?: boolean
  /** Also provoke a real OOM kill in a memcg of our own: only `doctor --self-test` does. */
  readonly oomTest?: boolean
}

export const DEFAULTS = { stallNs: 10e6, sampleNs: 100e6, sampleBudget: 0.02 } as const
