/* test_memcg.c: on a tree of plain directories that looks like cgroup v2: every memcg is born once, dies once, and is read. */
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memcg.h"
#include "sample.h"
#include "test.h"
#include "util.h"
#include "watch.h"

static struct stream stream;
static struct memcgs table;
static char root[64];
static int root_fd;

/* ── a tree ────────────────────────────────────────────────────────────────── */

static void put(const char *path, const char *text) {
  int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static uint64_t make(const char *path) {
  struct stat st;
  CHECK(mkdirat(root_fd, path, 0755) == 0 && fstatat(root_fd, path, &st, 0) == 0);
  return st.st_ino;
}

static void drop(const char *path) { CHECK(unlinkat(root_fd, path, AT_REMOVEDIR) == 0); }

static void remove_tree(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf -- '%s'", root);
  CHECK(system(command) == 0);
}

/* An empty tree and a table over it that has walked it. */
static void fresh(int max) {
  snprintf(root, sizeof root, "/tmp/oomscope-test-XXXXXX");
  CHECK(mkdtemp(root) != NULL);
  root_fd = open(root, O_RDONLY | O_DIRECTORY);
  memset(&table, 0, sizeof table);
  stream_init(&stream, 0, -1);
  table.version = 2;
  snprintf(table.root, sizeof table.root, "%s", root);
  snprintf(table.ignored, sizeof table.ignored, "oomscope-selftest.1");
  CHECK_EQUAL(memcgs_init(&table, &stream, max), 0);
}

static void finish(void) {
  for (int s = table.high - 1; s > 0; s--)
    if (table.slot[s].live) memcg_died(&table, s, "walk", 1);
  CHECK_EQUAL(table.open_files, 0);
  CHECK_EQUAL(table.alive, 1);
  remove_tree();
  close(root_fd);
  close(table.root_fd);
  close(table.inotify_fd);
}

static void listen(void) {
  watch_drain(&table);
  test_take(&stream);
}

/* The memcg's birth (kind 10) or death (11): exactly one row, with this path and word. */
static bool is_said_once(uint64_t kind, uint64_t id, const char *path, const char *by) {
  int count = 0;
  bool right = false;
  const struct test_row *row;
  for (int i = 0; (row = test_find(kind, i)) != NULL; i++) {
    if (row->field[0].u != id) continue;
    int at = kind == KIND_MEMCG_BIRTH ? 2 : 1;
    right = test_is_text(&row->field[at], path) && test_is_text(&row->field[at + 1], by);
    count++;
  }
  return count == 1 && right;
}

/* A row of kind 10 or 11 as a probe prints it. */
static void probe(uint64_t kind, uint64_t id, uint64_t parent, const char *path) {
  struct fact fact = {.kind = event_kind(kind), .ts_ns = 42};
  int at = 0;
  fact.value[at++] = (struct value){.type = 'u', .u = id};
  if (kind == KIND_MEMCG_BIRTH) fact.value[at++] = (struct value){.type = 'u', .u = parent};
  fact.value[at++] = (struct value){.type = 's', .bytes = path, .length = strlen(path)};
  fact.value[at++] = (struct value){.type = 's', .bytes = "probe", .length = 5};
  if (kind == KIND_MEMCG_BIRTH) watch_probe_birth(&table, &fact);
  else watch_probe_death(&table, &fact);
}

/* ── walking and inotify ───────────────────────────────────────────────────── */

static void a_walk_finds_everything_once(void) {
  fresh(64);
  uint64_t a = make("a"), b = make("a/b"), c = make("a/b/c d");
  make("oomscope-selftest.1");
  put("a/file", "no memcg");
  watch_walk(&table, 1);
  watch_walk(&table, 2);
  listen();
  CHECK_EQUAL(test_count(KIND_MEMCG_BIRTH), 4);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, a, "/a", "walk") && is_said_once(KIND_MEMCG_BIRTH, b, "/a/b", "walk") && is_said_once(KIND_MEMCG_BIRTH, c, "/a/b/c d", "walk"));
  CHECK(test_is_text(&test_find(KIND_MEMCG_BIRTH, 0)->field[2], "/") && test_find(KIND_MEMCG_BIRTH, 0)->field[1].u == 0);
  CHECK_EQUAL(test_find(KIND_MEMCG_BIRTH, 2)->field[1].u, a);
  drop("a/b/c d");
  watch_walk(&table, 3);
  listen();
  CHECK(test_count(KIND_MEMCG_DEATH) == 1 && is_said_once(KIND_MEMCG_DEATH, c, "/a/b/c d", "walk"));
  finish();
}

