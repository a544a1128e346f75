/* zones.c: /proc/zoneinfo, /proc/buddyinfo and /proc/slabinfo → rows. */
#include "zones.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "row.h"
#include "util.h"

#define FREE_PERIOD_NS (2 * NS_PER_S)
/* Reading it walks lists of every cache under a lock (mm/slub.c get_slabinfo). */
#define SLAB_PERIOD_NS (10 * NS_PER_S)
#define ZONE_NAME_MAX 16
#define SLAB_NAME_MAX 48
#define ORDERS_MAX 16        /* NR_PAGE_ORDERS is 11 on x86, 14 on arm64 with large pages */
#define PROTECTION_MAX 8     /* MAX_NR_ZONES */

static char text[65536];

/* "Node 0, zone   Normal": moves behind the name; false for any other line. */
static bool read_zone(const char **at, uint64_t *numa_node, char name[ZONE_NAME_MAX]) {
  const char *p = *at;
  if (strncmp(p, "Node ", 5) != 0) return false;
  p += 5;
  if (!parse_u64(&p, numa_node) || strncmp(p, ", zone", 6) != 0) return false;
  p += 6;
  p += strspn(p, " ");
  size_t length = strcspn(p, " ");
  if (length == 0 || length >= ZONE_NAME_MAX) return false;
  memcpy(name, p, length);
  name[length] = '\0';
  *at = p + length;
  return true;
}

/* Numbers between anything that is none. */
static int read_numbers(const char *at, uint64_t *values, int max) {
  int count = 0;
  while (count < max) {
    at += strcspn(at, "0123456789");
    if (*at == '\0' || !parse_u64(&at, &values[count])) break;
    count++;
  }
  return count;
}

/* ── zones ─────────────────────────────────────────────────────────────────── */

enum { ZONE_FREE, ZONE_MIN, ZONE_LOW, ZONE_HIGH, ZONE_MANAGED, ZONE_VALUES };

struct zone_reading {
  struct zones *zones;
  uint64_t ts_ns, numa_node;
  char name[ZONE_NAME_MAX];      /* "": between two zones */
  uint64_t value[ZONE_VALUES];
};

/* "protection: (0, 2826, 23936)" is the last of its zone; a zone that manages no page has nothing to tell. */
static void say_zone(struct zone_reading *r, const char *protection) {
  uint64_t values[PROTECTION_MAX];
  struct row row;
  for (int i = 0; i < ZONE_VALUES; i++)
    if (r->value[i] == ABSENT) return;
  if (r->value[ZONE_MANAGED] == 0) return;
  row_begin(&row, r->zones->out, KIND_NODE_ZONE, r->ts_ns);
  row_u(&row, r->numa_node);
  row_text(&row, r->name);
  for (int i = 0; i < ZONE_VALUES; i++) row_u(&row, r->value[i]);
  row_array(&row, values, read_numbers(protection, values, PROTECTION_MAX));
  row_end(&row);
}

static void on_zone_line(void *context, const char *line) {
  static const char *const key[ZONE_VALUES] = {"pages free ", "min ", "low ", "high ", "managed "};
  struct zone_reading *r = context;
  const char *at = line;
  if (read_zone(&at, &r->numa_node, r->name)) {
    for (int i = 0; i < ZONE_VALUES; i++) r->value[i] = ABSENT;
    return;
  }
  if (r->name[0] == '\0') return;
  line += strspn(line, " ");
  if (strncmp(line, "protection:", 11) == 0) {
    say_zone(r, line + 11);
    r->name[0] = '\0';     /* what follows are counters and per-cpu lists, which have a "high", too */
    return;
  }
  for (int i = 0; i < ZONE_VALUES; i++) {
    size_t length = strlen(key[i]);
    if (r->value[i] != ABSENT || strncmp(line, key[i], length) != 0) continue;
    at = line + length + strspn(line + length, " ");
    parse_u64(&at, &r->value[i]);
  }
}

static void sample_zones(struct zones *z, uint64_t ts_ns) {
  struct zone_reading r = {.zones = z, .ts_ns = ts_ns};
  read_lines(z->zoneinfo_fd, &(struct line_reader){text, sizeof text, on_zone_line, &r});
}

/* ── free blocks ───────────────────────────────────────────────────────────── */

