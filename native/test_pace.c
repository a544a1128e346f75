/* test_pace.c: who moves is looked at more often, who moves near a limit most of all, and what is seen between two rows is not lost. */
#include "pace.h"
#include "sampler.h"
#include "test_tree.h"
#include "usage.h"

#define MIB (1024 * 1024ull)

/* ── helpers ───────────────────────────────────────────────────────────────── */

enum pace { QUIET, ACTIVE, QUICK };

static enum pace pace_of(uint64_t id) {
  int slot = memcg_find(&table, id);
  bool is_active = table.schedule.queue[QUEUE_ACTIVE].link[slot].is_in, is_quick = table.schedule.queue[QUEUE_QUICK].link[slot].is_in;
  CHECK(!(is_active && is_quick) && table.schedule.queue[QUEUE_SLOW].link[slot].is_in);
  return is_quick ? QUICK : is_active ? ACTIVE : QUIET;
}

static void put_number(const char *path, uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%llu\n", (unsigned long long)value);
  put(path, text);
}

static struct memcg *memcg_of(uint64_t id) { return &table.slot[memcg_find(&table, id)]; }

/* Its last movement, reading and row are as long ago as `ns` says. */
static void age(uint64_t id, uint64_t ns) {
  struct memcg *m = memcg_of(id);
  m->moved_ns -= m->moved_ns > ns ? ns : m->moved_ns;
  m->quick_until_ns -= m->quick_until_ns > ns ? ns : m->quick_until_ns;
  m->usage_ns -= ns;
  m->told_ns -= ns;
  m->glanced_ns -= m->glanced_ns > ns ? ns : 0;
}

static uint64_t made(const char *path, uint64_t usage, const char *max) {
  char file[128];
  uint64_t id = make(path);
  snprintf(file, sizeof file, "%s/memory.current", path);
  put_number(file, usage);
  snprintf(file, sizeof file, "%s/memory.max", path);
  put(file, max);
  return id;
}

static void look(uint64_t id) { CHECK(sample_usage(&table, memcg_find(&table, id), now_ns())); }

/* ── tests ─────────────────────────────────────────────────────────────────── */

static void who_rests_is_quiet_who_moves_is_active_for_a_while(void) {
  fresh(64);
  make("top");
  uint64_t a = made("top/a", 100 * MIB, "max\n");
  watch_walk(&table, 1);
  CHECK(pace_of(a) == QUIET);
  age(a, 10 * NS_PER_S);
  put_number("top/a/memory.current", 100 * MIB + 8192);     /* two pages are no movement */
  look(a);
  CHECK(pace_of(a) == QUIET);
  put_number("top/a/memory.current", 101 * MIB);
  age(a, 10 * NS_PER_S);
  look(a);
  CHECK(pace_of(a) == ACTIVE);
  age(a, NS_PER_S);
  look(a);
  CHECK(pace_of(a) == ACTIVE);
  age(a, NS_PER_S);
  look(a);
  CHECK(pace_of(a) == QUIET);
  /* many little steps are one movement */
  for (uint64_t i = 1; i <= 20; i++) {
    put_number("top/a/memory.current", 101 * MIB + i * 8192);
    look(a);
  }
  CHECK(pace_of(a) == ACTIVE);
  finish();
}

static void who_moves_near_a_limit_of_its_own_or_above_is_quick(void) {
  static const struct { const char *own_max, *own_high, *pod_max, *slice_max; enum pace pace; } step[] = {
    {"max\n", "max\n", "max\n", "max\n", ACTIVE}, {"900000000\n", "max\n", "max\n", "max\n", ACTIVE}, {"113000000\n", "max\n", "max\n", "max\n", QUICK},
    {"max\n", "113000000\n", "max\n", "max\n", QUICK}, {"max\n", "max\n", "225000000\n", "max\n", QUICK}, {"max\n", "max\n", "max\n", "330000000\n", QUICK},
    {"900000000\n", "800000000\n", "900000000\n", "900000000\n", ACTIVE},
  };
  for (int i = 0; i < LENGTH_OF(step); i++) {
    fresh(64);
    made("slice", 300000000, step[i].slice_max);
    made("slice/pod", 200000000, step[i].pod_max);
    uint64_t a = made("slice/pod/a", 100000000, step[i].own_max);
    put("slice/pod/a/memory.high", step[i].own_high);
    watch_walk(&table, 1);
    CHECK(pace_of(a) == QUIET);      /* it does not move */
    age(a, 10 * NS_PER_S);
    put_number("slice/pod/a/memory.current", 99000000);
    look(a);
    CHECK(pace_of(a) == step[i].pace);
    age(a, 2 * NS_PER_S + 1);
    look(a);
    CHECK(pace_of(a) == QUIET);
    finish();
  }
}

