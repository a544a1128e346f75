/* test_sample.c: files become rows: each number where it belongs, read when it may be new, sent when it is. */
#include "test_tree.h"

#include "pace.h"

static void files_become_rows_when_they_change(void) {
  fresh(64);
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.peak", "8192\n");
  put("a/memory.max", "max\n");
  put("a/memory.high", "1048576\n");
  put("a/memory.oom.group", "1\n");
  put("a/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n");
  put("a/memory.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n");
  put("a/memory.stat", "anon 100\nfile 200\n");
  watch_walk(&table, 1);
  listen();
  const struct test_row *usage = test_find(KIND_MEMCG_USAGE, 0), *limits = test_find(KIND_MEMCG_LIMITS, 0), *events = test_find(KIND_MEMCG_EVENTS, 0);
  CHECK(test_count(KIND_MEMCG_USAGE) == 1 && usage->field[0].u == a && usage->field[1].u == 4096 && usage->field[2].u == 8192 && usage->field[3].type == 'n');
  for (int i = 0; limits->field[0].u != a; i++) limits = test_find(KIND_MEMCG_LIMITS, i);
  CHECK(limits->field[3].u == 1048576 && limits->field[4].type == 'n' && limits->field[6].type == 'b' && limits->field[6].u == 1);
  CHECK(events->field[2].u == 1 && events->field[6].u == 5 && events->field[7].type == 'n');
  CHECK(test_find(KIND_MEMCG_PSI, 0)->field[1].u == 150 && test_find(KIND_MEMCG_PSI, 0)->field[4].u == 3);
  CHECK(test_find(KIND_MEMCG_STAT, 0)->field[2].u == 200);
  int slot = memcg_find(&table, a);
  CHECK(sample_usage(&table, slot, 2) && sample_slow(&table, slot, 2, 10));
  test_take(&stream);
  CHECK_EQUAL(test_read.rows, 0);
  put("a/memory.current", "4097\n");
  CHECK(sample_usage(&table, slot, 3));
  test_take(&stream);
  CHECK(test_read.rows == 1 && test_find(KIND_MEMCG_USAGE, 0)->field[1].u == 4097);
  /* memory.events is watched: a change is read at once */
  put("a/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 9\noom_group_kill 5\n");
  listen();
  events = test_find(KIND_MEMCG_EVENTS, test_count(KIND_MEMCG_EVENTS) - 1);
  CHECK(events != NULL && events->field[5].u == 9);
  sample_repeat(&table, slot, 4);
  test_take(&stream);
  CHECK_EQUAL(test_read.rows, 5);
  finish();
}

static void a_peak_is_read_when_it_must_be_new_or_may_be_the_last(void) {
  fresh(64);
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.peak", "9000\n");
  watch_walk(&table, 1);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 2), 9000);
  int slot = memcg_find(&table, a);
  put("a/memory.peak", "9500\n");
  put("a/memory.current", "9000\n");
  CHECK(sample_usage(&table, slot, 2));
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 2), 9000);
  put("a/memory.current", "4499\n");      /* fell by more than half: what held the rest has ended */
  CHECK(sample_usage(&table, slot, 3));
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 2), 9500);
  put("a/memory.peak", "9600\n");
  CHECK(sample_slow(&table, slot, 4, 10));
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 2), 9600);
  put("a/memory.peak", "9702\n");
  put("a/memory.current", "9701\n");
  CHECK(sample_usage(&table, slot, 5));
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 2), 9702);
  finish();
}

static void the_limits_that_decide_are_read_often_the_others_while_it_is_young_and_then_seldom(void) {
  fresh(64);
  uint64_t a = make("a");
  put("a/memory.max", "100\n");
  put("a/memory.min", "1\n");
  watch_walk(&table, 1);
  int slot = memcg_find(&table, a);
  CHECK_EQUAL(told(KIND_MEMCG_LIMITS, a, 1), 1);
  put("a/memory.max", "200\n");
  put("a/memory.min", "2\n");
  CHECK(sample_slow(&table, slot, 10, 10));
  CHECK(told(KIND_MEMCG_LIMITS, a, 4) == 200 && table.slot[slot].values[VALUES_LIMITS] == 1);
  CHECK(sample_slow(&table, slot, 11, 10));
  CHECK_EQUAL(told(KIND_MEMCG_LIMITS, a, 1), 2);
  uint64_t b = make("b");
  put("b/memory.min", "1\n");
  probe(KIND_MEMCG_BIRTH, b, 0, "/b");
  slot = memcg_find(&table, b);
  put("b/memory.min", "3\n");
  CHECK(sample_slow(&table, slot, 12, 1000 * NS_PER_S));
  CHECK_EQUAL(told(KIND_MEMCG_LIMITS, b, 1), 3);
  finish();
}

