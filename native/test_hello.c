/* test_hello.c: when the clocks are joined anew. */
#include "hello.h"
#include "test.h"
#include "util.h"

static void a_jump_is_told_once(void) {
  struct clock_lead lead = {.boot_ns = 5 * NS_PER_S, .wall_ns = 1764000000 * NS_PER_S}, same = lead, slept = lead, set = lead;
  CHECK(!clock_jumped(&lead, same));
  /* a thread that has lost the CPU between two readings, and clocks that are slewed */
  for (int i = 0; i < 100; i++) {
    same.boot_ns += 9 * NS_PER_MS;
    same.wall_ns += i % 2 == 0 ? 400 * NS_PER_MS : -400 * NS_PER_MS;
    CHECK(!clock_jumped(&lead, same));
  }
  slept = same;
  slept.boot_ns += 3600 * NS_PER_S;
  slept.wall_ns += 3600 * NS_PER_S;
  CHECK(clock_jumped(&lead, slept) && !clock_jumped(&lead, slept));
  set = slept;
  set.wall_ns -= 7200 * NS_PER_S;
  CHECK(clock_jumped(&lead, set) && !clock_jumped(&lead, set));
  /* a wall clock that stands before the machine's start */
  set.wall_ns = 0 - 5 * NS_PER_S;
  CHECK(clock_jumped(&lead, set));
  set.wall_ns += 10 * NS_PER_S;
  CHECK(clock_jumped(&lead, set));
}

static void the_clocks_of_this_machine_are_read_alike(void) {
  struct clock_lead lead = clock_lead_read();
  struct stream stream;
  stream_init(&stream, 0, -1);
  hello_clock(&stream);
  test_take(&stream);
  const struct test_row *clock = test_find(KIND_CLOCK, 0);
  struct clock_lead told = {.boot_ns = clock->field[1].u - clock->ts_ns, .wall_ns = clock->field[0].u * NS_PER_MS - clock->ts_ns};
  CHECK(!clock_jumped(&told, lead));
  CHECK(lead.wall_ns + now_ns() > 1500000000 * NS_PER_S && lead.boot_ns < 1000ull * 365 * 86400 * NS_PER_S);
}

int main(void) {
  event_init();
  a_jump_is_told_once();
  the_clocks_of_this_machine_are_read_alike();
  return test_done("hello");
}
