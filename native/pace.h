/* pace.h: how closely a memcg is looked at: by whether it moves, and by how near a limit of its own or above it is. */
#ifndef OOMSCOPE_PACE_H
#define OOMSCOPE_PACE_H

#include "memcg.h"

/* Usage was read: `high` is the most it is known to have been since the reading before (at least its new value). Puts it into its queue. */
struct pace_reading {
  uint64_t before, before_ns;     /* before_ns 0: the first reading */
  uint64_t now, high, ts_ns;
};
void pace_usage(struct memcgs *t, int slot, const struct pace_reading *reading);
/* A new memcg: whoever made it is still setting it up. */
void pace_newborn(struct memcgs *t, int slot, uint64_t now);
/* The kernel says that it is in trouble: limit reached, reclaim, pressure. */
void pace_alarm(struct memcgs *t, int slot, uint64_t now);
/* Is it looked at more often than active ones are? */
bool pace_is_quick(const struct memcg *m, uint64_t now);
/* Is it looked at with the slow files only? */
bool pace_is_quiet(const struct memcgs *t, int slot);

#endif
