/* row.h: writes one row into the stream, held to the dictionary field by field. */
#ifndef OOMSCOPE_ROW_H
#define OOMSCOPE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "frame.h"
#include "msgpack.h"

struct row {
  struct stream *out;
  const struct kind *kind;
  struct pack pack;
  int fields;        /* written so far */
  bool bad;          /* a field was not what the dictionary says */
};

/* Between begin and end no other row may be begun on the same stream. */
void row_begin(struct row *r, struct stream *out, enum kind_number number, uint64_t ts_ns);
/* A u or b field, by the dictionary; ABSENT becomes nil where the dictionary allows it. */
void row_u(struct row *r, uint64_t value);
/* The same for any 64-bit number: 2^64-1 is a number here. */
void row_exact(struct row *r, uint64_t value);
void row_i(struct row *r, int64_t value);
void row_nil(struct row *r);
void row_text(struct row *r, const char *text);
void row_bytes(struct row *r, const char *bytes, size_t length);
void row_array(struct row *r, const uint64_t *values, int count);
/* A row that does not fit the dictionary or ROW_MAX is not sent but counted as lost. */
void row_end(struct row *r);

/* A sanitised `notice` row; from is bridge or bpftrace. */
void row_notice(struct stream *out, const char *from, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
