/* group.h: the numbers kept of each memcg, in groups that are one row each, sent when they changed. */
#ifndef OOMSCOPE_GROUP_H
#define OOMSCOPE_GROUP_H

#include "memcg.h"

/* Keeps the values. True when they are new. */
bool group_keep(struct memcgs *t, int slot, enum group_number g, const uint64_t *values);
/* Sends what is kept; not of GROUP_USAGE, see usage_send(). */
void group_send(struct memcgs *t, int slot, enum group_number g, uint64_t ts_ns);
/* Keeps the values and sends them when they are new. */
void group_update(struct memcgs *t, int slot, enum group_number g, const uint64_t *values);

#endif
