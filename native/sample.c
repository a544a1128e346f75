/* sample.c: cgroup files → rows, sent when they changed. */
#include "sample.h"

#include "group.h"
#include "pace.h"
#include "stat.h"
#include "usage.h"

#define TROUBLE_PERIOD_NS (20 * NS_PER_MS)
#define TROUBLE_CHILDREN 64
/* Looks at the children of a memcg in trouble are at least so many times as far apart as they take. */
#define TROUBLE_APART 4
#define TEXT_MAX 16384
#define STAT_MOVED_BYTES (1024 * 1024ull)
#define STAT_MOVED_PART 64
#define STAT_LITTLE_NS (4 * NS_PER_S)
/* A spike changes what is inside by more than this part: then memory.stat is read at once. */
#define SPIKE_PART 8
#define SPIKE_APART_NS (100 * NS_PER_MS)
#define QUICK_STAT_NS (500 * NS_PER_MS)
/* What whoever makes a memcg writes into it comes within so much time. */
#define YOUNG_APART_NS (40 * NS_PER_MS)

/* ── limits ────────────────────────────────────────────────────────────────── */

/* v1 has no "max": PAGE_COUNTER_MAX pages in bytes, just below 2^63 (mm/memcontrol-v1.c) */
static uint64_t v1_limit(uint64_t bytes) { return bytes >= (1ull << 62) ? ABSENT : bytes; }

/* high and max are what decides; the others are set once in a memcg's life as a rule, and are read when `is_rare`. */
static bool sample_limits(struct memcgs *t, int slot, bool is_rare) {
  static const enum memcg_file file[6] = {FILE_MIN, FILE_LOW, FILE_HIGH, FILE_MAX, FILE_SWAP_MAX, FILE_OOM_GROUP};
  uint64_t values[6];
  memcpy(values, t->slot[slot].values + VALUES_LIMITS, sizeof values);
  for (int i = 0; i < 6; i++) {
    if (!is_rare && file[i] != FILE_HIGH && file[i] != FILE_MAX) continue;
    if (!memcg_number(t, slot, file[i], &values[i])) return false;
    if (t->version == 1) values[i] = v1_limit(values[i]);
  }
  group_update(t, slot, GROUP_LIMITS, values);
  return true;
}

/* ── files of several lines ────────────────────────────────────────────────── */

/* "key value\n…": the value of one key */
static uint64_t keyed(const char *text, const char *key) {
  uint64_t value = ABSENT;
  const char *at = line_after(text, key);
  if (at != NULL) parse_u64(&at, &value);
  return value;
}

bool sample_events(struct memcgs *t, int slot, uint64_t ts_ns) {
  static const char *const key[10] = {"low ", "high ", "max ", "oom ", "oom_kill ", "oom_group_kill ", "high ", "max ", "oom ", "oom_kill "};
  char text[512], local[512];
  uint64_t values[10];
  t->slot[slot].events_due = false;
  ssize_t n = memcg_read(t, slot, FILE_EVENTS, text, sizeof text), l = memcg_read(t, slot, FILE_EVENTS_LOCAL, local, sizeof local);
  if (n == -ENODEV || l == -ENODEV) {
    memcg_lost_files(t, slot, ts_ns);
    return false;
  }
  if (n <= 0 && l <= 0) return true;
  for (int i = 0; i < 10; i++) values[i] = ABSENT;
  if (t->version == 1) {
    const char *at = local;
    if (n > 0) values[4] = keyed(text, "oom_kill ");
    if (l > 0) parse_u64(&at, &values[2]);
  } else {
    for (int i = 0; i < 6 && n > 0; i++) values[i] = keyed(text, key[i]);
    for (int i = 6; i < 10 && l > 0; i++) values[i] = keyed(local, key[i]);
  }
  group_update(t, slot, GROUP_EVENTS, values);
  return true;
}

static uint64_t parse_centi(const char *at) {
  uint64_t whole = 0, centi = 0;
  parse_u64(&at, &whole);
  if (at[0] == '.' && at[1] >= '0' && at[1] <= '9' && at[2] >= '0' && at[2] <= '9') centi = (uint64_t)((at[1] - '0') * 10 + (at[2] - '0'));
  return whole * 100 + centi;
}

bool sample_parse_psi(const char *text, uint64_t values[4]) {
  static const char *const line[2] = {"some avg10=", "full avg10="};
  for (int i = 0; i < 2; i++) {
    const char *at = line_after(text, line[i]), *total = at == NULL ? NULL : strstr(at, "total=");
    values[2 * i] = values[2 * i + 1] = 0;
    if (total == NULL) return false;
    values[2 * i] = parse_centi(at);
    total += 6;
    if (!parse_u64(&total, &values[2 * i + 1])) return false;
  }
  return true;
}

/* ── together ──────────────────────────────────────────────────────────────── */

static bool sample_psi(struct memcgs *t, int slot) {
  char text[512];
  uint64_t values[4];
  ssize_t n = memcg_read(t, slot, FILE_PRESSURE, text, sizeof text);
  if (n > 0 && sample_parse_psi(text, values)) group_update(t, slot, GROUP_PSI, values);
  return n != -ENODEV;
}

/*
 * memory.stat costs ten times what the others do (it adds up all CPUs), so little changes are gathered for some seconds; not near
 * the limit, where what is inside changes while usage stays.
 */