static void inotify_tells_births_and_deaths(void) {
  fresh(64);
  watch_walk(&table, 1);
  test_take(&stream);
  uint64_t a = make("a"), b = make("a/b");
  listen();
  CHECK(is_said_once(KIND_MEMCG_BIRTH, a, "/a", "inotify") && is_said_once(KIND_MEMCG_BIRTH, b, "/a/b", "inotify"));
  uint64_t c = make("a/b/c");
  listen();
  CHECK(test_count(KIND_MEMCG_BIRTH) == 1 && is_said_once(KIND_MEMCG_BIRTH, c, "/a/b/c", "inotify"));
  drop("a/b/c");
  drop("a/b");
  listen();
  CHECK(is_said_once(KIND_MEMCG_DEATH, c, "/a/b/c", "inotify") && is_said_once(KIND_MEMCG_DEATH, b, "/a/b", "inotify"));
  CHECK_EQUAL(test_count(KIND_MEMCG_DEATH), 2);
  make("a/file");
  drop("a/file");
  listen();
  CHECK(test_count(KIND_MEMCG_BIRTH) == 0);
  CHECK_EQUAL(stream.loss[LOSS_memcg].count, 1);
  make("oomscope-selftest.1.oom");
  drop("oomscope-selftest.1.oom");
  listen();
  CHECK_EQUAL(stream.loss[LOSS_memcg].count, 1);
  finish();
}

static void a_name_that_comes_back_is_another_memcg(void) {
  char away[80];
  fresh(64);
  watch_walk(&table, 1);
  uint64_t old = make("a");
  listen();
  /* moved out of the tree, not removed: its inode number must not come back with the name */
  snprintf(away, sizeof away, "%s.away", root);
  CHECK(renameat(root_fd, "a", AT_FDCWD, away) == 0);
  uint64_t new = make("a");
  listen();
  CHECK(is_said_once(KIND_MEMCG_DEATH, old, "/a", "inotify") && is_said_once(KIND_MEMCG_BIRTH, new, "/a", "inotify"));
  CHECK_EQUAL(memcg_find_name(&table, 0, "a"), memcg_find(&table, new));
  CHECK(rmdir(away) == 0);
  finish();
}

static void a_rename_keeps_the_memcg(void) {
  char path[PATH_MAX];
  fresh(64);
  uint64_t a = make("a");
  watch_walk(&table, 1);
  listen();
  CHECK(renameat(root_fd, "a", root_fd, "b") == 0);
  listen();
  CHECK(test_count(KIND_MEMCG_BIRTH) == 0 && test_count(KIND_MEMCG_DEATH) == 0);
  CHECK(memcg_path(&table, memcg_find(&table, a), path) == 2 && strcmp(path, "/b") == 0);
  finish();
}

static void children_do_not_outlive_their_parent(void) {
  fresh(64);
  uint64_t a = make("a"), b = make("a/b"), c = make("a/b/c");
  watch_walk(&table, 1);
  test_take(&stream);
  memcg_died(&table, memcg_find(&table, a), "probe", 9);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_MEMCG_DEATH), 3);
  CHECK(test_find(KIND_MEMCG_DEATH, 0)->field[0].u == c && test_find(KIND_MEMCG_DEATH, 1)->field[0].u == b && test_find(KIND_MEMCG_DEATH, 2)->field[0].u == a);
  CHECK(memcg_died_lately(&table, a) && memcg_find(&table, a) < 0);
  finish();
}

