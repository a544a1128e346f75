/* test_numa.c: memory.numa_stat of both versions becomes one row per NUMA node, on demand, when it changed. */
#include "test_tree.h"

/* The newest row of a memcg and NUMA node in what was just taken. */
static const struct test_row *row_of(uint64_t id, uint64_t node) {
  const struct test_row *found = NULL;
  for (int i = 0; i < test_count(KIND_MEMCG_NUMA); i++)
    if (test_find(KIND_MEMCG_NUMA, i)->field[0].u == id && test_find(KIND_MEMCG_NUMA, i)->field[1].u == node) found = test_find(KIND_MEMCG_NUMA, i);
  return found;
}

static void drop_file(const char *path) { CHECK_EQUAL(unlinkat(root_fd, path, 0), 0); }

/* What the root's file says at the start; then it goes, so that all descriptors are those of the tests' own memcgs. */
static void begin(const char *at_root) {
  if (at_root != NULL) put("memory.numa_stat", at_root);
  CHECK_EQUAL(numa_init(&table), 0);
  if (at_root != NULL) drop_file("memory.numa_stat");
}

/* Everything is due: memory.stat, and with it this file. */
static void look(uint64_t id) {
  CHECK(sample_all(&table, memcg_find(&table, id), now_ns()));
  test_take(&stream);
}

static void each_node_has_a_row_when_something_changed_and_in_keyframes(void) {
  fresh(64);
  begin("anon N0=0 N2=0\nfile N0=0 N2=0\n");
  CHECK(table.numa.nodes == 2 && table.numa.node[1] == 2);
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.stat", "anon 4096\n");
  put("a/memory.numa_stat", "anon N0=4096 N2=12288\nfile N0=1 N2=2\nkernel_stack N0=16384 N2=0\nanon_thp N0=7 N2=7\nslab_unreclaimable N0=5 N2=6\n");
  watch_walk(&table, 1);
  int slot = memcg_find(&table, a);
  CHECK(table.slot[slot].fd[FILE_NUMA] >= 0);
  test_take(&stream);
  const struct test_row *near = row_of(a, 0), *far = row_of(a, 2);
  CHECK(near != NULL && near->field[2].u == table.slot[slot].numa_ns && near->field[3].u == 4096 && near->field[4].u == 1 && near->field[7].u == 16384 && near->field[10].u == 5);
  CHECK(far != NULL && far->field[3].u == 12288 && far->field[5].type == 'n' && far->field[7].u == 0 && far->field[10].u == 6);
  uint64_t read_ns = table.slot[slot].numa_ns;
  look(a);
  CHECK(test_count(KIND_MEMCG_NUMA) == 0 && table.slot[slot].numa_ns > read_ns);
  put("a/memory.numa_stat", "anon N0=4096 N2=8192\nfile N0=1 N2=2\nkernel_stack N0=16384 N2=0\nslab_unreclaimable N0=5 N2=6\n");
  look(a);
  CHECK(test_count(KIND_MEMCG_NUMA) == 2 && row_of(a, 2)->field[3].u == 8192);
  read_ns = table.slot[slot].numa_ns;
  sample_repeat(&table, slot, 77);
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_NUMA) == 2 && row_of(a, 0)->field[2].u == read_ns && row_of(a, 2)->field[3].u == 8192);
  finish();
}

static void it_is_read_in_the_slow_turn_in_which_or_before_which_memory_stat_was(void) {
  fresh(64);
  begin("anon N0=0 N1=0\n");
  uint64_t a = make("a");
  put("a/memory.current", "10000000\n");
  put("a/memory.stat", "anon 1\n");
  put("a/memory.numa_stat", "anon N0=1 N1=0\n");
  watch_walk(&table, 1);
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, a, 3), 0);
  int slot = memcg_find(&table, a);
  uint64_t now = table.slot[slot].stat_ns + NS_PER_S;
  put("a/memory.numa_stat", "anon N0=1 N1=5\n");
  CHECK(sample_slow(&table, slot, now, 1000 * NS_PER_S));
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, a, 3), ABSENT);        /* nothing moved */
  put("a/memory.current", "20000000\n");
  CHECK(sample_usage(&table, slot, now));                  /* a spike: memory.stat at once, this one not */
  CHECK(table.slot[slot].stat_ns == now && table.slot[slot].numa_due);
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, a, 3), ABSENT);
  CHECK(sample_slow(&table, slot, now + 1, 1000 * NS_PER_S));
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, a, 3), 5);
  finish();
}

