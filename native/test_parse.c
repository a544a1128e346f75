/* test_parse.c: the kernel's text files, its log and its mounts are read as they are written, and survive being something else. */
#include <fcntl.h>
#include <unistd.h>

#include "counters.h"
#include "kmsg.h"
#include "mount.h"
#include "sample.h"
#include "stat.h"
#include "test.h"
#include "util.h"

static struct stream stream;

/* ── counters ──────────────────────────────────────────────────────────────── */

static struct counters counters;

static bool is_even(void *context, uint64_t key) {
  (void)context;
  return key % 2 == 0;
}

static const struct living even = {.is_alive = is_even};

static void counters_never_fall(void) {
  static const uint64_t printed[] = {5, 5, 9, 2, 2, 10, 0, 1}, wire[] = {5, 9, 11, 19, 20};
  stream_init(&stream, 0, -1);
  CHECK_EQUAL(counters_init(&counters, &stream), 0);
  for (size_t i = 0; i < sizeof printed / sizeof printed[0]; i++) counters_value(&counters, COUNTER_over_high_ns, 66, printed[i]);
  counters_value(&counters, COUNTER_over_high_ns, 67, 0);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_COUNTER), 5);
  for (int i = 0; i < 5; i++) {
    const struct test_row *row = test_find(KIND_COUNTER, i);
    CHECK(row->field[0].u == COUNTER_over_high_ns && row->field[1].u == 66);
    CHECK_EQUAL(row->field[2].u, wire[i]);
  }
}

static void histograms_never_fall(void) {
  uint64_t buckets[HIST_BUCKETS] = {[0] = 1, [3] = 4, [63] = 2};
  stream_init(&stream, 0, -1);
  counters_histogram(&counters, 2, 66, buckets);
  counters_histogram(&counters, 2, 66, buckets);
  buckets[3] = 1;
  counters_histogram(&counters, 2, 66, buckets);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_HISTOGRAM), 2);
  const struct test_row *row = test_find(KIND_HISTOGRAM, 1);
  CHECK(row->field[2].type == 'a' && row->field[2].u == WIRE_BUCKETS);
  CHECK(row->field[3].u == 2 && row->field[3 + 3].u == 5 && row->field[3 + WIRE_BUCKETS - 1].u == 4);
}

static void keyframes_repeat_what_lives(void) {
  stream_init(&stream, 0, -1);
  counters_value(&counters, COUNTER_over_high_ns, 5001, 1);
  counters_value(&counters, COUNTER_over_high_ns, 5002, 1);
  counters_value(&counters, COUNTER_kswapd_wake_count, 1, 1);
  test_take(&stream);
  counters_keyframe(&counters, now_ns(), &even);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_COUNTER), 3);
  CHECK(test_find(KIND_COUNTER, 0)->field[1].u == 66 && test_find(KIND_COUNTER, 1)->field[1].u == 5002 && test_find(KIND_COUNTER, 2)->field[1].u == 1);
  CHECK_EQUAL(test_count(KIND_HISTOGRAM), 1);
}

static void a_full_table_is_counted(void) {
  stream_init(&stream, 0, -1);
  int used = counters.counters.high;
  for (uint64_t key = 0; key < COUNTER_SLOTS; key++) counters_value(&counters, COUNTER_throttled_ns, key, 1);
  CHECK_EQUAL(stream.loss[LOSS_map].count, used);
}

