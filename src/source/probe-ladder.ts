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

/** What a question means to a person, and who else can answer when no probe can. */
export const QUESTION_TITLES: Readonly<Record<Question, { readonly title: string; readonly otherwise: string }>> = {
  'oom-decision': { title: "the OOM killer's decision", otherwise: 'the kernel log report and memory.events' },
  'oom-candidates': { title: 'candidates and their points', otherwise: 'points computed from the kernel log task table' },
  'mark-victim': { title: 'marked victims', otherwise: 'the kernel log' },
  'oom-reaper': { title: 'reaping of victims', otherwise: 'the kernel log' },
  'task-exit': { title: 'deaths by signal', otherwise: 'nothing' },
  'fatal-signal': { title: 'senders of fatal signals', otherwise: 'nothing' },
  'memcg-life': { title: 'births and deaths of memcgs', otherwise: 'inotify and walks of the tree' },
  'memcg-reclaim': { title: 'stalls at memcg limits', otherwise: 'memory.pressure' },
  'direct-reclaim': { title: 'stalls of the whole node', otherwise: '/proc/pressure/memory' },
  'over-high': { title: 'throttling at memory.high', otherwise: 'memory.events and memory.pressure' },
  'throttled': { title: 'sleeps inside reclaim', otherwise: 'memory.pressure' },
  'compaction': { title: 'stalls in compaction', otherwise: '/proc/vmstat' },
  'kswapd': { title: 'background reclaim', otherwise: '/proc/vmstat' },
}