static void who_would_be_at_its_limit_soon_is_quick(void) {
  fresh(64);
  make("top");
  uint64_t a = made("top/a", 100 * MIB, "1073741824\n"), b = made("top/b", 100 * MIB, "max\n");
  table.available_bytes = 1024 * MIB;
  watch_walk(&table, 1);
  age(a, NS_PER_S);
  put_number("top/a/memory.current", 200 * MIB);      /* 100 MiB/s, 824 MiB left */
  look(a);
  CHECK(pace_of(a) == ACTIVE);
  age(a, NS_PER_S / 10);
  put_number("top/a/memory.current", 220 * MIB);      /* 200 MiB/s, 804 MiB left */
  look(a);
  CHECK(pace_of(a) == QUICK);
  age(b, NS_PER_S);
  put_number("top/b/memory.current", 400 * MIB);      /* no limit, but the node has 1 GiB */
  look(b);
  CHECK(pace_of(b) == QUICK);
  finish();
}

static void a_new_one_is_quick_at_first_and_what_is_written_into_it_is_read_soon(void) {
  fresh(64);
  make("top");
  watch_walk(&table, 1);
  uint64_t a = made("top/a", 4096, "max\n");
  listen();
  CHECK(pace_of(a) == QUICK);
  CHECK_EQUAL(told(KIND_MEMCG_LIMITS, a, 4), ABSENT);
  put("top/a/memory.max", "5000000\n");
  memcg_of(a)->rare_ns -= 41 * NS_PER_MS;
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_LIMITS, a, 4), 5000000);
  age(a, NS_PER_S);
  look(a);
  CHECK(pace_of(a) == ACTIVE);
  finish();
}

static void trouble_makes_quick_and_death_leaves_every_queue(void) {
  fresh(64);
  make("top");
  uint64_t a = made("top/a", 4096, "max\n");
  put("top/a/memory.events", "high 0\n");
  watch_walk(&table, 1);
  listen();
  put("top/a/memory.events", "high 1\n");
  listen();
  CHECK(pace_of(a) == QUICK);
  int slot = memcg_find(&table, a);
  memcg_died(&table, slot, "walk", 2);
  for (int q = 0; q < QUEUES; q++) CHECK(!table.schedule.queue[q].link[slot].is_in);
  finish();
}

static void when_a_parent_moves_its_quiet_children_get_a_look(void) {
  struct sampler sampler = {.memcgs = &table};
  fresh(512);
  uint64_t top = made("top", 400 * MIB, "max\n"), pod = made("top/pod", 100 * MIB, "max\n"), a = made("top/pod/a", 90 * MIB, "max\n"), many[200];
  for (int i = 0; i < 200; i++) {
    char path[32];
    snprintf(path, sizeof path, "top/m%d", i);
    many[i] = made(path, 10 * MIB, "max\n");
  }
  watch_walk(&table, now_ns());
  sampler_init(&sampler, &(struct sampler_options){.sample_ns = 1, .slow_ns = 3600 * NS_PER_S, .budget = 1});
  /* one at the top that has others below is never quiet */
  look(top);
  CHECK(pace_of(top) == ACTIVE && pace_of(pod) == QUIET && pace_of(a) == QUIET);
  put_number("top/pod/memory.current", 120 * MIB);
  put_number("top/pod/a/memory.current", 110 * MIB);
  sampler_run(&sampler, now_ns());
  CHECK(pace_of(a) == QUIET);       /* top has not moved */
  put_number("top/m77/memory.current", 15 * MIB);
  /* 201 children: four times 64 */
  for (uint64_t i = 1; i <= 4; i++) {
    put_number("top/memory.current", (400 + 20 * i) * MIB);
    age(top, NS_PER_S);
    sampler_run(&sampler, now_ns());
  }
  CHECK(pace_of(pod) != QUIET && pace_of(a) != QUIET && pace_of(many[77]) != QUIET);
  CHECK(pace_of(many[76]) == QUIET && pace_of(many[199]) == QUIET);
  finish();
}

/* ── what is told ──────────────────────────────────────────────────────────── */

static void a_quick_one_is_told_when_it_moved_or_an_active_period_has_passed(void) {
  fresh(64);
  table.schedule.queue[QUEUE_ACTIVE].period_ns = 3600 * NS_PER_S;
  make("top");
  uint64_t a = made("top/a", 90 * MIB, "104857600\n");
  watch_walk(&table, 1);
  pace_alarm(&table, memcg_find(&table, a), now_ns() + 3600 * NS_PER_S);
  test_take(&stream);
  put_number("top/a/memory.current", 90 * MIB + 100000);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), ABSENT);
  put_number("top/a/memory.current", 91 * MIB);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), 91 * MIB);
  put_number("top/a/memory.current", 91 * MIB - 4096);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), ABSENT);
  /* the last value is not lost, although nothing changes any more */
  memcg_of(a)->told_ns -= 3601 * NS_PER_S;
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), 91 * MIB - 4096);
  memcg_of(a)->told_ns -= 3601 * NS_PER_S;
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), ABSENT);
  /* in trouble everything is told at once */
  memcg_of(a)->told_ns = now_ns();
  put_number("top/a/memory.current", 91 * MIB - 8192);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), ABSENT);
  sample_trouble(&table, memcg_find(&table, a), now_ns());
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 1), 91 * MIB - 8192);
  finish();
}