static void memory_stat_is_read_as_far_as_usage_moved_and_always_near_the_limit(void) {
  static const struct {
    const char *usage, *max;
    uint64_t ts_ns;
    bool is_read;
  } step[] = {
    {"10000000\n", "max\n", 1, false},                   /* nothing moved */
    {"11000000\n", "max\n", 2, false},                   /* less than a MiB */
    {"11100000\n", "max\n", 3, true},
    {"9900000\n", "max\n", 4, true},                     /* downwards too */
    {"9900001\n", "max\n", 5, false},
    {"9900001\n", "max\n", 4 + 4 * NS_PER_S, true},      /* little, but some seconds ago */
    {"9900001\n", "max\n", 4 + 9 * NS_PER_S, false},
    {"9900002\n", "11000000\n", 5 + 9 * NS_PER_S, true}, /* near its limit */
    {"9900003\n", "12000000\n", 6 + 9 * NS_PER_S, false},
    {"200000000\n", "max\n", 7 + 9 * NS_PER_S, true},
    {"202000000\n", "max\n", 8 + 9 * NS_PER_S, false},   /* more than a MiB, but a hundredth */
  };
  fresh(64);
  uint64_t a = make("a");
  put("a/memory.current", "10000000\n");
  put("a/memory.max", "max\n");
  put("a/memory.stat", "anon 0\n");
  watch_walk(&table, 0);
  CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), 0);
  for (int i = 0; i < LENGTH_OF(step); i++) {
    char stat[32];
    snprintf(stat, sizeof stat, "anon %d\n", i + 1);
    put("a/memory.stat", stat);
    put("a/memory.current", step[i].usage);
    put("a/memory.max", step[i].max);
    CHECK(sample_slow(&table, memcg_find(&table, a), step[i].ts_ns, 1000 * NS_PER_S));
    CHECK_EQUAL(told(KIND_MEMCG_STAT, a, 1), step[i].is_read ? (uint64_t)i + 1 : ABSENT);
  }
  finish();
}

static void v1_numbers_are_translated(void) {
  fresh(64);
  table.version = 1;
  uint64_t a = make("a");
  put("a/memory.usage_in_bytes", "1000\n");
  put("a/memory.max_usage_in_bytes", "5000\n");
  put("a/memory.memsw.usage_in_bytes", "1500\n");
  put("a/memory.memsw.max_usage_in_bytes", "6000\n");
  put("a/memory.limit_in_bytes", "9223372036854771712\n");
  put("a/memory.memsw.limit_in_bytes", "4194304\n");
  put("a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  put("a/memory.failcnt", "17\n");
  put("a/memory.kmem.usage_in_bytes", "64\n");
  put("a/memory.stat", "rss 1\ntotal_rss 10\ntotal_cache 20\n");
  watch_walk(&table, 1);
  listen();
  const struct test_row *usage = test_find(KIND_MEMCG_USAGE, 0), *limits = test_find(KIND_MEMCG_LIMITS, 1), *events = test_find(KIND_MEMCG_EVENTS, 0);
  CHECK(usage->field[0].u == a && usage->field[1].u == 1000 && usage->field[2].u == 5000 && usage->field[3].u == 500 && usage->field[6].type == 'n' && usage->field[7].u == 6000);
  CHECK(limits->field[0].u == a && limits->field[4].type == 'n' && limits->field[5].u == 4194304);
  CHECK(events->field[5].u == 3 && events->field[3].u == 17 && events->field[4].type == 'n');
  CHECK(test_find(KIND_MEMCG_STAT, 0)->field[1].u == 10 && test_find(KIND_MEMCG_STAT, 0)->field[15].u == 64);
  finish();
}

static void swap_peaks_are_told_as_far_as_the_version_knows_them(void) {
  fresh(64);
  table.has_windows = true;
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.peak", "4096\n");
  put("a/memory.swap.current", "100\n");
  put("a/memory.swap.peak", "300\n");
  watch_walk(&table, 1);
  listen();
  const struct test_row *usage = test_find(KIND_MEMCG_USAGE, 0);
  /* the reset of the window writes a 0: what a kernel tells of all time is not touched by it, a plain file is */
  CHECK(usage->field[3].u == 100 && usage->field[6].u == 0 && usage->field[7].type == 'n' && usage->field[8].type == 'n');
  int slot = memcg_find(&table, a);
  uint64_t began = table.slot[slot].swap_window.from_ns;
  put("a/memory.swap.peak", "700\n");
  CHECK(sample_usage(&table, slot, 2));
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 8), ABSENT);      /* swap is slow to move: with the slow files */
  CHECK(sample_slow(&table, slot, 2, 10));
  test_take(&stream);
  usage = test_find(KIND_MEMCG_USAGE, 0);
  CHECK(usage != NULL && usage->field[3].u == 100 && usage->field[8].u == 700);
  CHECK_EQUAL(usage->field[9].u, table.slot[slot].swap_window.from_ns - began);
  CHECK(sample_slow(&table, slot, 3, 10));
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_MEMCG_USAGE), 0);           /* no rise above what was told */
  sample_repeat(&table, slot, 4);
  test_take(&stream);
  CHECK(test_find(KIND_MEMCG_USAGE, 0)->field[8].type == 'n');
  finish();
}

