/* node.h: the node's own numbers, once a second: /proc/meminfo, /proc/pressure/memory, /proc/vmstat. */
#ifndef OOMSCOPE_NODE_H
#define OOMSCOPE_NODE_H

#include "frame.h"

struct node {
  struct stream *out;
  int meminfo_fd, pressure_fd, vmstat_fd;     /* -1: not on this kernel */
  uint64_t swap_total_bytes, available_bytes;  /* when it was sampled last */
};

void node_init(struct node *n, struct stream *out, bool with_psi);
void node_sample(struct node *n, uint64_t ts_ns);
/* One field of /proc/meminfo in bytes, e.g. "MemTotal:"; 0 when it is not there. */
uint64_t node_meminfo(const struct node *n, const char *key);

#endif
