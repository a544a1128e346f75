/* watch.h: finds births and deaths of memcgs: by walking the tree, by inotify, and by what the probes say. */
#ifndef OOMSCOPE_WATCH_H
#define OOMSCOPE_WATCH_H

#include "line.h"
#include "memcg.h"

/* Walks the whole tree: births of what is new, deaths of what is gone. */
void watch_walk(struct memcgs *t, uint64_t ts_ns);
/* An event has at least 16 bytes, and one with a name at least 32. */
#define WATCH_DRAIN_BYTES 4096

/* Reads what inotify has, a bounded number of events at a time. */
void watch_drain(struct memcgs *t);
/* Kinds 10 and 11 as a probe printed them. */
void watch_probe_birth(struct memcgs *t, const struct fact *fact);
void watch_probe_death(struct memcgs *t, const struct fact *fact);
/* A memcg whose files were not there: looks again; says its death when its directory is gone. */
void watch_reopen(struct memcgs *t, int slot, uint64_t ts_ns);
/* Once a second: the walk that an overflow or a failed watch made necessary. */
void watch_tick(struct memcgs *t, uint64_t ts_ns);

#endif
