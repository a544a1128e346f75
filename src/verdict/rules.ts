/** Every cause has one rule; at most one of them holds, so their order is only the order of reading. */
import { containerLimit } from './container-limit.ts'
import { eviction } from './eviction.ts'
import type { Rule } from './finding.ts'
import { invokedNoKill } from './invoked-no-kill.ts'
import { node } from './node.ts'
import { numa } from './numa.ts'
import { oomDaemon } from './oom-daemon.ts'
import { podLimit } from './pod-limit.ts'
import { runtimeStop } from './runtime-stop.ts'
import { signal } from './signal.ts'
import { sliceLimit } from './slice-limit.ts'
import { sysrq } from './sysrq.ts'

export const RULES: readonly Rule[] = [containerLimit, podLimit, sliceLimit, node, numa, sysrq, invokedNoKill, eviction, runtimeStop, oomDaemon, signal]
