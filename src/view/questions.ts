/** What each question of the probe ladder is to a person: its name, and what stays unknown while it is not answered. */

/** The questions are those of source/probe-ladder.ts. */
export const QUESTION_NAMES: Readonly<Record<string, string>> = {
  'oom-decision': "the OOM killer's decision", 'oom-candidates': 'candidates and their points', 'mark-victim': 'marked victims', 'oom-reaper': 'reaping of victims', 'task-exit': 'deaths by signal', 'fatal-signal': 'senders of fatal signals',
  'memcg-life': 'births and deaths of memcgs', 'memcg-reclaim': 'stalls at memcg limits', 'direct-reclaim': 'stalls of the whole node', 'over-high': 'throttling at memory.high', throttled: 'sleeps inside reclaim', compaction: 'stalls in compaction', kswapd: 'background reclaim',
}

/** What a person does not learn while a question is not answered; the questions are those of source/probe-ladder.ts. */
export const UNANSWERED: Readonly<Record<string, string>> = {
  'oom-decision': 'the kill decision is not seen itself, only its result', 'oom-candidates': "candidates' points are computed from the kernel log",
  'mark-victim': 'victims come from the kernel log only', 'oom-reaper': 'the OOM reaper is not seen', 'task-exit': 'when a victim is gone is not seen', 'fatal-signal': 'who sent a SIGKILL is not seen',
  'memcg-life': 'short-lived cgroups may be missed', 'memcg-reclaim': 'reclaim at limits is not counted', 'direct-reclaim': 'reclaim of the node is not counted', 'over-high': 'STALL lacks the sleeping above memory.high',
  throttled: 'throttling of reclaim is not counted', compaction: 'compaction is not counted', kswapd: 'kswapd is not counted',
}
/** These change what a kill looks like or what a number means; the others only leave a figure out, and `doctor` names them. */
export const WEIGHTY: ReadonlySet<string> = new Set(['oom-candidates', 'mark-victim', 'fatal-signal', 'memcg-reclaim', 'over-high'])
