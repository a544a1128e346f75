/* tally.h: rows that bpftrace printed in the kernel against rows that came: what it lost without a word (0.17 does). */
#ifndef OOMSCOPE_TALLY_H
#define OOMSCOPE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* A count is compared when so many newer ones and so much time have passed: rows of other CPUs come a little later. */
#define TALLY_LAG 3
#define TALLY_LAG_NS 2000000000ull
#define TALLY_APART_NS 900000000ull      /* counts that follow closer are not kept */

struct tally {
  uint64_t seen, lost;             /* rows that came; rows known to be lost */
  uint64_t unexplained;            /* of these, rows that bpftrace has not told of yet */
  bool is_stopping, is_closed;
  uint64_t goal;                   /* the first count since the end was asked for: all these rows are waited for; 0: none came yet */
  struct tally_count { uint64_t rows, at_ns; } count[TALLY_LAG + 1];      /* newest first */
};

void tally_row(struct tally *t);
/* bpftrace itself says that it lost `rows`, at the next row of the same CPU, be it a minute later. Returns how many of them are news. */
uint64_t tally_told(struct tally *t, uint64_t rows);
/* The kernel's count is `rows`. Returns how many rows are missing that nobody told of. */
uint64_t tally_printed(struct tally *t, uint64_t rows, uint64_t now_ns);
/* An end is asked for: what is printed by then shall still be read. */
void tally_stop(struct tally *t);
/* Every row of the first count since then has come, or is known to be lost; or nobody counts. */
bool tally_is_settled(const struct tally *t);
/* From now on counts say nothing: while bpftrace ends, it counts rows that it no longer reads. */
void tally_close(struct tally *t);
/* The tracer has ended and all it said was read: the same for the last count. */
uint64_t tally_end(struct tally *t);

#endif
