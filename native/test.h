/* test.h: what the C tests share: checks that name their line, and a reader of the rows that a stream holds. */
#ifndef OOMSCOPE_TEST_H
#define OOMSCOPE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "row.h"

static int test_checks;

#define CHECK(condition) \
  do { \
    test_checks++; \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

#define CHECK_EQUAL(actual, expected) \
  do { \
    unsigned long long a_ = (unsigned long long)(actual), e_ = (unsigned long long)(expected); \
    test_checks++; \
    if (a_ != e_) { \
      fprintf(stderr, "%s:%d: %s is %llu, not %llu\n", __FILE__, __LINE__, #actual, a_, e_); \
      exit(1); \
    } \
  } while (0)

#define TEST_ROWS_MAX 60000
#define TEST_FIELDS_MAX 64

struct test_value {
  char type;                 /* n u i s b a */
  uint64_t u;                /* a: number of elements; the elements follow as values of their own */
  const uint8_t *bytes;
};

struct test_row {
  uint64_t kind, ts_ns;
  int fields;
  struct test_value field[TEST_FIELDS_MAX];
};

struct test_stream {
  uint8_t bytes[24 << 20];
  struct test_row row[TEST_ROWS_MAX];
  int rows, frames;
  uint8_t flags[4096];       /* by frame */
};

static struct test_stream test_read;

static inline uint64_t test_be(const uint8_t *at, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; i++) value = value << 8 | at[i];
  return value;
}

/* One msgpack value; arrays only give their length. Returns the byte behind it. */
static inline const uint8_t *test_value_read(const uint8_t *at, struct test_value *v) {
  uint8_t t = *at++;
  int width = 0;
  *v = (struct test_value){.type = 'u'};
  if (t < 0x80) v->u = t;
  else if (t >= 0xe0) *v = (struct test_value){.type = 'i', .u = (uint64_t)(int8_t)t};
  else if (t >= 0xcc && t <= 0xcf) v->u = test_be(at, width = 1 << (t - 0xcc));
  else if (t >= 0xd0 && t <= 0xd3) {
    width = 1 << (t - 0xd0);
    v->type = 'i';
    v->u = (uint64_t)((int64_t)(test_be(at, width) << (64 - 8 * width)) >> (64 - 8 * width));
  } else if (t == 0xc0) v->type = 'n';
  else if (t == 0xc2 || t == 0xc3) *v = (struct test_value){.type = 'b', .u = t & 1};
  else if (t >= 0x90 && t < 0xa0) *v = (struct test_value){.type = 'a', .u = t & 15};
  else if (t == 0xdc) *v = (struct test_value){.type = 'a', .u = test_be(at, width = 2)};
  else {
    v->type = 's';
    v->u = t & 31;
    if (t >= 0xd9 && t <= 0xdb) v->u = test_be(at, width = 1 << (t - 0xd9));
    else CHECK((t & 0xe0) == 0xa0);
    v->bytes = at + width;
    return at + width + v->u;
  }
  return at + width;
}

static inline const uint8_t *test_row_read(const uint8_t *at, struct test_row *row) {
  struct test_value v;
  at = test_value_read(at, &v);
  CHECK(v.type == 'a' && v.u >= 2);
  uint64_t left = v.u - 2;
  at = test_value_read(at, &v);
  row->kind = v.u;
  at = test_value_read(at, &v);
  row->ts_ns = v.u;
  for (row->fields = 0; left > 0; left--) {
    CHECK(row->fields < TEST_FIELDS_MAX);
    at = test_value_read(at, &v);
    row->field[row->fields++] = v;
    if (v.type == 'a') left += v.u;
  }
  return at;
}

/* Takes everything that the stream (with fd -1) holds into test_read. */
static inline void test_take(struct stream *s) {
  struct test_stream *r = &test_read;
  stream_close(s);
  r->rows = r->frames = 0;
  for (size_t i = 0; i < s->used; i++) r->bytes[i] = s->ring[(s->head + i) % s->size];
  const uint8_t *at = r->bytes, *end = r->bytes + s->used;
  while (at < end) {
    uint32_t length = (uint32_t)(at[4] | at[5] << 8 | at[6] << 16 | (uint32_t)at[7] << 24), crc = 0;
    for (int i = 3; i >= 0; i--) crc = crc << 8 | at[8 + i];
    CHECK(memcmp(at, "OOMS", 4) == 0);
    CHECK_EQUAL(crc32_ieee(at + 12, 12 + length), crc);
    int rows = at[14] | at[15] << 8;
    r->flags[r->frames++] = at[13];
    const uint8_t *row = at + FRAME_HEADER;
    for (int i = 0; i < rows; i++) {
      CHECK(r->rows < TEST_ROWS_MAX);
      row = test_row_read(row, &r->row[r->rows++]);
    }
    at += FRAME_HEADER + length;
    CHECK(row == at);
  }
  s->head = (s->head + s->used) % s->size;
  s->used = 0;
}

/* The nth row of a kind after test_take(), NULL when there are fewer. */
static inline const struct test_row *test_find(uint64_t kind, int nth) {
  for (int i = 0; i < test_read.rows; i++)
    if (test_read.row[i].kind == kind && nth-- == 0) return &test_read.row[i];
  return NULL;
}

static inline int test_count(uint64_t kind) {
  int count = 0;
  while (test_find(kind, count) != NULL) count++;
  return count;
}

static inline bool test_is_text(const struct test_value *v, const char *text) {
  return v->type == 's' && v->u == strlen(text) && memcmp(v->bytes, text, v->u) == 0;
}

static inline int test_done(const char *name) {
  printf("%s: %d checks\n", name, test_checks);
  return 0;
}

#endif