static bool is_stat_due(const struct memcg *m, uint64_t ts_ns) {
  uint64_t usage = m->values[VALUES_USAGE], max = m->values[VALUES_LIMITS + 3], enough = usage / STAT_MOVED_PART;
  uint64_t moved = usage > m->stat_bytes ? usage - m->stat_bytes : m->stat_bytes - usage;
  if (!m->stat_due) return false;
  if (max != ABSENT && usage >= max - max / 8) return true;
  return moved >= (enough > STAT_MOVED_BYTES ? enough : STAT_MOVED_BYTES) || ts_ns - m->stat_ns >= STAT_LITTLE_NS;
}

static bool sample_stat(struct memcgs *t, int slot, uint64_t ts_ns) {
  static char text[TEXT_MAX];
  struct memcg *m = &t->slot[slot];
  uint64_t values[STAT_VALUES], kernel = ABSENT;
  ssize_t n = memcg_read(t, slot, FILE_STAT, text, sizeof text);
  m->stat_due = false;
  m->stat_ns = ts_ns;
  m->stat_bytes = m->values[VALUES_USAGE];
  if (n == -ENODEV || !memcg_number(t, slot, FILE_KERNEL, &kernel)) return false;
  if (n <= 0) return true;
  stat_parse(text, t->version, values);
  if (t->version == 1) values[14] = kernel;    /* kernelBytes */
  group_update(t, slot, GROUP_STAT, values);
  m->numa_due = t->numa.nodes != 0;
  return true;
}

/* What a spike is made of is known while it lasts or never. */
static bool is_spike(const struct memcg *m, uint64_t ts_ns) {
  uint64_t usage = m->values[VALUES_USAGE], enough = usage / SPIKE_PART;
  uint64_t moved = usage > m->stat_bytes ? usage - m->stat_bytes : m->stat_bytes - usage;
  if (!m->stat_due || ts_ns - m->stat_ns < SPIKE_APART_NS) return false;
  /* slow turns may be stretched: of a quick one it is known all the same what fills its limit */
  return moved >= (enough > STAT_MOVED_BYTES ? enough : STAT_MOVED_BYTES) || (pace_is_quick(m, ts_ns) && ts_ns - m->stat_ns >= QUICK_STAT_NS);
}

bool sample_usage(struct memcgs *t, int slot, uint64_t ts_ns) {
  struct memcg *m = &t->slot[slot];
  if (m->young > 0 && pace_is_quick(m, ts_ns) && ts_ns - m->rare_ns >= YOUNG_APART_NS) return sample_slow(t, slot, ts_ns, 0);
  if (usage_update(t, slot, false) && (!is_spike(m, ts_ns) || sample_stat(t, slot, ts_ns))) return true;
  memcg_lost_files(t, slot, ts_ns);
  return false;
}

void sample_repeat(struct memcgs *t, int slot, uint64_t ts_ns) {
  for (int g = 0; g < GROUPS; g++) {
    if (!(t->slot[slot].known & (1 << g))) continue;
    if (g == GROUP_USAGE) usage_repeat(t, slot, ts_ns);
    else group_send(t, slot, g, ts_ns);
  }
  if (t->slot[slot].numa_ns != 0) numa_send(t, slot, ts_ns);
}

bool sample_slow(struct memcgs *t, int slot, uint64_t ts_ns, uint64_t rare_ns) {
  struct memcg *m = &t->slot[slot];
  bool is_rare = (m->known & (1 << GROUP_LIMITS)) == 0 || m->young > 0 || ts_ns - m->rare_ns >= rare_ns;
  if (is_rare) m->rare_ns = ts_ns;
  if (m->young > 0) m->young--;
  bool alive = usage_update(t, slot, true) && sample_limits(t, slot, is_rare) && sample_psi(t, slot);
  if (alive && (is_rare || is_stat_due(m, ts_ns))) alive = sample_stat(t, slot, ts_ns);
  if (alive && m->numa_due) alive = numa_sample(t, slot);
  if (!alive) {
    memcg_lost_files(t, slot, ts_ns);
    return false;
  }
  /* inotify tells when these change (v2) */
  if (m->events_watch >= 0 && !is_rare) return true;
  return sample_events(t, slot, ts_ns);
}

bool sample_all(struct memcgs *t, int slot, uint64_t ts_ns) {
  t->slot[slot].full_ns = ts_ns;
  return sample_slow(t, slot, ts_ns, 0);
}

void sample_trouble(struct memcgs *t, int slot, uint64_t ts_ns) {
  struct memcg *m = &t->slot[slot];
  uint64_t began_ns = now_ns();
  pace_alarm(t, slot, ts_ns);
  if (ts_ns - m->full_ns < TROUBLE_PERIOD_NS || !sample_all(t, slot, ts_ns) || ts_ns < m->children_due_ns) return;
  int left = TROUBLE_CHILDREN;
  for (int s = m->first_child, next; s >= 0 && left > 0; s = next, left--) {
    next = t->slot[s].next_sibling;    /* its files may be gone, and its place */
    sample_all(t, s, ts_ns);
  }
  /* in a storm of kills, on a slow machine, this alone could take all the time there is */
  uint64_t end_ns = now_ns();
  m->children_due_ns = end_ns + TROUBLE_APART * (end_ns - began_ns);
}
