/* oomd.h: the marks that systemd-oomd and oomd leave on a cgroup they end. */
#ifndef OOMSCOPE_OOMD_H
#define OOMSCOPE_OOMD_H

#include "memcg.h"

/* Of this memcg and those above it: a row for each whose marks are new. */
void oomd_look(struct memcgs *t, int slot, uint64_t ts_ns);

#endif
