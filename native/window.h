/* window.h: the exact peak between two looks at a memcg, of usage and of swap, where the kernel resets its high-water mark per descriptor (6.12 and later). */
#ifndef OOMSCOPE_WINDOW_H
#define OOMSCOPE_WINDOW_H

#include "memcg.h"

/* Is memory.peak of this hierarchy worth opening for that? Later answers come from the first reset. */
bool window_may_work(const struct memcgs *t);
/* Opens and resets both; without them the memcg has no exact peak. */
void window_open(struct memcgs *t, int slot, uint64_t ts_ns);
void window_close(struct memcgs *t, struct memcg *m);
/*
 * The highest value since the last call (or the opening) and the time since then. It joins what was not told yet; one without a rise above
 * `told`, which was told last, is dropped, so that the window of a peak stays as short as the time between two looks. False when there is no window.
 */
bool window_look(struct window *w, uint64_t ts_ns, uint64_t told, struct window_peak *peak);

#endif
