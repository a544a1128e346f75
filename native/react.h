/* react.h: what the bridge does with each thing it hears: sends it, and looks closer where the kernel is in trouble. */
#ifndef OOMSCOPE_REACT_H
#define OOMSCOPE_REACT_H

#include "counters.h"
#include "kmsg.h"
#include "memcg.h"
#include "node.h"
#include "processes.h"
#include "selftest.h"
#include "tally.h"
#include "tracer.h"
#include "zones.h"

struct react {
  struct stream *out;
  struct memcgs *memcgs;       /* version 0: none */
  struct counters *counters;
  struct selftest *selftest;
  struct tracer *tracer;
  struct node *node;
  struct zones *zones;
  struct processes *processes;      /* max 0: none are read */
  struct tally tally;
  struct line_dialect dialect;
  uint64_t node_ns;            /* when the node was last sampled for an OOM of the whole node */
};

/* A new tracer comes: whatever was counted of the old one is over. */
void react_tracer_renewed(struct react *r);
/* Sinks whose context is a struct react. */
void react_sink(struct react *r, struct line_sink *sink);
/* The tracer has ended and all it said was read. */
void react_tracer_over(struct react *r);
void react_kmsg(void *context, const char *text, size_t length);

#endif
