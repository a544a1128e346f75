/** The ladder: every question about the node, and the scripts that answer it, the most truthful first. */

export const LADDER = {
  'oom-decision': ['oom-decision.bt'],
  // .part.0 exists only where gcc inlined the head of oom_badness(), and there oom_badness itself is never called.
  'oom-candidates': ['oom-candidates-part0.bt', 'oom-candidates.bt'],
  'mark-victim': ['mark-victim-tracepoint.bt', 'mark-victim-raw.bt', 'mark-victim-pid.bt'],
  'oom-reaper': ['oom-reaper.bt'],
  'task-exit': ['task-exit.bt', 'task-exit-live.bt'],
  'fatal-signal': ['fatal-signal.bt'],
  'memcg-life': ['memcg-life.bt', 'memcg-life-tracepoint.bt'],
  'memcg-reclaim': ['memcg-reclaim.bt', 'memcg-reclaim-kprobe.bt', 'memcg-reclaim-tracepoint.bt'],
  'direct-reclaim': ['direct-reclaim.bt'],
  'over-high': ['over-high.bt', 'over-high-outer.bt'],
  'throttled': ['throttled.bt'],
  'compaction': ['compaction.bt'],
  'kswapd': ['kswapd.bt'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What can be asked of a node. */
export type Question = keyof typeof LADDER

/** All questions, in the order they are shown. */
export const QUESTIONS = Object.keys(LADDER) as Question[]

/** Who else can tell something about a question when no probe can; each needs a file that the bridge reads. */
export type Witness = 'kernel log' | 'kernel log tables' | 'memory.events' | 'memory.events high' | 'memory.pressure' | 'node pressure' | 'vmstat' | 'tree'

/** What a question means to a person, and who else can answer. */
export const QUESTION_TITLES: Readonly<Record<Question, { readonly title: string; readonly witnesses: readonly Witness[] }>> = {
  'oom-decision': { title: "the OOM killer's decision", witnesses: ['kernel log', 'memory.events'] },
  'oom-candidates': { title: 'candidates and their points', witnesses: ['kernel log tables'] },
  'mark-victim': { title: 'marked victims', witnesses: ['kernel log'] },
  'oom-reaper': { title: 'reaping of victims', witnesses: ['kernel log'] },
  'task-exit': { title: 'deaths by signal', witnesses: [] },
  'fatal-signal': { title: 'senders of fatal signals', witnesses: [] },
  'memcg-life': { title: 'births and deaths of memcgs', witnesses: ['tree'] },
  'memcg-reclaim': { title: 'stalls at memcg limits', witnesses: ['memory.pressure'] },
  'direct-reclaim': { title: 'stalls of the whole node', witnesses: ['node pressure'] },
  'over-high': { title: 'throttling at memory.high', witnesses: ['memory.events high', 'memory.pressure'] },
  'throttled': { title: 'sleeps inside reclaim', witnesses: ['memory.pressure'] },
  'compaction': { title: 'stalls in compaction', witnesses: ['node pressure'] },
  'kswapd': { title: 'background reclaim', witnesses: ['vmstat'] },
}