static void without_swap_on_the_node_none_is_read(void) {
  fresh(64);
  table.no_swap = true;
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.swap.current", "100\n");
  put("a/memory.swap.peak", "300\n");
  watch_walk(&table, 1);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, a, 6), ABSENT);
  finish();
}

/* On a slow machine a storm of kills must leave time for anything else. */
static void children_of_trouble_are_read_as_far_as_time_allows(void) {
  fresh(64);
  make("a");
  uint64_t b = make("a/b");
  put("a/memory.current", "4096\n");
  put("a/b/memory.current", "4096\n");
  watch_walk(&table, 1);
  int slot = memcg_find_name(&table, memcg_find_name(&table, -1, ""), "a");
  put("a/b/memory.current", "5000\n");
  sample_trouble(&table, slot, now_ns());
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, b, 1), 5000);
  uint64_t due = table.slot[slot].children_due_ns;
  CHECK(due > 0);
  put("a/b/memory.current", "6000\n");
  table.slot[slot].full_ns = 0;
  sample_trouble(&table, slot, due - 1);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, b, 1), ABSENT);
  table.slot[slot].full_ns = 0;
  sample_trouble(&table, slot, due);
  CHECK_EQUAL(told(KIND_MEMCG_USAGE, b, 1), 6000);
  finish();
}

/* cgroup v2 has memory.pressure in every cgroup: it is no sign of the controller, and whoever gets that later is read from then on. */
static void a_memcg_that_gets_the_controller_later_is_read_from_then_on(void) {
  fresh(64);
  uint64_t a = make("a");
  put("a/memory.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n");
  watch_walk(&table, 1);
  int slot = memcg_find(&table, a);
  CHECK(told(KIND_MEMCG_PSI, a, 2) == 7 && !table.slot[slot].opened && table.open_files == 1);
  put("a/memory.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=8\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n");
  watch_reopen(&table, slot, 2);
  CHECK(told(KIND_MEMCG_PSI, a, 2) == 8 && !table.slot[slot].opened && table.open_files == 1);
  put("a/memory.current", "4096\n");
  put("a/memory.max", "8192\n");
  watch_reopen(&table, slot, 3);
  CHECK(told(KIND_MEMCG_USAGE, a, 1) == 4096 && table.slot[slot].opened && table.open_files == 3);
  finish();
}

