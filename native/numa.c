/* numa.c: memory.numa_stat of either version → rows of memcg_numa, one per NUMA node with memory. */
#include "numa.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "memcg.h"
#include "row.h"
#include "util.h"

/* Thirty lines of 64 nodes. */
static char text[65536];

/*
 * Fields of memcg_numa as each version names them. v2 counts what memory.stat counts, in bytes (mm/memcontrol.c
 * memory_numa_stat_show()); v1 pages on the LRU lists, with children in hierarchical_ (mm/memcontrol-v1.c memcg_numa_stat_show()).
 */
static const char *const numa_key[2][NUMA_VALUES] = {
  {"hierarchical_anon", "hierarchical_file", NULL, "hierarchical_unevictable", NULL, NULL, NULL, NULL},
  {"anon", "file", "shmem", "unevictable", "kernel_stack", "pagetables", "slab_reclaimable", "slab_unreclaimable"},
};

static int field_of(int version, const char *key, size_t length) {
  const char *const *keys = numa_key[version - 1];
  for (int i = 0; i < NUMA_VALUES; i++)
    if (keys[i] != NULL && strlen(keys[i]) == length && memcmp(keys[i], key, length) == 0) return i;
  return -1;
}

/* " N1=4096": moves behind it; false when the line is over. */
static bool next_node(const char **at, uint64_t *node, uint64_t *value) {
  const char *p = *at;
  if (p[0] != ' ' || p[1] != 'N') return false;
  p += 2;
  if (!parse_u64(&p, node) || *p++ != '=' || !parse_u64(&p, value)) return false;
  *at = p;
  return true;
}

/* Behind the key, and behind the sum that v1 has there. */
static const char *behind_key(const char *line, size_t length) {
  const char *at = line + length;
  return *at == '=' ? at + strcspn(at, " \n") : at;
}

/* Where a node is kept; its lines name the nodes in the order of numa.node. -1: it got memory after the start. */
static int place_of(struct memcgs *t, uint64_t node, int expected) {
  struct numa *n = &t->numa;
  if (expected < n->nodes && n->node[expected] == node) return expected;
  for (int i = 0; i < n->nodes; i++)
    if (n->node[i] == node) return i;
  if (!n->is_short) row_notice(t->out, "bridge", "NUMA node %llu is left out: only nodes that had memory at the start are told, at most %d", (unsigned long long)node, NUMA_NODES_MAX);
  n->is_short = true;
  return -1;
}

/* A line that does not end was cut off by the buffer: its last number may be, too. */
static void parse(struct memcgs *t, uint64_t *values) {
  uint64_t unit = t->version == 1 ? (uint64_t)sysconf(_SC_PAGESIZE) : 1, node, value;
  for (int i = 0; i < t->numa.nodes * NUMA_VALUES; i++) values[i] = ABSENT;
  for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    size_t length = strcspn(line, " =\n");
    int field = field_of(t->version, line, length);
    const char *at = behind_key(line, length);
    for (int i = 0; field >= 0 && next_node(&at, &node, &value); i++) {
      int place = place_of(t, node, i);
      if (place >= 0 && !__builtin_mul_overflow(value, unit, &value)) values[place * NUMA_VALUES + field] = value;
    }
  }
}

static uint64_t *kept(const struct memcgs *t, int slot) { return t->numa.values + (size_t)slot * (size_t)t->numa.nodes * NUMA_VALUES; }

int numa_init(struct memcgs *t) {
  struct numa *n = &t->numa;
  uint64_t node, value;
  int fd = openat(t->root_fd, "memory.numa_stat", O_RDONLY | O_CLOEXEC), nodes = 0;
  ssize_t length = fd < 0 ? -errno : read_fd(fd, text, sizeof text);
  if (fd >= 0) close(fd);
  if (length <= 0) {
    row_notice(t->out, "bridge", "--numa: there is no memory.numa_stat: %s", length == 0 ? "it is empty" : strerror((int)-length));
    return 0;
  }
  const char *at = behind_key(text, strcspn(text, " =\n"));
  while (nodes < NUMA_NODES_MAX && next_node(&at, &node, &value)) n->node[nodes++] = node;
  if (nodes < 2) {
    row_notice(t->out, "bridge", "--numa: only one NUMA node has memory: memory.stat tells what is on it, memory.numa_stat is not read");
    return 0;
  }
  n->values = reserve((size_t)t->max * (size_t)nodes * NUMA_VALUES * sizeof *n->values);
  if (n->values == NULL) return -ENOMEM;
  n->nodes = nodes;
  return 0;
}

bool numa_sample(struct memcgs *t, int slot) {
  static uint64_t values[NUMA_NODES_MAX * NUMA_VALUES];
  struct memcg *m = &t->slot[slot];
  size_t bytes = (size_t)t->numa.nodes * NUMA_VALUES * sizeof *values;
  m->numa_due = false;
  ssize_t length = memcg_read(t, slot, FILE_NUMA, text, sizeof text);
  if (length <= 0) return length != -ENODEV;
  parse(t, values);
  bool is_new = m->numa_ns == 0 || memcmp(kept(t, slot), values, bytes) != 0;
  m->numa_ns = now_ns();
  memcpy(kept(t, slot), values, bytes);
  if (is_new) numa_send(t, slot, m->numa_ns);
  return true;
}

void numa_send(struct memcgs *t, int slot, uint64_t ts_ns) {
  const struct memcg *m = &t->slot[slot];
  struct row row;
  for (int place = 0; place < t->numa.nodes; place++) {
    row_begin(&row, t->out, KIND_MEMCG_NUMA, ts_ns);
    row_u(&row, m->id);
    row_u(&row, t->numa.node[place]);
    row_u(&row, m->numa_ns);
    for (int i = 0; i < NUMA_VALUES; i++) row_u(&row, kept(t, slot)[place * NUMA_VALUES + i]);
    row_end(&row);
  }
}
