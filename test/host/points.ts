/** Whose points a case on this machine has. */
import { existsSync } from 'node:fs'

/** Without kprobes the kernel's own points cannot be seen: then they are computed from its log. */
export const candidatesFrom = (): 'oom_badness' | 'kmsg' => (existsSync('/sys/kernel/tracing/kprobe_events') || existsSync('/sys/kernel/debug/tracing/kprobe_events') ? 'oom_badness' : 'kmsg')