static void v1_tells_pages_with_those_of_children(void) {
  fresh(64);
  table.version = 1;
  begin("total=9 N0=4 N1=5\n");
  uint64_t a = make("a"), page = (uint64_t)sysconf(_SC_PAGESIZE);
  put("a/memory.usage_in_bytes", "1000\n");
  put("a/memory.stat", "total_rss 10\n");
  put("a/memory.numa_stat", "total=3 N0=3 N1=0\nfile=1 N0=1 N1=0\nanon=2 N0=2 N1=0\nunevictable=0 N0=0 N1=0\n"
                            "hierarchical_total=15 N0=8 N1=7\nhierarchical_file=4 N0=1 N1=3\nhierarchical_anon=10 N0=6 N1=4\nhierarchical_unevictable=1 N0=1 N1=0\n");
  watch_walk(&table, 1);
  test_take(&stream);
  CHECK(row_of(a, 0)->field[3].u == 6 * page && row_of(a, 0)->field[4].u == page && row_of(a, 0)->field[6].u == page && row_of(a, 0)->field[5].type == 'n');
  CHECK(row_of(a, 1)->field[3].u == 4 * page && row_of(a, 1)->field[4].u == 3 * page && row_of(a, 1)->field[6].u == 0 && row_of(a, 1)->field[7].type == 'n');
  finish();
}

static void where_one_node_has_all_memory_or_nobody_asked_the_file_stays_closed(void) {
  static const char *const at_root[] = {"anon N0=1\n", "", "nonsense", NULL};
  for (int i = 0; i < LENGTH_OF(at_root); i++) {
    fresh(64);
    begin(at_root[i]);
    uint64_t a = make("a");
    put("a/memory.current", "4096\n");
    put("a/memory.stat", "anon 1\n");
    put("a/memory.numa_stat", "anon N0=1 N1=1\n");
    watch_walk(&table, 1);
    test_take(&stream);
    CHECK(test_count(KIND_NOTICE) == 1 && test_count(KIND_MEMCG_NUMA) == 0 && table.slot[memcg_find(&table, a)].fd[FILE_NUMA] == FD_ABSENT);
    finish();
  }
}

static void a_node_that_comes_later_and_a_line_that_is_cut_are_left_out(void) {
  fresh(64);
  begin("anon N0=0 N1=0\n");
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.stat", "anon 1\n");
  put("a/memory.numa_stat", "anon N0=1 N1=2 N5=3\nfile N0=4 N5=6 N1=5\nshmem N0=18446744073709551616 N1=1\npagetables N0=7 N1=8");
  watch_walk(&table, 1);
  test_take(&stream);
  CHECK(test_count(KIND_NOTICE) == 1 && test_count(KIND_MEMCG_NUMA) == 2);
  CHECK(row_of(a, 0)->field[3].u == 1 && row_of(a, 0)->field[4].u == 4 && row_of(a, 0)->field[5].type == 'n' && row_of(a, 0)->field[8].type == 'n');
  CHECK(row_of(a, 1)->field[3].u == 2 && row_of(a, 1)->field[4].u == 5);
  finish();
}

static void who_is_gone_dies_and_whose_place_is_taken_begins_anew(void) {
  fresh(64);
  begin("anon N0=0 N1=0\n");
  table.file_budget = 0;
  uint64_t a = make("a");
  put("a/memory.current", "4096\n");
  put("a/memory.stat", "anon 1\n");
  put("a/memory.numa_stat", "anon N0=1 N1=2\n");
  watch_walk(&table, 1);
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, a, 3), 2);
  int slot = memcg_find(&table, a);
  uint64_t b = make("b");      /* before: else it could get the inode number of the dead */
  drop_file("a/memory.numa_stat");
  drop_file("a/memory.stat");
  drop_file("a/memory.current");
  drop("a");
  CHECK(!sample_all(&table, slot, now_ns()) && memcg_find(&table, a) < 0);
  put("b/memory.current", "4096\n");
  put("b/memory.stat", "anon 1\n");
  put("b/memory.numa_stat", "anon N0=1 N1=2\n");
  watch_walk(&table, 2);
  CHECK(memcg_find(&table, b) == slot);
  CHECK_EQUAL(told(KIND_MEMCG_NUMA, b, 3), 2);
  finish();
}

int main(void) {
  event_init();
  each_node_has_a_row_when_something_changed_and_in_keyframes();
  it_is_read_in_the_slow_turn_in_which_or_before_which_memory_stat_was();
  v1_tells_pages_with_those_of_children();
  where_one_node_has_all_memory_or_nobody_asked_the_file_stays_closed();
  a_node_that_comes_later_and_a_line_that_is_cut_are_left_out();
  who_is_gone_dies_and_whose_place_is_taken_begins_anew();
  return test_done("numa");
}
