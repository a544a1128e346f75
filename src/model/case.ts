/** A kill case: one decision of the OOM killer, merged from every witness. The shape of `kills --json` (units in the names; absent = not known). */

export type Level = 'container' | 'pod' | 'qos' | 'kubepods' | 'slice' | 'service' | 'root' | 'cgroup'

/** Which workload a path belongs to, read from the path alone plus learned names. */
export type Workload = {
  readonly level: Level
  readonly runtime?: string; readonly qos?: string; readonly podUid?: string; readonly containerId?: string
  readonly namespace?: string; readonly pod?: string; readonly container?: string; readonly unit?: string
  /** Whose part of the tree it is (a container, a user's slice, a unit), if not this node's own kubelet's: then the ids are only what the path claims, and have no names. */
  readonly within?: string
  /** What was learned beyond names: `Deployment/web`, container | sandbox | init | sidecar | ephemeral, and what was promised (the kernel's limits are in the cgroup). */
  readonly owner?: string; readonly role?: string; readonly image?: string; readonly restarts?: number; readonly priority?: number
  readonly memoryRequestBytes?: number; readonly memoryLimitBytes?: number
  /** Of a systemd unit. */
  readonly description?: string
}

/** What a process ran, as far as its command line and environment could be read. `settings`: memory settings of its runtime, the last of a kind holds. */
export type Program = { readonly commandLine?: string; readonly exe?: string; readonly runtime?: string; readonly settings: readonly string[]; readonly environRead: boolean }

export type Victim = {
  pid: number; comm?: string; memcgId?: number; path?: string; points?: number; oomScoreAdj?: number
  anonBytes?: number; fileBytes?: number; shmemBytes?: number; swapBytes?: number; pgtablesBytes?: number; totalVmBytes?: number
  killedBy?: { pid: number; comm: string }
  program?: Program
  /** The process that started it, when it was in the same memcg. */
  parent?: { pid: number; comm: string; startNs: number }
  /** From the kill (mark_victim or SIGKILL) to the exit. */
  msToExit?: number
  /** Internal to merging: monotonic times of the kill and exit, thread ids the kernel used for it. */
  killNs?: number; exitNs?: number; tids: number[]
}

export type Candidate = { pid: number; comm?: string; memcgId?: number; path?: string; points?: number; oomScoreAdj?: number; eligible: boolean; chosen: boolean; rssBytes?: number; swapBytes?: number; pgtablesBytes?: number }

/** Where a fact in the case comes from, said so that a person can check it. */
export type Evidence = { fact: string; source: string }

/** A memcg directly below the limit holder, as it stood at the decision; `sampledNs` says when its usage was read. */
export type HolderChild = { memcgId: number; path: string; /** Absent: none, or (without `limitsRead`) not known. */ limitBytes?: number; limitsRead?: true; currentBytes?: number; sampledNs?: number }

export type Witness = 'probe' | 'kmsg' | 'memory.events' | 'signal' | 'exit'