static void on_buddy_line(void *context, const char *line) {
  struct zone_reading *r = context;
  uint64_t blocks[ORDERS_MAX];
  struct row row;
  if (!read_zone(&line, &r->numa_node, r->name)) return;
  row_begin(&row, r->zones->out, KIND_NODE_BUDDY, r->ts_ns);
  row_u(&row, r->numa_node);
  row_text(&row, r->name);
  row_array(&row, blocks, read_numbers(line, blocks, ORDERS_MAX));
  row_end(&row);
}

static void sample_buddy(struct zones *z, uint64_t ts_ns) {
  struct zone_reading r = {.zones = z, .ts_ns = ts_ns};
  read_lines(z->buddyinfo_fd, &(struct line_reader){text, sizeof text, on_buddy_line, &r});
}

/* ── slab caches ───────────────────────────────────────────────────────────── */

struct slab {
  char name[SLAB_NAME_MAX];
  uint64_t active, objects, object_bytes, total_bytes;
};

struct slab_reading {
  struct slab top[SLAB_TOP];      /* largest first */
  int count;
  uint64_t page_bytes;
};

static void keep_slab(struct slab_reading *r, const struct slab *slab) {
  if (r->count == SLAB_TOP && r->top[SLAB_TOP - 1].total_bytes >= slab->total_bytes) return;
  int at = r->count < SLAB_TOP ? r->count++ : SLAB_TOP - 1;
  for (; at > 0 && r->top[at - 1].total_bytes < slab->total_bytes; at--) r->top[at] = r->top[at - 1];
  r->top[at] = *slab;
}

/* "name active objects objsize objperslab pagesperslab : tunables … : slabdata active_slabs num_slabs sharedavail" */
static void on_slab_line(void *context, const char *line) {
  struct slab_reading *r = context;
  struct slab slab = {0};
  uint64_t size[5], slabs[2];
  size_t length = strcspn(line, " ");
  const char *data = strstr(line, "slabdata");
  if (*line == '#' || data == NULL || length == 0) return;
  if (read_numbers(line + length, size, 5) != 5 || read_numbers(data, slabs, 2) != 2) return;
  if (__builtin_mul_overflow(slabs[1], size[4], &slab.total_bytes) || __builtin_mul_overflow(slab.total_bytes, r->page_bytes, &slab.total_bytes)) return;
  if (slab.total_bytes == 0) return;
  if (length >= SLAB_NAME_MAX) length = SLAB_NAME_MAX - 1;
  memcpy(slab.name, line, length);
  text_clean(slab.name, length);
  slab.active = size[0];
  slab.objects = size[1];
  slab.object_bytes = size[2];
  keep_slab(r, &slab);
}

static void sample_slab(struct zones *z, uint64_t ts_ns) {
  static struct slab_reading r;
  memset(&r, 0, sizeof r);
  r.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
  read_lines(z->slabinfo_fd, &(struct line_reader){text, sizeof text, on_slab_line, &r});
  for (int i = 0; i < r.count; i++) {
    struct row row;
    row_begin(&row, z->out, KIND_NODE_SLAB, ts_ns);
    row_u(&row, (uint64_t)i);
    row_text(&row, r.top[i].name);
    row_u(&row, r.top[i].active);
    row_u(&row, r.top[i].objects);
    row_u(&row, r.top[i].object_bytes);
    row_u(&row, r.top[i].total_bytes);
    row_end(&row);
  }
}

/* ── together ──────────────────────────────────────────────────────────────── */

void zones_init(struct zones *z, struct stream *out) {
  *z = (struct zones){.out = out};
  z->zoneinfo_fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
  z->buddyinfo_fd = open("/proc/buddyinfo", O_RDONLY | O_CLOEXEC);
  z->slabinfo_fd = open("/proc/slabinfo", O_RDONLY | O_CLOEXEC);
}

void zones_sample_free(struct zones *z, uint64_t now) {
  sample_zones(z, now);
  sample_buddy(z, now);
  z->next_ns = now + FREE_PERIOD_NS;
}

void zones_sample(struct zones *z, uint64_t now) {
  zones_sample_free(z, now);
  sample_slab(z, now);
  z->next_slab_ns = now + SLAB_PERIOD_NS;
}

/* The keyframes read slab caches, too: at their usual rhythm they are all that does. */
void zones_tick(struct zones *z, uint64_t now) {
  if (now >= z->next_slab_ns) zones_sample(z, now);
  else if (now >= z->next_ns) zones_sample_free(z, now);
}
