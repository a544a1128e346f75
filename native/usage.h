/* usage.h: usage of a memcg: the one number that is read all the time, and sent as far as it tells something. */
#ifndef OOMSCOPE_USAGE_H
#define OOMSCOPE_USAGE_H

#include "memcg.h"

/* Usage; the peak where it must be new or may be the last; with the slow files (`is_slow`) peak and swap, too. False when the memcg is gone. */
bool usage_update(struct memcgs *t, int slot, bool is_slow);
/* Says again what is known. */
void usage_repeat(struct memcgs *t, int slot, uint64_t ts_ns);

#endif