static void without_descriptors_files_are_opened_for_each_read(void) {
  fresh(64);
  table.file_budget = 0;
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  watch_walk(&table, 1);
  listen();
  CHECK(test_find(KIND_MEMCG_USAGE, 0)->field[1].u == 4096 && table.open_files == 0 && table.on_demand == 1);
  CHECK_EQUAL(test_count(KIND_NOTICE), 1);
  /* others come and go: that is no news */
  for (uint64_t id = 1ull << 40; id < (1ull << 40) + 5; id++) {
    int b = memcg_born(&table, &(struct memcg_birth){.id = id, .ts_ns = 1, .parent = memcg_find_name(&table, -1, ""), .name = "a", .by = "probe"});
    CHECK(table.on_demand == 2);
    memcg_died(&table, b, "probe", 1);
  }
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_NOTICE), 1);
  put("a/memory.current", "5\n");
  CHECK(sample_usage(&table, memcg_find(&table, a), 2));
  test_take(&stream);
  CHECK_EQUAL(test_find(KIND_MEMCG_USAGE, 0)->field[1].u, 5);
  /* gone: there is no descriptor that would say ENODEV */
  CHECK(unlinkat(root_fd, "a/memory.current", 0) == 0 && unlinkat(root_fd, "a", AT_REMOVEDIR) == 0);
  CHECK(!sample_usage(&table, memcg_find(&table, a), 3) && memcg_find(&table, a) < 0);
  finish();
}

/* What `echo -memory` and `echo +memory` do to the cgroups below: the kernel's memcg dies and another one is made, the cgroup and those below it stay. */
static void a_memcg_that_loses_the_controller_is_dead_until_it_has_it_again(void) {
  fresh(64);
  table.file_budget = 0;
  uint64_t a = make("a"), b = make("a/b");
  put("a/memory.current", "4096\n");
  put("a/memory.events", "oom_kill 1\n");
  watch_walk(&table, 1);
  int slot = memcg_find(&table, a), watch = table.slot[slot].events_watch;
  sample_repeat(&table, slot, 2);
  test_take(&stream);
  CHECK(unlinkat(root_fd, "a/memory.current", 0) == 0 && unlinkat(root_fd, "a/memory.events", 0) == 0);
  CHECK(!sample_usage(&table, slot, 3));
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_DEATH) == 1 && test_find(KIND_MEMCG_DEATH, 0)->field[0].u == a);
  CHECK(memcg_find(&table, a) == slot && memcg_find(&table, b) >= 0 && !memcg_died_lately(&table, a));
  CHECK(pace_is_quiet(&table, slot) && table.on_demand == 0 && index_find(&table.by_events_watch, (uint64_t)watch) < 0);
  /* it is looked for again: as long as there is nothing, there is nothing to tell */
  watch_reopen(&table, slot, 4);
  watch_walk(&table, 5);
  sample_repeat(&table, slot, 5);
  test_take(&stream);
  CHECK_EQUAL(test_read.rows, 0);
  put("a/memory.current", "8192\n");
  put("a/memory.events", "oom_kill 0\n");
  watch_reopen(&table, slot, 6);
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_BIRTH) == 1 && test_find(KIND_MEMCG_BIRTH, 0)->field[0].u == a && test_find(KIND_MEMCG_BIRTH, 0)->ts_ns == 6);
  CHECK(test_find(KIND_MEMCG_USAGE, 0)->field[1].u == 8192 && test_find(KIND_MEMCG_EVENTS, 0)->field[5].u == 0);
  put("a/memory.events", "oom_kill 2\n");
  listen();
  CHECK(test_find(KIND_MEMCG_EVENTS, test_count(KIND_MEMCG_EVENTS) - 1)->field[5].u == 2);
  /* the second time it is the cgroup itself */
  CHECK(unlinkat(root_fd, "a/memory.current", 0) == 0 && !sample_usage(&table, slot, 7));
  drop("a/b");
  CHECK(unlinkat(root_fd, "a/memory.events", 0) == 0);
  drop("a");
  watch_reopen(&table, slot, 8);
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_DEATH) == 2 && memcg_find(&table, a) < 0 && memcg_find(&table, b) < 0);
  finish();
}

int main(void) {
  event_init();
  files_become_rows_when_they_change();
  a_peak_is_read_when_it_must_be_new_or_may_be_the_last();
  the_limits_that_decide_are_read_often_the_others_while_it_is_young_and_then_seldom();
  memory_stat_is_read_as_far_as_usage_moved_and_always_near_the_limit();
  v1_numbers_are_translated();
  swap_peaks_are_told_as_far_as_the_version_knows_them();
  without_swap_on_the_node_none_is_read();
  children_of_trouble_are_read_as_far_as_time_allows();
  a_memcg_that_gets_the_controller_later_is_read_from_then_on();
  without_descriptors_files_are_opened_for_each_read();
  a_memcg_that_loses_the_controller_is_dead_until_it_has_it_again();
  return test_done("sample");
}