export type KillCase = {
  /** `<boot>-<tsNs>-<pid>`; settles when the case closes, so key by the object until then. */
  id: string
  /** CLOCK_MONOTONIC ns of the decision (first sight). */
  tsNs: number
  /** 0 none (node), 1 cpuset, 2 mempolicy, 3 memcg. */
  constraint?: number
  /** No witness says the constraint; it follows from the NUMA nodes that the log names. */
  constraintGuessed?: 'nodes' | 'nothing'
  /** Number of the kernel log's line with which its report begins. */
  logSeq?: number
  /** Of the kernel that wrote the report. */
  release?: string
  /** Two reports stand between each other in the log: what names no process could not be told apart. */
  logMixed?: true
  /** Chosen by a decision whose end no witness saw: whether it was killed is not known. */
  picked?: { pid: number; comm?: string; path?: string }
  order?: number
  gfp?: number
  gfpText?: string
  limit?: { memcgId?: number; path?: string; limitBytes?: number; usageBytes?: number; swapLimitBytes?: number; swapUsageBytes?: number }
  /** The victim's own memcg, as it was sampled before the decision. */
  victimUsage?: { path: string; currentBytes: number; /** Absent: none, or (without `limitsRead`) not known. */ limitBytes?: number; limitsRead?: true }
  /** On which NUMA nodes the victim's own memcg lay, as read at `readNs` before the decision; v1's anonBytes hold shmem (see the kind memcg_numa). */
  victimNuma?: { path: string; readNs: number; nodes: { numaNode: number; anonBytes?: number; fileBytes?: number }[] }
  /** How tasks of the victim's memcg waited in the `seconds` before, what it used then, and its memory.high. */
  waits?: { path: string; seconds: number; somePercent?: number; highPerSecond?: number; usedBytes?: number; highBytes?: number }
  /** Usage of the limit holder before: the largest sample of the second before, and of about ten seconds before; and its working set at the last look of kubectl top (kubectl-top.ts), and when that was. */
  growth?: { secondBeforeBytes?: number; tenSecondsBeforeBytes?: number; topBytes?: number; topNs?: number }
  /** Swap of the node, as the report says. */
  nodeSwap?: { totalBytes: number; freeBytes: number }
  invoker?: { pid: number; comm: string; memcgId?: number; path?: string }
  victims: Victim[]
  candidates: Candidate[]
  /** Candidates that were judged and are not kept in the list (it is bounded; the best-scored and the chosen are kept). */
  candidatesOmitted?: number
  candidatesFrom?: 'oom_badness' | 'kmsg' | 'estimated'
  /** Limit plus swap (or RAM plus swap) in bytes, as oom_badness normalised by. Never the victim's size. */
  totalBytes?: number
  group: boolean
  reclaim?: { attempts: number; stalledNs: number; scannedPages?: number; reclaimedPages: number }
  composition?: Record<string, number>
  /** Samples of the files, or the kernel's own list in its log (which is complete). */
  contributorsFrom?: 'samples' | 'kmsg'
  contributors: { path: string; memcgId?: number; bytes: number }[]
  /** Direct children of the limit holder at the decision; decides whether equal limits are one limit. */
  holderChildren?: HolderChild[]
  witnesses: Witness[]
  evidence: Evidence[]
  /** Facts on which two witnesses disagree; shown, never hidden. */
  disagreements: string[]
  /** The OOM killer ran and nobody was killed by this decision. */
  noKill?: boolean
  /** What oom_kill of the victim's memcg, or of one above it, rose by between the two readings around the kill. */
  oomKillRise?: number
  /** How often the OOM killer ran again for the same limit while this case's victim was still exiting, or while still nobody might be killed. */
  invokedWhileExiting?: number
  /**
   * Not the OOM killer: a process sent the signal. `graceNs` is the time since a SIGTERM that came first; `oneByOne` means that every
   * task got its own (cgroup.kill).
   */
  sentSignal?: { signo: number; code: number; sender: { pid: number; comm: string; memcgId?: number; path?: string }; oneByOne: boolean; graceNs?: number; asker?: { pid: number; comm: string }; termIgnored?: true }
  /** Killed processes of which only the files' counters tell: who they were is not known. And in which memcg they were. */
  unseenVictims?: number; countedMemcgId?: number; countedPath?: string
  /** mark_victim alone tells of it, which marks who is dying anyway, too (task_will_free_mem): whether the kernel killed is not known. */
  markedOnly?: true
  /** Asked for through sysrq-f. */
  sysrq?: boolean
  /** A thread that the kernel chose or marked although it was already exiting: not killed by this decision. */
  exitingPid?: number
  /** out_of_memory() has returned, or the kernel log's report is complete: nothing more is expected. */
  closed: boolean
}

/** Cgroups that self-tests make below the root (native/selftest.c): one to kill in, and one with a limit to run out of. Deeper ones are somebody else's, whatever they are called. */
const SELF_TEST = /^\/oomscope-selftest\.\d+(\.oom)?$/
export const isSelfTestPath = (path: string | undefined): boolean => path !== undefined && SELF_TEST.test(path)

/** A death that some oomscope on this node caused itself, to see whether its probes work. */
export const isSelfTest = ({ limit, countedPath, victims, sentSignal }: KillCase): boolean =>
  sentSignal === undefined ? isSelfTestPath(limit?.path ?? countedPath) : victims.length > 0 && victims.every(({ path }) => isSelfTestPath(path))

/** Did the kernel's OOM killer decide this one, and not a process? Our own tests do not count. */
export const isOomCase = (target: KillCase): boolean => target.sentSignal === undefined && !isSelfTest(target)
