/* test_memcg.c: on a tree of plain directories that looks like cgroup v2: every memcg is born once, dies once. */

#include "test_tree.h"

#include <sys/resource.h>
#include <sys/xattr.h>

#include "oomd.h"

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

/* Hundreds at one moment must not keep the loop from the tracer, and none is forgotten. */
static void a_storm_of_births_is_taken_in_parts(void) {
  char name[16];
  fresh(1024);
  watch_walk(&table, 1);
  for (int i = 0; i < 500; i++) {
    snprintf(name, sizeof name, "pod%d", i);
    make(name);
  }
  watch_drain(&table);
  CHECK(table.alive > 1 && table.alive <= 1 + WATCH_DRAIN_BYTES / 32);
  for (int before = 0; before != table.alive;) {
    before = table.alive;
    watch_drain(&table);
  }
  CHECK_EQUAL(table.alive, 501);
  test_take(&stream);
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

/* Without descriptors nobody below can be seen, and nobody is called dead for that; once there are some again, the dead are found. */
static void who_could_not_be_looked_for_is_not_dead(void) {
  struct rlimit before, none;
  fresh(64);
  uint64_t a = make("a"), b = make("a/b"), c = make("a/b/c");
  watch_walk(&table, 1);
  uint64_t d = make("a/d with a long name");
  drop("a/b/c");
  CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  watch_walk(&table, 2);
  probe(KIND_MEMCG_BIRTH, d, a, "/a/d with");
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_DEATH) == 0 && memcg_find(&table, a) >= 0 && memcg_find(&table, b) >= 0);
  CHECK(stream.loss[LOSS_memcg].count > 0 && table.walk_due);
  watch_walk(&table, 3);
  test_take(&stream);
  CHECK(test_count(KIND_MEMCG_DEATH) == 1 && is_said_once(KIND_MEMCG_DEATH, c, "/a/b/c", "walk") && !table.walk_due);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, d, "/a/d with a long name", "walk"));
  finish();
}

/* As deep as a path of PATH_MAX bytes can be, and all of it gone between two looks. */
static void the_deepest_tree_dies_from_below(void) {
  int depth = 2040, slot, first = -1;
  uint64_t id = 1ull << 40;
  fresh(4096);
  watch_walk(&table, 1);
  slot = memcg_find_name(&table, -1, "");
  for (int i = 0; i < depth; i++) {
    slot = memcg_born(&table, &(struct memcg_birth){.id = id + (uint64_t)i, .ts_ns = 2, .parent = slot, .name = "a", .by = "probe"});
    CHECK(slot >= 0);
    if (i == 0) first = slot;
  }
  test_take(&stream);
  memcg_died(&table, first, "walk", 3);
  test_take(&stream);
  /* the first rows did not fit into the ring */
  int deaths = test_count(KIND_MEMCG_DEATH);
  CHECK(table.alive == 1 && deaths > 1);
  for (int i = 0; i < deaths; i++) CHECK_EQUAL(test_find(KIND_MEMCG_DEATH, i)->field[0].u, id + (uint64_t)(deaths - 1 - i));
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

static void what_died_with_its_ancestors_keeps_their_names(void) {
  fresh(64);
  watch_walk(&table, 1);
  uint64_t a = make("a");
  listen();
  probe(KIND_MEMCG_BIRTH, 777001, 0, "/gone/kubepods/pod1");
  probe(KIND_MEMCG_DEATH, 777001, 0, "/gone/kubepods/pod1");
  probe(KIND_MEMCG_DEATH, 777002, 0, "/a/gone/kubepods/pod1");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 777001, "/gone/kubepods/pod1", "probe") && is_said_once(KIND_MEMCG_DEATH, 777001, "/gone/kubepods/pod1", "probe"));
  CHECK(is_said_once(KIND_MEMCG_DEATH, 777002, "/a/gone/kubepods/pod1", "probe"));
  /* an ancestor that is known by its id says the rest */
  probe(KIND_MEMCG_BIRTH, 777003, a, "/never/seen/pod2");
  test_take(&stream);
  CHECK(is_said_once(KIND_MEMCG_BIRTH, 777003, "/a/pod2", "probe"));
  finish();
}

static void marks_of_an_oom_daemon_are_told_once(void) {
  char path[PATH_MAX];
  fresh(64);
  uint64_t a = make("a"), b = make("a/b");
  watch_walk(&table, 1);
  test_take(&stream);
  snprintf(path, sizeof path, "/proc/self/fd/%d/a", table.root_fd);
  oomd_look(&table, memcg_find(&table, b), 5);
  test_take(&stream);
  CHECK_EQUAL(test_count(KIND_MEMCG_OOMD), 0);
  /* some file systems have no attributes of users (tmpfs before 6.6) */
  if (setxattr(path, "user.oomd_ooms", "2", 1, 0) == 0) {
    for (int i = 0; i < 2; i++) oomd_look(&table, memcg_find(&table, b), 6);
    test_take(&stream);
    const struct test_row *row = test_find(KIND_MEMCG_OOMD, 0);
    CHECK(test_count(KIND_MEMCG_OOMD) == 1 && row->field[0].u == a && row->field[1].u == 2 && row->field[2].type == 'n');
    CHECK(setxattr(path, "user.oomd_kill", "x7", 2, 0) == 0);
    oomd_look(&table, memcg_find(&table, a), 7);
    test_take(&stream);
    CHECK_EQUAL(test_count(KIND_MEMCG_OOMD), 0);
    CHECK(setxattr(path, "user.oomd_kill", "7", 1, 0) == 0);
    oomd_look(&table, memcg_find(&table, a), 8);
    test_take(&stream);
    CHECK(test_count(KIND_MEMCG_OOMD) == 1 && test_find(KIND_MEMCG_OOMD, 0)->field[2].u == 7);
  }
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

int main(void) {
  event_init();
  a_walk_finds_everything_once();
  inotify_tells_births_and_deaths();
  a_storm_of_births_is_taken_in_parts();
  a_name_that_comes_back_is_another_memcg();
  a_rename_keeps_the_memcg();
  children_do_not_outlive_their_parent();
  who_could_not_be_looked_for_is_not_dead();
  the_deepest_tree_dies_from_below();
  a_full_table_counts_what_it_leaves_out();
  a_cut_path_of_what_is_gone_says_so();
  what_died_with_its_ancestors_keeps_their_names();
  marks_of_an_oom_daemon_are_told_once();
  probes_and_inotify_agree();
  cut_paths_are_found_by_inode();
  a_memcg_too_short_lived_to_open_is_still_told();
  a_mounted_part_has_its_prefix_cut_off();
  return test_done("memcg");
}