/* On a node where memcgs come and go for months: the living keep their sums, the dead give their places back once no map tells of them any more. */
static void the_dead_make_room(void) {
  uint64_t buckets[HIST_BUCKETS] = {[3] = 1};
  for (uint64_t key = 0; key < 2 * HISTOGRAM_SLOTS; key++) counters_histogram(&counters, 1, key, buckets);
  stream_init(&stream, 0, -1);
  counters_value(&counters, COUNTER_throttled_ns, 1ull << 40, 1);
  counters_keyframe(&counters, now_ns(), &even);
  counters_value(&counters, COUNTER_throttled_ns, 1ull << 40, 1);
  CHECK_EQUAL(stream.loss[LOSS_map].count, 2);
  counters_keyframe(&counters, now_ns() + (FORGET_S + 1) * NS_PER_S, &even);
  stream_init(&stream, 0, -1);
  for (uint64_t key = 0; key < COUNTER_SLOTS / 4; key++) counters_value(&counters, COUNTER_throttled_ns, (1ull << 40) + key, 1);
  for (uint64_t key = 0; key < HISTOGRAM_SLOTS / 4; key++) counters_histogram(&counters, 1, (1ull << 40) + key, buckets);
  CHECK_EQUAL(stream.loss[LOSS_map].count, 0);
  stream_init(&stream, 0, -1);
  counters_value(&counters, COUNTER_throttled_ns, 66, 4);     /* has lived all the time */
  counters_value(&counters, COUNTER_throttled_ns, 67, 4);     /* forgotten, as if it were new */
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_COUNTER), 2);
  counters_value(&counters, COUNTER_throttled_ns, 66, 1);
  test_take(&stream);
  CHECK(test_count(KIND_COUNTER) == 1 && test_find(KIND_COUNTER, 0)->field[2].u == 5);
}

/* ── kernel log ────────────────────────────────────────────────────────────── */

static struct kmsg kmsg;

static void record(const char *text) {
  size_t length = strlen(text);
  char *copy = malloc(length + 1);
  memcpy(copy, text, length + 1);
  kmsg_record(&kmsg, copy, length);
  free(copy);
}

static void only_the_kernel_speaks_for_the_kernel(void) {
  stream_init(&stream, 0, -1);
  kmsg = (struct kmsg){.out = &stream, .fd = -1};
  record("4,100,5000000,-;Memory cgroup out of memory: Killed process 7 (a;b\\x0a) x\n SUBSYSTEM=memory\n");
  record("12,101,5000001,-;Memory cgroup out of memory: Killed process 8 (forged)\n");
  record("6,102,5000002,c,caller=T1;plain\n");
  CHECK_EQUAL(stream.loss[LOSS_kmsg].count, 0);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_KMSG), 2);
  const struct test_row *row = test_find(KIND_KMSG, 0);
  CHECK(row->field[0].u == 100 && row->field[1].u == 4 && row->field[2].u == 5000000);
  CHECK(test_is_text(&row->field[3], "Memory cgroup out of memory: Killed process 7 (a;b\\x0a) x"));
  CHECK(test_is_text(&test_find(KIND_KMSG, 1)->field[3], "plain"));
}

static void overwritten_records_are_counted(void) {
  stream_init(&stream, 0, -1);
  kmsg = (struct kmsg){.out = &stream, .fd = -1};
  record("4,100,1,-;a\n");
  record("4,105,1,-;b\n");
  CHECK_EQUAL(stream.loss[LOSS_kmsg].count, 4);
  static const char *const broken[] = {"", "x", "4,100;a", "4,100,1,-", "4,99999999999999999999,1,-;a", ";", ",,,;"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) record(broken[i]);
  CHECK_EQUAL(stream.loss[LOSS_kmsg].count, 4 + sizeof broken / sizeof broken[0]);
}

/* ── mounts ────────────────────────────────────────────────────────────────── */

static bool offers(const char *point) { return strcmp(point, "/sys/fs/cgroup/no memory") != 0; }

static void mounts_are_found(void) {
  static struct memcg_mount mount;
  mount_find("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / /sys/fs/cgroup/mem\\040ory rw,relatime shared:5 - cgroup cgroup rw,memory\n"
             "41 31 0:38 / /sys/fs/cgroup/no\\040memory rw - cgroup2 cgroup2 rw\n", offers, &mount);
  CHECK(mount.version == 1 && strcmp(mount.point, "/sys/fs/cgroup/mem ory") == 0 && mount.prefix[0] == '\0');
  mount_find("30 23 0:26 /kubepods/pod1 /container rw - cgroup2 cgroup2 rw\n31 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", offers, &mount);
  CHECK(mount.version == 2 && strcmp(mount.point, "/sys/fs/cgroup") == 0 && mount.prefix[0] == '\0');
  mount_find("30 23 0:26 /kubepods/pod1 /container rw - cgroup2 cgroup2 rw", offers, &mount);
  CHECK(mount.version == 2 && strcmp(mount.prefix, "/kubepods/pod1") == 0);
  mount_find("35 31 0:32 / /x rw - cgroup cgroup rw,cpu,memoryless\nnoise\n\n1 2 3\n - cgroup2 \n", offers, &mount);
  CHECK_EQUAL(mount.version == 1, 0);
  mount_find("41 31 0:38 / /sys/fs/cgroup/no\\040memory rw - cgroup2 cgroup2 rw\n", offers, &mount);
  CHECK_EQUAL(mount.version, 0);
}

