/* stimulus.h: what the self-test does to the kernel: a memcg of its own and a child that touches memory in it. */
#ifndef OOMSCOPE_STIMULUS_H
#define OOMSCOPE_STIMULUS_H

#include <stdint.h>
#include <sys/types.h>

#include "memcg.h"

struct stimulus {
  char name[80];              /* of the memcg below the controller's root */
  uint64_t memcg_id;          /* 0: not made */
  pid_t parent;               /* the bridge itself */
  pid_t child;                /* 0: none; kept after its death, since its rows arrive later */
  int report_fd;              /* the child's report; -1: none */
};

/* What the child has done, each 0 or an errno. */
struct stimulus_report {
  int join, reclaim;
};

/* Before the pid of the bridge that makes it, below the controller's root. */
#define STIMULUS_NAME "oomscope-selftest."

/* Removes what bridges left behind that were killed: empty memcgs of dead pids. `wall_ns`: CLOCK_REALTIME. */
void stimulus_clean(const struct memcgs *t, uint64_t wall_ns);
/* Each returns 0 or -errno. */
int stimulus_make_memcg(struct stimulus *s, const struct memcgs *t);
int stimulus_limit_memcg(const struct stimulus *s, const struct memcgs *t, const char *bytes);
int stimulus_remove_memcg(const struct stimulus *s, const struct memcgs *t);
/* Forks a child that joins the memcg (if one was made), touches memory, asks for reclaim of it, reports and waits to be killed. */
int stimulus_start_child(struct stimulus *s, const struct memcgs *t, size_t touch_bytes);
/* 1 when the report was read, 0 when it is not there yet. */
int stimulus_read_report(struct stimulus *s, struct stimulus_report *report);

#endif
