/* line.h: reads bpftrace's JSON lines (-f json) and tells a sink what each one says; trusts nothing in them. */
#ifndef OOMSCOPE_LINE_H
#define OOMSCOPE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define LINE_CAPACITY (4 * 1024 * 1024 + 256 * 1024)   /* a map of 16,384 keys prints as one line of about 0.5 MB */
#define LINE_STRING_MAX 4096
#define HIST_BUCKETS 64

/* BPFTRACE_STRLEN: strings of a probe with their NUL; longer ones are cut. Cgroup paths of pods fit; 0.17 knows no more than 200. */
#define PROBE_STRING_BYTES 200

struct value {
  char type;            /* n nil, u number >= 0, i number < 0, s string, b boolean */
  uint64_t u;           /* u, b; for i the two's complement */
  const char *bytes;    /* s: valid during the call only */
  size_t length;
};

/* One row as a probe printed it, already held to the dictionary. */
struct fact {
  const struct kind *kind;
  uint64_t ts_ns;
  struct value value[KIND_FIELDS_MAX];
};

/*
 * bpftrace 0.27 leaves its stream in hexadecimal after the first byte that it had to escape in a string, and prints every later bucket of a
 * histogram so; nothing else. Our script escapes one at its start and then prints @line_base, a histogram with LINE_BASE_COUNT values, which
 * tells how this bpftrace counts.
 */
struct line_dialect {
  bool hex_buckets;
};

#define LINE_BASE_COUNT 16

struct line_sink {
  void *context;
  struct line_dialect *dialect;
  /* a row came, whatever is in it */
  void (*row)(void *context);
  void (*ready)(void *context, uint64_t ts_ns);
  void (*fact)(void *context, const struct fact *fact);
  void (*counter)(void *context, int counter, uint64_t key, uint64_t value);
  void (*histogram)(void *context, int histogram, uint64_t key, const uint64_t buckets[HIST_BUCKETS]);
  /* so many rows were printed in the kernel, the ready marker among them (map @rows_printed) */
  void (*printed)(void *context, uint64_t rows);
  /* bpftrace could not read `count` events in time */
  void (*lost)(void *context, uint64_t count);
  /* bpftrace could not update a map */
  void (*map_failed)(void *context);
  /* the line, or part of it, was not understood */
  void (*bad)(void *context, const char *why, const char *line, size_t length);
};

/* Reads one line, without its newline. */
void line_read(const struct line_sink *sink, const char *line, size_t length);

/* Cuts a byte stream into lines. */
struct line_cutter {
  char *bytes;
  size_t capacity, length, scanned;
  bool skipping;       /* inside a line that was too long */
  uint64_t lines;
};

/* Free space to read into; at least one byte unless the last line_cut() was left out. */
size_t line_room(const struct line_cutter *c, char **at);
/* `added` bytes were put there: reads every complete line. */
void line_cut(struct line_cutter *c, const struct line_sink *sink, size_t added);

/* A field of a fact by its name; 0 or "" when it is absent. */
uint64_t fact_u(const struct fact *fact, const char *name);
const char *fact_text(const struct fact *fact, const char *name, size_t *length);

#endif
