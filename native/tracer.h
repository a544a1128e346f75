/* tracer.h: the bpftrace process: drained first, its end told; one that had worked is started again, later each time. */
#ifndef OOMSCOPE_TRACER_H
#define OOMSCOPE_TRACER_H

#include <sys/types.h>

#include "frame.h"
#include "line.h"

#define TRACER_LAST_WORDS 4      /* stderr lines told when it ends */

struct tracer {
  struct stream *out;
  const struct line_sink *sink;
  struct line_cutter cutter;
  pid_t pid;                     /* 0: none runs (lines come from a file, or it has ended) */
  int out_fd, err_fd;            /* -1: closed */
  bool is_ready, is_over;        /* over: it ended, or the file of lines did */
  bool was_ready;                /* some time: the script is good */
  uint64_t started_ns, restart_ns, restart_delay_ns;
  char err[4096];                /* stderr, the line being read */
  size_t err_length;
  char last[TRACER_LAST_WORDS][200];
  unsigned last_count;
  unsigned notices;              /* stderr lines told in this second */
  uint64_t notice_second;
};

struct tracer_options {
  const char *bpftrace, *script;
  uint64_t stall_ns;
  bool helper_errors;            /* this bpftrace tells of full maps only when asked (-k) */
};

/* Reserves the line buffer. 0 or -ENOMEM. */
int tracer_init(struct tracer *t, struct stream *out, const struct line_sink *sink);
/* Starts bpftrace; says `starting`, or `refused` when it cannot be. */
void tracer_start(struct tracer *t, const struct tracer_options *options);
/*
 * A copy of the script that lives as long as the bridge, as a path for bpftrace: temporary files are cleared away after some days, and who may
 * write to their directory could put another one in its place. The path itself where that cannot be.
 */
const char *tracer_keep_script(const char *path);
/* True once, when it is time to start it again. */
bool tracer_restart_due(struct tracer *t, uint64_t now);
/* Reads lines from an open file instead. */
void tracer_read_file(struct tracer *t, int fd);
/* Reads what is there: all of it up to a few MiB, so that bpftrace never waits for us. */
void tracer_drain(struct tracer *t);
void tracer_drain_errors(struct tracer *t);
/* Notices its end. */
void tracer_reap(struct tracer *t);
/* Says the state once the ready marker came. */
void tracer_ready(struct tracer *t, uint64_t ts_ns);
void tracer_stop(struct tracer *t, int signo);

#endif
