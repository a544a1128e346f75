/* counters.h: the probes' cumulative maps: only changed values become rows, and on the wire they never fall. */
#ifndef OOMSCOPE_COUNTERS_H
#define OOMSCOPE_COUNTERS_H

#include "frame.h"
#include "line.h"

#define COUNTER_SLOTS 65536     /* (counter, key) pairs; a power of two */
#define HISTOGRAM_SLOTS 4096
#define WIRE_BUCKETS 48         /* the last one holds everything from 39 h on */

struct counter_slot {
  uint64_t key, last, sum;      /* last: as bpftrace printed it; sum: as it is on the wire */
  uint32_t name;                /* index + 1; 0 = free */
};

struct histogram_slot {
  uint64_t key, last[WIRE_BUCKETS], sum[WIRE_BUCKETS];
  uint32_t name;
};

struct counters {
  struct stream *out;
  struct counter_slot *counter;
  struct histogram_slot *histogram;
  uint32_t counters, histograms;        /* used slots */
  struct counter_slot **order;          /* used counter slots, for the keyframe */
  struct histogram_slot **histogram_order;
};

/* 0 or -ENOMEM */
int counters_init(struct counters *c, struct stream *out);
void counters_value(struct counters *c, int counter, uint64_t key, uint64_t value);
void counters_histogram(struct counters *c, int histogram, uint64_t key, const uint64_t buckets[HIST_BUCKETS]);
/* The maps are new and begin at zero: what they say is added to what was. */
void counters_renew(struct counters *c);
/* Repeats what is not zero, for memcgs that `is_alive` (or all, when it is NULL) and for NUMA nodes. */
void counters_keyframe(struct counters *c, bool (*is_alive)(void *context, uint64_t key), void *context);

#endif
