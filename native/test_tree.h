/* test_tree.h: a tree of plain directories that looks like cgroup v2, and a table of memcgs over it. */
#ifndef OOMSCOPE_TEST_TREE_H
#define OOMSCOPE_TEST_TREE_H

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

static inline void put(const char *path, const char *text) {
  int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static inline uint64_t make(const char *path) {
  struct stat st;
  CHECK(mkdirat(root_fd, path, 0755) == 0 && fstatat(root_fd, path, &st, 0) == 0);
  return st.st_ino;
}

static inline void drop(const char *path) { CHECK(unlinkat(root_fd, path, AT_REMOVEDIR) == 0); }

static inline void remove_tree(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf -- '%s'", root);
  CHECK(system(command) == 0);
}

/* An empty tree and a table over it that has walked it. */
static inline void fresh(int max) {
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

static inline void finish(void) {
  for (int s = table.high - 1; s > 0; s--)
    if (table.slot[s].live) memcg_died(&table, s, "walk", 1);
  CHECK_EQUAL(table.open_files, 0);
  CHECK_EQUAL(table.alive, 1);
  remove_tree();
  close(root_fd);
  close(table.root_fd);
  close(table.inotify_fd);
}

static inline void listen(void) {
  watch_drain(&table);
  test_take(&stream);
}

/* What the last row of a kind says of a memcg in one field. */
static inline uint64_t told(enum kind_number kind, uint64_t id, int field) {
  uint64_t value = ABSENT;
  test_take(&stream);
  for (int i = 0; i < test_count(kind); i++)
    if (test_find(kind, i)->field[0].u == id && test_find(kind, i)->field[field].type == 'u') value = test_find(kind, i)->field[field].u;
  return value;
}

/* A row of kind 10 or 11 as a probe prints it. */
static inline void probe(uint64_t kind, uint64_t id, uint64_t parent, const char *path) {
  struct fact fact = {.kind = event_kind(kind), .ts_ns = 42};
  int at = 0;
  fact.value[at++] = (struct value){.type = 'u', .u = id};
  if (kind == KIND_MEMCG_BIRTH) fact.value[at++] = (struct value){.type = 'u', .u = parent};
  fact.value[at++] = (struct value){.type = 's', .bytes = path, .length = strlen(path)};
  fact.value[at++] = (struct value){.type = 's', .bytes = "probe", .length = 5};
  if (kind == KIND_MEMCG_BIRTH) watch_probe_birth(&table, &fact);
  else watch_probe_death(&table, &fact);
}

#endif
