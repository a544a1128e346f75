/* counters.h: the probes' cumulative maps: only changed values become rows, and on the wire they never fall. */
#ifndef OOMSCOPE_COUNTERS_H
#define OOMSCOPE_COUNTERS_H

#include "frame.h"
#include "index.h"
#include "line.h"

#define COUNTER_SLOTS 65536     /* (counter, key) pairs */
#define HISTOGRAM_SLOTS 4096
#define WIRE_BUCKETS 48         /* the last one holds everything from 39 h on */

struct counter_slot {
  uint64_t key, last, sum;      /* last: as bpftrace printed it; sum: as it is on the wire */
  uint32_t name;                /* index + 1; 0 = free */
  uint32_t seen_s;              /* when it was printed last */
};

struct histogram_slot {
  uint64_t key, last[WIRE_BUCKETS], sum[WIRE_BUCKETS];
  uint32_t name, seen_s;
};

/* Which slots of a table are used, and by whom. */
struct pairs {
  struct index index;
  int32_t *free_slot;
  int max, high, frees;
};

struct counters {
  struct stream *out;
  struct counter_slot *counter;
  struct histogram_slot *histogram;
  struct pairs counters, histograms;
};

/* NULL instead: nobody knows who lives. */
struct living {
  bool (*is_alive)(void *context, uint64_t key);
  void *context;
};

/* A memcg that is dead and that no map has told of for so long is forgotten: the maps of the probes are cleared now and then. */
#define FORGET_S 60

/* 0 or -ENOMEM */
int counters_init(struct counters *c, struct stream *out);
void counters_value(struct counters *c, int counter, uint64_t key, uint64_t value);
void counters_histogram(struct counters *c, int histogram, uint64_t key, const uint64_t buckets[HIST_BUCKETS]);
/* The maps are new and begin at zero: what they say is added to what was. */
void counters_renew(struct counters *c);
/* Repeats what is not zero, for memcgs that are alive (or all, when `living` is NULL) and for NUMA nodes; forgets the dead. */
void counters_keyframe(struct counters *c, uint64_t ts_ns, const struct living *living);

#endif