/* ── pressure and stat ─────────────────────────────────────────────────────── */

static void pressure_is_read(void) {
  uint64_t v[4];
  CHECK(sample_parse_psi("some avg10=12.34 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.07 avg60=0.00 avg300=0.00 total=18446744073709551614\n", v));
  CHECK(v[0] == 1234 && v[1] == 123 && v[2] == 7 && v[3] == 18446744073709551614ull);
  CHECK(!sample_parse_psi("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", v));
  CHECK(!sample_parse_psi("", v));
}

static void stat_is_read(void) {
  uint64_t v[STAT_VALUES];
  for (int round = 0; round < 2; round++) {
    stat_parse("anon 1\nfile 2\nkernel 3\nunknown_key 9\nanon_thp 4\nfile_thp 8\npgsteal 5\npgscan_kswapd 7\n", 2, v);
    CHECK(v[0] == 1 && v[1] == 2 && v[14] == 3 && v[11] == 4 && v[23] == 5 && v[22] == ABSENT && v[2] == ABSENT);
    CHECK(v[30] == 8 && v[32] == 7);
    stat_parse("cache 7\nrss 8\ntotal_cache 1\ntotal_rss 2\nhierarchical_memory_limit 5\ntotal_swapcached 4", 1, v);
    CHECK(v[0] == 2 && v[1] == 1 && v[2] == ABSENT && v[24] == 4 && v[25] == ABSENT);
    /* the order changed: the hints of the lines are wrong now */
    stat_parse("pgsteal 6\nanon 9\n\n \nshmem x\nfile", 2, v);
    CHECK(v[23] == 6 && v[0] == 9 && v[2] == ABSENT && v[1] == ABSENT);
  }
}

static void numbers_and_lines_are_found(void) {
  const char *at = "18446744073709551615 rest";
  uint64_t value;
  CHECK(parse_u64(&at, &value) && value == UINT64_MAX && *at == ' ');
  at = "18446744073709551616";
  CHECK(!parse_u64(&at, &value));
  at = "max";
  CHECK(!parse_u64(&at, &value));
  CHECK(strcmp(line_after("oom 1\noom_kill 2", "oom_kill "), "2") == 0);
  CHECK(line_after("xoom 1\n", "oom ") == NULL);
}

/* The kernel gives a page of this file at a time, as of /proc/vmstat; under the sanitizer it is always longer. */
static void a_file_of_many_records_is_read_to_its_end(void) {
  static char text[1 << 20];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  ssize_t page = read_fd(fd, text, sizeof text), whole = read_fd_whole(fd, text, sizeof text);
  CHECK(page > 0 && whole > page && text[whole - 1] == '\n' && strlen(text) == (size_t)whole);
  CHECK(read_fd_whole(fd, text, 100) == 99 && strlen(text) == 99);
  CHECK(read_fd_whole(-1, text, sizeof text) < 0);
  close(fd);
}

int main(void) {
  event_init();
  counters_never_fall();
  histograms_never_fall();
  keyframes_repeat_what_lives();
  a_full_table_is_counted();
  the_dead_make_room();
  only_the_kernel_speaks_for_the_kernel();
  overwritten_records_are_counted();
  mounts_are_found();
  pressure_is_read();
  stat_is_read();
  numbers_and_lines_are_found();
  a_file_of_many_records_is_read_to_its_end();
  return test_done("parse");
}
