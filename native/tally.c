/* tally.c: rows that bpftrace printed in the kernel against rows that came: what it lost without a word (0.17 does). */
#include "tally.h"

#include <string.h>

void tally_row(struct tally *t) { t->seen++; }

uint64_t tally_told(struct tally *t, uint64_t rows) {
  uint64_t known = rows < t->unexplained ? rows : t->unexplained;
  t->unexplained -= known;
  t->lost += rows - known;
  return rows - known;
}

static uint64_t missing(struct tally *t, uint64_t rows) {
  if (rows <= t->seen + t->lost) return 0;
  uint64_t missing = rows - t->seen - t->lost;
  t->lost += missing;
  t->unexplained += missing;
  return missing;
}

void tally_stop(struct tally *t) { t->is_stopping = true; }

bool tally_is_settled(const struct tally *t) { return t->count[0].at_ns == 0 || (t->goal != 0 && t->seen + t->lost >= t->goal); }

void tally_close(struct tally *t) { t->is_closed = true; }

uint64_t tally_printed(struct tally *t, uint64_t rows, uint64_t now_ns) {
  if (t->is_closed) return 0;
  if (t->is_stopping && t->goal == 0) t->goal = rows;
  if (t->count[0].at_ns != 0 && now_ns - t->count[0].at_ns < TALLY_APART_NS) return 0;
  memmove(t->count + 1, t->count, TALLY_LAG * sizeof t->count[0]);
  t->count[0] = (struct tally_count){.rows = rows, .at_ns = now_ns};
  const struct tally_count *old = &t->count[TALLY_LAG];
  return now_ns - old->at_ns < TALLY_LAG_NS ? 0 : missing(t, old->rows);
}

uint64_t tally_end(struct tally *t) { return missing(t, t->goal != 0 ? t->goal : t->count[0].rows); }
