/* hello.h: what the stream says about itself: hello, schema, clock and cost rows. */
#ifndef OOMSCOPE_HELLO_H
#define OOMSCOPE_HELLO_H

#include "frame.h"
#include "node.h"

#define BRIDGE_VERSION "0.1.0"

struct hello_options {
  const char *memcg_version, *memcg_root;
  uint64_t sample_period_ns, stall_ns;
};

/* The hello row and every schema row; the frame's flags are the caller's. */
void hello_say(struct stream *out, const struct node *node, const struct hello_options *options);
void hello_clock(struct stream *out);

/* How far the clocks that go on while the machine sleeps, or that are set, are ahead of CLOCK_MONOTONIC. */
struct clock_lead {
  uint64_t boot_ns, wall_ns;
};
struct clock_lead clock_lead_read(void);
/* True when one of them has jumped since the reading before, whose place the new one takes. */
bool clock_jumped(struct clock_lead *before, struct clock_lead now);

struct cost {
  int statm_fd, tracer_statm_fd;
  int tracer_pid;              /* whose statm that is; 0: none */
  int reader_pid;              /* the child that reads command lines, set before cost_say(); 0: none */
  int read_pid;                /* whose time reader_ns is */
  uint64_t reader_ns, readers_ns;     /* CPU time of this one, and of those before it */
  uint64_t lines, memcgs, open_files;      /* set before cost_say() */
};

void cost_init(struct cost *c);
void cost_say(struct cost *c, struct stream *out, int tracer_pid);

#endif
