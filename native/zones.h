/* zones.h: where the node's memory stands, every two seconds: zones with their watermarks, free blocks by order; seldom the largest slab caches. */
#ifndef OOMSCOPE_ZONES_H
#define OOMSCOPE_ZONES_H

#include "frame.h"

#define SLAB_TOP 12

struct zones {
  struct stream *out;
  int zoneinfo_fd, buddyinfo_fd, slabinfo_fd;     /* -1: not to be read here; slabinfo is root's alone */
  uint64_t next_ns, next_slab_ns;
};

void zones_init(struct zones *z, struct stream *out);
/* What is due. */
void zones_tick(struct zones *z, uint64_t now);
/* Everything at once: a keyframe repeats it. */
void zones_sample(struct zones *z, uint64_t now);
/* Only zones and free blocks: the node has no memory at this moment. */
void zones_sample_free(struct zones *z, uint64_t now);

#endif