/* A plain file does for memory.peak: a reset writes a 0 into it. */
static void windows_that_were_not_told_are_joined(void) {
  fresh(64);
  table.has_windows = true;
  table.schedule.queue[QUEUE_ACTIVE].period_ns = 3600 * NS_PER_S;
  make("top");
  uint64_t a = made("top/a", 90 * MIB, "max\n");
  put_number("top/a/memory.peak", 90 * MIB);
  watch_walk(&table, 1);
  struct memcg *m = memcg_of(a);
  CHECK(m->window.fd >= 0);
  pace_alarm(&table, memcg_find(&table, a), now_ns() + 3600 * NS_PER_S);
  test_take(&stream);
  uint64_t began = m->window.from_ns;
  put_number("top/a/memory.peak", 90 * MIB + 8192);      /* a little spike, not worth a row */
  look(a);
  put_number("top/a/memory.peak", 90 * MIB);
  look(a);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_MEMCG_USAGE), 0);
  put_number("top/a/memory.peak", 95 * MIB);
  look(a);
  test_take(&stream);
  const struct test_row *row = test_find(KIND_MEMCG_USAGE, 0);
  CHECK(row != NULL && row->field[1].u == 90 * MIB && row->field[4].u == 95 * MIB);
  CHECK_EQUAL(row->field[5].u, row->ts_ns - began);
  /* windows without news are dropped: that of the next peak is short */
  began = m->window.from_ns;
  look(a);
  CHECK(m->window.from_ns > began);
  began = m->window.from_ns;
  put_number("top/a/memory.peak", 96 * MIB);
  look(a);
  test_take(&stream);
  row = test_find(KIND_MEMCG_USAGE, 0);
  CHECK(row->field[4].u == 96 * MIB && row->field[5].u == row->ts_ns - began);
  /* a look that stood still between reading and resetting: at least so high, in no time that could be named; told even without news, once */
  m->window.is_torn = true;
  put_number("top/a/memory.peak", 90 * MIB);
  memcg_of(a)->told_ns = 0;
  look(a);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_MEMCG_USAGE), 1);
  row = test_find(KIND_MEMCG_USAGE, 0);
  CHECK(row != NULL && row->field[4].u == 90 * MIB && row->field[5].type == 'n');
  put_number("top/a/memory.peak", 97 * MIB);
  look(a);
  test_take(&stream);
  row = test_find(KIND_MEMCG_USAGE, 0);
  CHECK(row != NULL && row->field[4].u == 97 * MIB && row->field[5].type == 'u');
  finish();
}

static void a_spike_has_its_composition_read_at_once(void) {
  fresh(64);
  make("top");
  uint64_t a = made("top/a", 100 * MIB, "max\n");
  put("top/a/memory.stat", "anon 1\n");
  watch_walk(&table, 1);
  test_take(&stream);
  put("top/a/memory.stat", "anon 2\n");
  put_number("top/a/memory.current", 105 * MIB);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), ABSENT);
  put_number("top/a/memory.current", 150 * MIB);
  look(a);
  CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), 2);
  put("top/a/memory.stat", "anon 3\n");
  put_number("top/a/memory.current", 250 * MIB);
  CHECK(sample_usage(&table, memcg_find(&table, a), memcg_of(a)->stat_ns + 99 * NS_PER_MS));
  CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), ABSENT);
  CHECK(sample_usage(&table, memcg_find(&table, a), memcg_of(a)->stat_ns + 100 * NS_PER_MS));
  CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), 3);
  finish();
}

int main(void) {
  event_init();
  who_rests_is_quiet_who_moves_is_active_for_a_while();
  who_moves_near_a_limit_of_its_own_or_above_is_quick();
  who_would_be_at_its_limit_soon_is_quick();
  a_new_one_is_quick_at_first_and_what_is_written_into_it_is_read_soon();
  trouble_makes_quick_and_death_leaves_every_queue();
  when_a_parent_moves_its_quiet_children_get_a_look();
  a_quick_one_is_told_when_it_moved_or_an_active_period_has_passed();
  windows_that_were_not_told_are_joined();
  a_spike_has_its_composition_read_at_once();
  return test_done("pace");
}
