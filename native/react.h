/* react.h: what the bridge does with each thing it hears: sends it, and looks closer where the kernel is in trouble. */
#ifndef OOMSCOPE_REACT_H
#define OOMSCOPE_REACT_H

#include "counters.h"
#include "kmsg.h"
#include "memcg.h"
#include "node.h"
#include "selftest.h"
#include "tracer.h"

struct react {
  struct stream *out;
  struct memcgs *memcgs;       /* version 0: none */
  struct counters *counters;
  struct selftest *selftest;
  struct tracer *tracer;
  struct node *node;
  uint64_t node_ns;            /* when the node was last sampled for an OOM of the whole node */
};

/* Sinks whose context is a struct react. */
void react_sink(struct react *r, struct line_sink *sink);
void react_kmsg(void *context, const char *text, size_t length);

#endif
