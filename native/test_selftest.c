/* test_selftest.c: when a self-test has failed, on a machine that is quick or slow, and what a killed one leaves behind. */
#include "test_tree.h"

#include <sys/wait.h>
#include <time.h>

#include "selftest.h"

static struct selftest test;

/* Reads its own oom_score, which no probe will tell. */
static void begin(void) {
  memset(&table, 0, sizeof table);
  stream_init(&stream, 0, -1);
  CHECK(selftest_init(&test, "badness"));
  test.out = &stream;
  test.memcgs = &table;
  selftest_start(&test, 100 * NS_PER_S);
}

/* Is there a result at so many seconds? */
static bool has_failed_at(uint64_t seconds) {
  selftest_step(&test, (100 + seconds) * NS_PER_S);
  test_take(&stream);
  const struct test_row *row = test_find(KIND_SELFTEST, 0);
  if (row != NULL) CHECK(test_is_text(&row->field[0], "badness") && row->field[1].u == 0);
  return row != NULL;
}

static void three_seconds_are_enough_for_a_tracer_that_is_heard(void) {
  begin();
  for (int i = 0; i < 10; i++) selftest_heard(&test, 7, 7);
  CHECK(!has_failed_at(2));
  CHECK(has_failed_at(3) && test_is_text(&test_find(KIND_SELFTEST, 0)->field[2], "attached, but no event within 3 s"));
}

static void who_is_not_heard_has_not_failed(void) {
  begin();
  for (int i = 0; i < 9; i++) selftest_heard(&test, 7, 7);
  CHECK(!has_failed_at(3) && !has_failed_at(29));
  selftest_heard(&test, 7, 7);
  CHECK(has_failed_at(29) && test_is_text(&test_find(KIND_SELFTEST, 0)->field[2], "attached, but no event within 29 s"));
}

static void as_long_as_rows_are_under_way_it_has_not_failed(void) {
  begin();
  /* what was printed later need not be waited for */
  for (uint64_t i = 0; i < 20; i++) selftest_heard(&test, 1000 + i, 990 + i / 2);
  CHECK(!has_failed_at(9));
  selftest_heard(&test, 5000, 1000);
  CHECK(has_failed_at(9));
}

static void there_is_an_end_to_patience(void) {
  begin();
  CHECK(!has_failed_at(29) && has_failed_at(30));
  begin();
  for (uint64_t i = 0; i < 20; i++) selftest_heard(&test, 1000 + i, 0);
  CHECK(!has_failed_at(29) && has_failed_at(30));
}

/* A tracer that is started again is heard anew. */
static void a_second_tracer_is_waited_for_like_the_first(void) {
  begin();
  for (int i = 0; i < 10; i++) selftest_heard(&test, 7, 7);
  CHECK(has_failed_at(3));
  selftest_renew(&test);
  selftest_start(&test, 110 * NS_PER_S);
  CHECK(!has_failed_at(13));
  for (int i = 0; i < 10; i++) selftest_heard(&test, 1, 1);
  CHECK(has_failed_at(13));
}

static bool is_there(const char *name) {
  struct stat st;
  return fstatat(root_fd, name, &st, 0) == 0;
}

static void what_the_dead_left_behind_is_removed_and_nothing_else(void) {
  char mine[64], dead[64], dead_oom[64], full[64], below[80], odd[64];
  pid_t child = fork();
  if (child == 0) _exit(0);
  CHECK(child > 0 && waitpid(child, NULL, 0) == child);
  fresh(8);
  snprintf(mine, sizeof mine, "oomscope-selftest.%d", (int)getpid());
  snprintf(dead, sizeof dead, "oomscope-selftest.%d", (int)child);
  snprintf(dead_oom, sizeof dead_oom, "oomscope-selftest.%d.oom", (int)child);
  snprintf(odd, sizeof odd, "oomscope-selftest.%d.more", (int)child);
  snprintf(full, sizeof full, "oomscope-selftest.0%d", (int)child);
  snprintf(below, sizeof below, "%s/x", full);
  const char *const kept[] = {mine, odd, full, below, "oomscope-selftest.", "oomscope-selftest.0", "oomscope-selftest.99999999999", "oomscope-selftest.1x", "another"};
  make(full);
  for (int i = 0; i < LENGTH_OF(kept); i++)
    if (kept[i] != full) make(kept[i]);
  make(dead);
  make(dead_oom);
  uint64_t now = clock_read_ns(CLOCK_REALTIME);
  /* it may be of another PID namespace, and at work */
  stimulus_clean(&table, now);
  CHECK(is_there(dead) && is_there(dead_oom));
  stimulus_clean(&table, now + 3600 * NS_PER_S);
  CHECK(!is_there(dead) && !is_there(dead_oom));
  for (int i = 0; i < LENGTH_OF(kept); i++) CHECK(is_there(kept[i]));
  watch_walk(&table, 1);
  finish();
}

int main(void) {
  event_init();
  three_seconds_are_enough_for_a_tracer_that_is_heard();
  who_is_not_heard_has_not_failed();
  as_long_as_rows_are_under_way_it_has_not_failed();
  there_is_an_end_to_patience();
  a_second_tracer_is_waited_for_like_the_first();
  what_the_dead_left_behind_is_removed_and_nothing_else();
  return test_done("selftest");
}
