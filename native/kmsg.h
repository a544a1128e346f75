/* kmsg.h: the kernel log's own lines as rows; user space cannot forge them. */
#ifndef OOMSCOPE_KMSG_H
#define OOMSCOPE_KMSG_H

#include "frame.h"

struct kmsg {
  struct stream *out;
  int fd;                 /* -1: not readable here */
  uint64_t next_seq;      /* 0: no record read yet */
  void *context;
  void (*line)(void *context, const char *text, size_t length);     /* a kernel line was sent */
};

/* Opens /dev/kmsg at its end. A refusal is a notice. */
void kmsg_init(struct kmsg *k, struct stream *out);
void kmsg_drain(struct kmsg *k);
/* One record as read(2) gives it. */
void kmsg_record(struct kmsg *k, const char *record, size_t length);

#endif