static void a_full_table_counts_what_it_leaves_out(void) {
  fresh(3);
  make("a");
  make("b");
  make("c");
  make("d");
  watch_walk(&table, 1);
  listen();
  CHECK_EQUAL(test_count(KIND_MEMCG_BIRTH), 3);
  CHECK_EQUAL(stream.loss[LOSS_memcg].count, 2);
  finish();
}

/* ── probes ────────────────────────────────────────────────────────────────── */

static void a_cut_path_of_what_is_gone_says_so(void) {
  char cut[PROBE_STRING_BYTES], told[PROBE_STRING_BYTES + 8];
  fresh(64);
  watch_walk(&table, 1);
  uint64_t a = make("a");
  listen();
  memset(cut, 'x', sizeof cut);
  memcpy(cut, "/a/", 3);
  cut[sizeof cut - 1] = '\0';
  snprintf(told, sizeof told, "%s\xe2\x80\xa6", cut);
  probe(KIND_MEMCG_BIRTH, 777777, a, cut);
  probe(KIND_MEMCG_DEATH, 777777, 0, cut);
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 777777, told, "probe") && is_said_once(KIND_MEMCG_DEATH, 777777, told, "probe"));
  /* one byte less is whole */
  cut[sizeof cut - 2] = '\0';
  probe(KIND_MEMCG_BIRTH, 777778, a, cut);
  probe(KIND_MEMCG_DEATH, 777778, 0, cut);
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 777778, cut, "probe"));
  finish();
}

static void probes_and_inotify_agree(void) {
  fresh(64);
  watch_walk(&table, 1);
  test_take(&stream);
  uint64_t a = make("a");
  probe(KIND_MEMCG_BIRTH, a, 0, "/a");
  listen();
  CHECK(is_said_once(KIND_MEMCG_BIRTH, a, "/a", "probe") && test_find(KIND_MEMCG_BIRTH, 0)->ts_ns == 42);
  drop("a");
  listen();
  CHECK(is_said_once(KIND_MEMCG_DEATH, a, "/a", "inotify"));
  probe(KIND_MEMCG_BIRTH, a, 0, "/a");
  probe(KIND_MEMCG_DEATH, a, 0, "/a");
  listen();
  CHECK(test_count(KIND_MEMCG_BIRTH) == 0 && test_count(KIND_MEMCG_DEATH) == 0);
  finish();
}

static void cut_paths_are_found_by_inode(void) {
  fresh(64);
  uint64_t a = make("a");
  watch_walk(&table, 1);
  test_take(&stream);
  uint64_t b = make("a/a-long-name"), c = make("a/another");
  probe(KIND_MEMCG_BIRTH, b, a, "/a/a-lon");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, b, "/a/a-long-name", "probe"));
  CHECK(is_said_once(KIND_MEMCG_BIRTH, c, "/a/another", "probe"));
  uint64_t d = make("a/d");
  probe(KIND_MEMCG_BIRTH, d, a, "");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, d, "/a/d", "probe"));
  /* neither path nor parent: the whole tree is walked, but not twice within a second */
  uint64_t e = make("a/e");
  table.walked_ns = 0;
  probe(KIND_MEMCG_BIRTH, e, 0, "");
  uint64_t f = make("f");
  probe(KIND_MEMCG_BIRTH, f, 0, "");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, e, "/a/e", "walk"));
  CHECK(memcg_find(&table, f) < 0 && table.walk_due);
  watch_tick(&table, now_ns() + 2 * NS_PER_S);
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, f, "/f", "walk"));
  finish();
}

static void a_memcg_too_short_lived_to_open_is_still_told(void) {
  fresh(64);
  uint64_t a = make("a");
  watch_walk(&table, 1);
  test_take(&stream);
  probe(KIND_MEMCG_BIRTH, 777777, a, "/a/gone");
  probe(KIND_MEMCG_DEATH, 777777, 0, "/a/gone");
  probe(KIND_MEMCG_DEATH, 888888, 0, "/a/unknown");
  probe(KIND_MEMCG_BIRTH, 999999, a, "/a/missed");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 777777, "/a/gone", "probe") && is_said_once(KIND_MEMCG_DEATH, 777777, "/a/gone", "probe"));
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 888888, "/a/unknown", "probe") && is_said_once(KIND_MEMCG_DEATH, 888888, "/a/unknown", "probe"));
  /* whose death no probe told: found when its directory is looked for */
  int slot = memcg_find(&table, 999999);
  CHECK(slot >= 0 && !table.slot[slot].opened);
  watch_reopen(&table, slot, 5);
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_DEATH, 999999, "/a/missed", "walk"));
  finish();
}

