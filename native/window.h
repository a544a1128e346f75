/* window.h: the exact peak of usage between two looks at a memcg, where the kernel resets memory.peak per descriptor (6.12 and later). */
#ifndef OOMSCOPE_WINDOW_H
#define OOMSCOPE_WINDOW_H

#include "memcg.h"

/* Is memory.peak of this hierarchy worth opening for that? Later answers come from the first reset. */
bool window_may_work(const struct memcgs *t);
/* Opens and resets it; without it the memcg has no exact peak. */
void window_open(struct memcgs *t, int slot, uint64_t ts_ns);
void window_close(struct memcgs *t, struct memcg *m);
/* The highest usage since the last call (or the opening) and the time since then. False when the memcg has no window. */
bool window_read(const struct memcgs *t, int slot, uint64_t ts_ns, struct window_peak *peak);

#endif
