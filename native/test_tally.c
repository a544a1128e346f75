/* test_tally.c: rows that never came are found, those that are late are not, and nothing is told twice. */
#include "tally.h"
#include "test.h"

#define SECOND 1000000000ull

static void rows(struct tally *t, int count) {
  for (int i = 0; i < count; i++) tally_row(t);
}

static void what_never_came_is_told_once(void) {
  struct tally t = {0};
  uint64_t missing = 0;
  rows(&t, 93);
  for (uint64_t second = 1; second <= 10; second++) {
    missing += tally_printed(&t, 100, second * SECOND);
    CHECK_EQUAL(missing, second > TALLY_LAG ? 7 : 0);
  }
  CHECK_EQUAL(tally_end(&t), 0);
}

static void rows_that_come_late_are_not_lost(void) {
  struct tally t = {0};
  rows(&t, 10);
  CHECK_EQUAL(tally_printed(&t, 15, 1 * SECOND), 0);
  CHECK_EQUAL(tally_printed(&t, 16, 2 * SECOND), 0);
  CHECK_EQUAL(tally_printed(&t, 17, 3 * SECOND), 0);
  rows(&t, 5);
  CHECK_EQUAL(tally_printed(&t, 18, 4 * SECOND), 0);
  rows(&t, 3);
  CHECK_EQUAL(tally_end(&t), 0);
}

/* After a pause bpftrace prints one count for every second that it missed, all at once. */
static void counts_that_come_at_once_prove_nothing(void) {
  struct tally t = {0};
  for (int i = 0; i < 100; i++) CHECK_EQUAL(tally_printed(&t, 50, 9 * SECOND + (uint64_t)i), 0);
  rows(&t, 50);
  for (uint64_t second = 10; second < 20; second++) CHECK_EQUAL(tally_printed(&t, 50, second * SECOND), 0);
}

static void what_bpftrace_told_itself_is_not_told_again(void) {
  struct tally t = {0};
  rows(&t, 60);
  CHECK_EQUAL(tally_told(&t, 30), 30);
  CHECK_EQUAL(tally_printed(&t, 100, SECOND), 0);
  CHECK_EQUAL(tally_end(&t), 10);
  CHECK_EQUAL(tally_end(&t), 0);
}

static void what_bpftrace_tells_late_is_no_news(void) {
  struct tally t = {0};
  rows(&t, 60);
  CHECK_EQUAL(tally_printed(&t, 100, SECOND), 0);
  CHECK_EQUAL(tally_end(&t), 40);
  CHECK_EQUAL(tally_told(&t, 30), 0);
  CHECK_EQUAL(tally_told(&t, 13), 3);
  CHECK_EQUAL(tally_end(&t), 0);
}

static void the_last_count_of_an_end_that_was_asked_for_proves_nothing(void) {
  struct tally t = {0};
  rows(&t, 60);
  CHECK_EQUAL(tally_printed(&t, 61, SECOND), 0);
  tally_close(&t);
  CHECK_EQUAL(tally_printed(&t, 70, 9 * SECOND), 0);
  CHECK_EQUAL(tally_end(&t), 1);
}

static void an_end_waits_for_the_rows_of_the_next_count(void) {
  struct tally t = {0};
  CHECK(tally_is_settled(&t));    /* nobody counts */
  rows(&t, 40);
  CHECK_EQUAL(tally_printed(&t, 60, SECOND), 0);
  tally_stop(&t);
  rows(&t, 20);
  CHECK(!tally_is_settled(&t));
  CHECK_EQUAL(tally_printed(&t, 100, SECOND + 1), 0);
  CHECK_EQUAL(tally_printed(&t, 200, SECOND + 2), 0);
  rows(&t, 30);
  CHECK(!tally_is_settled(&t));
  CHECK_EQUAL(tally_told(&t, 3), 3);
  CHECK(!tally_is_settled(&t));
  rows(&t, 7);
  CHECK(tally_is_settled(&t));
  tally_close(&t);
  CHECK_EQUAL(tally_end(&t), 0);
}

static void rows_that_an_end_waited_for_in_vain_are_lost(void) {
  struct tally t = {0};
  CHECK_EQUAL(tally_printed(&t, 60, SECOND), 0);
  tally_stop(&t);
  CHECK_EQUAL(tally_printed(&t, 100, 2 * SECOND), 0);
  rows(&t, 31);
  CHECK(!tally_is_settled(&t));
  tally_close(&t);
  CHECK_EQUAL(tally_end(&t), 69);
}

int main(void) {
  what_never_came_is_told_once();
  rows_that_come_late_are_not_lost();
  counts_that_come_at_once_prove_nothing();
  what_bpftrace_told_itself_is_not_told_again();
  what_bpftrace_tells_late_is_no_news();
  the_last_count_of_an_end_that_was_asked_for_proves_nothing();
  an_end_waits_for_the_rows_of_the_next_count();
  rows_that_an_end_waited_for_in_vain_are_lost();
  return test_done("tally");
}
