/* sample.h: cgroup and node files → rows, sent when they changed. */
#ifndef OOMSCOPE_SAMPLE_H
#define OOMSCOPE_SAMPLE_H

#include "memcg.h"

/* Usage, and peak where it must be new or may be the last. False when its files were found gone: then its slot may be free (memcg_lost_files()). */
bool sample_usage(struct memcgs *t, int slot, uint64_t ts_ns);
/* memory.events, or failcnt and oom_control. */
bool sample_events(struct memcgs *t, int slot, uint64_t ts_ns);
/* Usage, peak, swap, the limits that decide, PSI, events that nobody tells of, memory.stat (then memory.numa_stat, on demand) as far as usage has moved; all of it every `rare_ns`. */
bool sample_slow(struct memcgs *t, int slot, uint64_t ts_ns, uint64_t rare_ns);
/* Everything at once. */
bool sample_all(struct memcgs *t, int slot, uint64_t ts_ns);
/* Everything of a memcg that is in trouble, at most every 20 ms, and of its first children, at most a fifth of the time. */
void sample_trouble(struct memcgs *t, int slot, uint64_t ts_ns);
/* Says again what is known. */
void sample_repeat(struct memcgs *t, int slot, uint64_t ts_ns);

/* "some avg10=1.23 avg60=… total=N\nfull …" → someAvg10Centi, someTotalUs, fullAvg10Centi, fullTotalUs. False when it is something else. */
bool sample_parse_psi(const char *text, uint64_t values[4]);

#endif