static void a_mounted_part_has_its_prefix_cut_off(void) {
  fresh(64);
  snprintf(table.prefix, sizeof table.prefix, "/kubepods/pod1");
  watch_walk(&table, 1);
  test_take(&stream);
  uint64_t a = make("a");
  probe(KIND_MEMCG_BIRTH, a, 0, "/kubepods/pod1/a");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, a, "/a", "probe"));
  finish();
}

/* ── reading ───────────────────────────────────────────────────────────────── */

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

/* What the last row of a kind says of a memcg in one field. */
static uint64_t told(enum kind_number kind, uint64_t id, int field) {
  uint64_t value = ABSENT;
  test_take(&stream);
  for (int i = 0; i < test_count(kind); i++)
    if (test_find(kind, i)->field[0].u == id && test_find(kind, i)->field[field].type == 'u') value = test_find(kind, i)->field[field].u;
  return value;
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
  put("a/memory.limit_in_bytes", "9223372036854771712\n");
  put("a/memory.memsw.limit_in_bytes", "4194304\n");
  put("a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
  put("a/memory.failcnt", "17\n");
  put("a/memory.kmem.usage_in_bytes", "64\n");
  put("a/memory.stat", "rss 1\ntotal_rss 10\ntotal_cache 20\n");
  watch_walk(&table, 1);
  listen();
  const struct test_row *usage = test_find(KIND_MEMCG_USAGE, 0), *limits = test_find(KIND_MEMCG_LIMITS, 1), *events = test_find(KIND_MEMCG_EVENTS, 0);
  CHECK(usage->field[0].u == a && usage->field[1].u == 1000 && usage->field[2].u == 5000 && usage->field[3].u == 500);
  CHECK(limits->field[0].u == a && limits->field[4].type == 'n' && limits->field[5].u == 4194304);
  CHECK(events->field[5].u == 3 && events->field[3].u == 17 && events->field[4].type == 'n');
  CHECK(test_find(KIND_MEMCG_STAT, 0)->field[1].u == 10 && test_find(KIND_MEMCG_STAT, 0)->field[15].u == 64);
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
  put("a/memory.current", "5\n");
  CHECK(sample_usage(&table, memcg_find(&table, a), 2));
  test_take(&stream);
  CHECK_EQUAL(test_find(KIND_MEMCG_USAGE, 0)->field[1].u, 5);
  /* gone: there is no descriptor that would say ENODEV */
  CHECK(unlinkat(root_fd, "a/memory.current", 0) == 0);
  CHECK(!sample_usage(&table, memcg_find(&table, a), 3) && memcg_find(&table, a) < 0);
  finish();
}

int main(void) {
  event_init();
  a_walk_finds_everything_once();
  inotify_tells_births_and_deaths();
  a_name_that_comes_back_is_another_memcg();
  a_rename_keeps_the_memcg();
  children_do_not_outlive_their_parent();
  a_full_table_counts_what_it_leaves_out();
  a_cut_path_of_what_is_gone_says_so();
  probes_and_inotify_agree();
  cut_paths_are_found_by_inode();
  a_memcg_too_short_lived_to_open_is_still_told();
  a_mounted_part_has_its_prefix_cut_off();
  files_become_rows_when_they_change();
  a_peak_is_read_when_it_must_be_new_or_may_be_the_last();
  the_limits_that_decide_are_read_often_the_others_while_it_is_young_and_then_seldom();
  memory_stat_is_read_as_far_as_usage_moved_and_always_near_the_limit();
  v1_numbers_are_translated();
  without_descriptors_files_are_opened_for_each_read();
  return test_done("memcg");
}
