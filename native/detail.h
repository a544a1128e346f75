/* detail.h: what only a reader that may hang can tell of a process: a child of the bridge reads command line, program and named settings. */
#ifndef OOMSCOPE_DETAIL_H
#define OOMSCOPE_DETAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

#define DETAIL_COMMAND 240
#define DETAIL_EXE 64
#define DETAIL_RUNTIME 8
#define DETAIL_SETTINGS 320

/* Texts are terminated; "" = not known. */
struct detail {
  uint64_t start_ns;                  /* of the process that was read */
  bool environ_read;
  char command[DETAIL_COMMAND];       /* arguments joined by spaces, values of secrets masked, cut */
  char exe[DETAIL_EXE];               /* base name of the program */
  char runtime[DETAIL_RUNTIME];
  char settings[DETAIL_SETTINGS];     /* memory settings of the runtime, one a line, the one that holds last */
};

struct detail_reply {
  uint32_t pid;
  struct detail detail;
};

#define DETAIL_STUCK_MAX 4

struct detail_reader {
  struct stream *out;
  pid_t pid;                          /* 0: none runs */
  int to_fd, from_fd;                 /* -1: closed */
  uint32_t asked_pid;                 /* 0: it waits for us */
  uint64_t asked_ns;
  pid_t ended[DETAIL_STUCK_MAX];      /* killed, and not yet reaped: a lock of a process may hold them */
  uint64_t restart_ns;                /* when a new one may be started; 0: never */
  unsigned hangs;
};

/* Starts the reading child; without one nothing is asked. */
void detail_start(struct detail_reader *d, struct stream *out);
bool detail_is_idle(const struct detail_reader *d);
void detail_ask(struct detail_reader *d, uint32_t pid, uint64_t now);
/* True when an answer came. */
bool detail_take(struct detail_reader *d, struct detail_reply *reply);
/* Replaces a child that hangs; returns the pid that it hangs with, 0 for none. */
uint32_t detail_watch(struct detail_reader *d, uint64_t now);
void detail_stop(struct detail_reader *d);

/* The child's work, for the tests. */
void detail_read(int proc_fd, uint32_t pid, struct detail *detail);
/* "a\0b\0" → "a b" with the values of secrets masked. */
void detail_join(const char *arguments, size_t length, char command[DETAIL_COMMAND]);

#endif
