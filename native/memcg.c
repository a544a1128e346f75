/* memcg.c: the table of memcgs: who exists, under which path, and which of its files are open. */
#include "memcg.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pace.h"
#include "row.h"
#include "window.h"

/* Descriptors kept back for pipes, PSI triggers (256), /proc files and one-off reads. */
#define FILES_RESERVED 512

/* By cgroup version and enum memcg_file; NULL: that version has no such file. */
static const char *const file_name[2][MEMCG_FILES] = {
  {"memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.memsw.usage_in_bytes", "memory.stat", "memory.oom_control",
   "memory.failcnt", NULL, NULL, "memory.soft_limit_in_bytes", NULL, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", NULL,
   "memory.kmem.usage_in_bytes", "memory.memsw.max_usage_in_bytes", "memory.numa_stat"},
  {"memory.current", "memory.peak", "memory.swap.current", "memory.stat", "memory.events", "memory.events.local", "memory.pressure",
   "memory.min", "memory.low", "memory.high", "memory.max", "memory.swap.max", "memory.oom.group", NULL, "memory.swap.peak", "memory.numa_stat"},
};

/* ── table ─────────────────────────────────────────────────────────────────── */

int memcgs_init(struct memcgs *t, struct stream *out, int max) {
  struct rlimit files = {0};
  t->out = out;
  t->max = max;
  t->root_fd = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (t->root_fd < 0) return -errno;
  t->has_windows = window_may_work(t);
  t->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (t->inotify_fd < 0) t->watch_failed = true;
  t->slot = reserve((size_t)max * sizeof *t->slot);
  t->free_slot = reserve((size_t)max * sizeof *t->free_slot);
  t->pending = reserve((size_t)max * sizeof *t->pending);
  if (t->slot == NULL || t->free_slot == NULL || t->pending == NULL) return -ENOMEM;
  if (schedule_init(&t->schedule, max) < 0) return -ENOMEM;
  t->available_bytes = ABSENT;
  if (index_init(&t->by_id, max) < 0 || index_init(&t->by_name, max) < 0) return -ENOMEM;
  if (index_init(&t->by_dir_watch, max) < 0 || index_init(&t->by_events_watch, max) < 0) return -ENOMEM;
  getrlimit(RLIMIT_NOFILE, &files);
  t->file_budget = files.rlim_cur > FILES_RESERVED ? (uint32_t)(files.rlim_cur - FILES_RESERVED) : 0;
  return 0;
}

int memcg_find(const struct memcgs *t, uint64_t id) { return index_find(&t->by_id, id); }

bool memcg_is_alive(void *context, uint64_t id) { return memcg_find(context, id) >= 0; }

/* FNV-1a over the name, started from the parent */
static uint64_t name_key(int parent, const char *name) {
  uint64_t h = 0xcbf29ce484222325ull ^ (uint32_t)parent;
  for (; *name != '\0'; name++) h = (h ^ (unsigned char)*name) * 0x100000001b3ull;
  return h;
}

int memcg_find_name(const struct memcgs *t, int parent, const char *name) {
  uint64_t key = name_key(parent, name);
  for (int s = index_find(&t->by_name, key); s >= 0; s = index_after(&t->by_name, key, t->by_name.next[s]))
    if (t->slot[s].parent == parent && strcmp(t->slot[s].name, name) == 0) return s;
  return -1;
}

bool memcg_died_lately(const struct memcgs *t, uint64_t id) {
  for (int i = 0; i < TOMBSTONES; i++)
    if (t->tombstone[i] == id) return true;
  return false;
}

/* Filled from the end, then moved: the path is known leaf first. Components that do not fit are left out at the front. */
size_t memcg_path(const struct memcgs *t, int slot, char path[PATH_MAX]) {
  size_t at = PATH_MAX - 1;
  path[at] = '\0';
  for (; t->slot[slot].parent >= 0; slot = t->slot[slot].parent) {
    size_t length = strlen(t->slot[slot].name);
    if (at < length + 1) break;
    at -= length;
    memcpy(path + at, t->slot[slot].name, length);
    path[--at] = '/';
  }
  if (path[at] == '\0') path[--at] = '/';
  size_t length = PATH_MAX - 1 - at;
  memmove(path, path + at, length + 1);
  return length;
}

const char *memcg_relative(const struct memcgs *t, int slot, char path[PATH_MAX]) {
  return memcg_path(t, slot, path) == 1 ? "." : path + 1;
}

/* ── files ─────────────────────────────────────────────────────────────────── */

static int open_file(const struct memcgs *t, int slot, enum memcg_file file) {
  char path[PATH_MAX], full[PATH_MAX + 64];
  snprintf(full, sizeof full, "%s/%s", memcg_relative(t, slot, path), file_name[t->version - 1][file]);
  int fd = openat(t->root_fd, full, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/*
 * Usage and peak are read ten times a second and always kept open; the others while an eighth of the budget is left for these. What is open
 * stays so: v2 has memory.pressure in every cgroup, the rest only once the parent's subtree_control has the memory controller.
 */
void memcg_open_files(struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  for (int f = 0; f < MEMCG_FILES; f++) {
    if (m->fd[f] != FD_ABSENT || file_name[t->version - 1][f] == NULL || (f == FILE_NUMA && t->numa.nodes == 0)) continue;
    uint32_t share = f == FILE_CURRENT || f == FILE_PEAK ? t->file_budget : t->file_budget / 8 * 7;
    int fd = open_file(t, slot, f);
    if (fd >= 0 && t->open_files < share) {
      m->fd[f] = fd;
      t->open_files++;
    } else if (fd >= 0 || fd == -EMFILE || fd == -ENFILE) {
      if (fd >= 0) close(fd);
      m->fd[f] = FD_ON_DEMAND;
      t->on_demand++;
      /* said each time it is twice as many as ever before: memcgs come and go */
      bool is_news = t->on_demand >= 2 * t->on_demand_said;
      if (is_news) t->on_demand_said = t->on_demand;
      if (is_news) row_notice(t->out, "bridge", "descriptors are short: %u cgroup files are opened for each read", t->on_demand);
    }
    m->opened = m->opened || (m->fd[f] != FD_ABSENT && f != FILE_PRESSURE);
  }
  if (m->window.fd < 0) window_open(t, slot, now_ns());
}

static void close_files(struct memcgs *t, struct memcg *m) {
  window_close(t, m);
  for (int f = 0; f < MEMCG_FILES; f++) {
    if (m->fd[f] >= 0) {
      close(m->fd[f]);
      t->open_files--;
    } else if (m->fd[f] == FD_ON_DEMAND) {
      t->on_demand--;
    }
    m->fd[f] = FD_ABSENT;
  }
}

ssize_t memcg_read(struct memcgs *t, int slot, enum memcg_file file, char *text, size_t capacity) {
  int fd = t->slot[slot].fd[file];
  if (fd >= 0) return read_fd(fd, text, capacity);
  if (fd == FD_ABSENT) return -ENOENT;
  fd = open_file(t, slot, file);
  if (fd < 0) {
    if (fd != -ENOENT) stream_loss(t->out, LOSS_memcg, 1, "a cgroup file could not be opened: out of descriptors");
    return fd == -ENOENT ? -ENODEV : fd;
  }
  ssize_t n = read_fd(fd, text, capacity);
  close(fd);
  return n;
}

bool memcg_number(struct memcgs *t, int slot, enum memcg_file file, uint64_t *value) {
  char text[64];
  const char *at = text;
  ssize_t n = memcg_read(t, slot, file, text, sizeof text);
  *value = ABSENT;
  if (n == -ENODEV) return false;
  if (n > 0) parse_u64(&at, value);
  return true;
}

uint64_t memcg_directory_id(const struct memcgs *t, const char *path) {
  struct stat st;
  return fstatat(t->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) ? st.st_ino : 0;
}

/* ── birth and death ───────────────────────────────────────────────────────── */

void memcg_say_birth(struct memcgs *t, int slot, const char *by, uint64_t ts_ns) {
  const struct memcg *m = &t->slot[slot];
  char path[PATH_MAX];
  size_t length = memcg_path(t, slot, path);
  struct row row;
  row_begin(&row, t->out, KIND_MEMCG_BIRTH, ts_ns);
  row_u(&row, m->id);
  row_u(&row, m->parent < 0 ? 0 : t->slot[m->parent].id);
  row_bytes(&row, path, length);
  row_text(&row, by);
  row_end(&row);
}

/* cgroup v1 can rename a directory; the keyframe tells the new path. */
static void rename_memcg(struct memcgs *t, int slot, const char *name) {
  struct memcg *m = &t->slot[slot];
  if (m->parent < 0 || strcmp(m->name, name) == 0) return;
  index_remove(&t->by_name, name_key(m->parent, m->name), slot);
  snprintf(m->name, sizeof m->name, "%s", name);
  index_put(&t->by_name, name_key(m->parent, m->name), slot);
}

static int take_slot(struct memcgs *t) {
  if (t->frees > 0) return t->free_slot[--t->frees];
  return t->high < t->max ? t->high++ : -1;
}

static bool is_ours(const struct memcgs *t, const struct memcg_birth *b) {
  return t->ignored[0] != '\0' && b->parent >= 0 && t->slot[b->parent].parent < 0 && strncmp(b->name, t->ignored, strlen(t->ignored)) == 0;
}

static void join_siblings(struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  m->first_child = m->next_sibling = m->prev_sibling = -1;
  if (m->parent < 0) return;
  struct memcg *parent = &t->slot[m->parent];
  m->next_sibling = parent->first_child;
  if (m->next_sibling >= 0) t->slot[m->next_sibling].prev_sibling = slot;
  parent->first_child = slot;
  parent->children++;
}

static void leave_siblings(struct memcgs *t, int slot) {
  const struct memcg *m = &t->slot[slot];
  struct memcg *parent = &t->slot[m->parent];
  if (m->prev_sibling >= 0) t->slot[m->prev_sibling].next_sibling = m->next_sibling;
  else parent->first_child = m->next_sibling;
  if (m->next_sibling >= 0) t->slot[m->next_sibling].prev_sibling = m->prev_sibling;
  parent->children--;
}

int memcg_born(struct memcgs *t, const struct memcg_birth *b) {
  int slot = memcg_find(t, b->id);
  if (slot >= 0) {
    rename_memcg(t, slot, b->name);
    t->slot[slot].generation = t->generation;
    return slot;
  }
  if (memcg_died_lately(t, b->id) || is_ours(t, b)) return -1;
  slot = take_slot(t);
  if (slot < 0) {
    stream_loss(t->out, LOSS_memcg, 1, "the table of memcgs is full (--max-memcgs)");
    return -1;
  }
  struct memcg *m = &t->slot[slot];
  memset(m, 0, sizeof *m);
  m->id = b->id;
  m->parent = b->parent;
  m->live = true;
  m->generation = t->generation;
  m->young = strcmp(b->by, "walk") == 0 ? 0 : YOUNG_SAMPLES;
  m->dir_watch = m->events_watch = m->psi_trigger = -1;
  m->window.fd = m->swap_window.fd = FD_ABSENT;
  for (int f = 0; f < MEMCG_FILES; f++) m->fd[f] = FD_ABSENT;
  snprintf(m->name, sizeof m->name, "%s", b->name);
  m->glance_next = -1;
  join_siblings(t, slot);
  t->alive++;
  index_put(&t->by_id, m->id, slot);
  index_put(&t->by_name, name_key(m->parent, m->name), slot);
  uint64_t now = now_ns();
  if (m->young > 0) t->newborn[t->newborns++ % NEWBORNS] = (struct newborn){.id = m->id, .slot = slot, .born_ns = now, .looked_ns = now};
  memcg_say_birth(t, slot, b->by, b->ts_ns);
  memcg_open_files(t, slot);
  schedule_enter(&t->schedule.queue[QUEUE_SLOW], slot, b->ts_ns);
  if (m->young > 0) pace_newborn(t, slot, now_ns());
  return slot;
}

static void say_death(struct memcgs *t, int slot, const char *by, uint64_t ts_ns) {
  char path[PATH_MAX];
  size_t length = memcg_path(t, slot, path);
  struct row row;
  row_begin(&row, t->out, KIND_MEMCG_DEATH, ts_ns);
  row_u(&row, t->slot[slot].id);
  row_bytes(&row, path, length);
  row_text(&row, by);
  row_end(&row);
}

static void forget_files(struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  close_files(t, m);
  if (m->events_watch < 0) return;
  index_remove(&t->by_events_watch, (uint64_t)m->events_watch, slot);
  inotify_rm_watch(t->inotify_fd, m->events_watch);
  m->events_watch = -1;
}

/* Of one that has no children. */
static void bury(struct memcgs *t, int slot, const char *by, uint64_t ts_ns) {
  struct memcg *m = &t->slot[slot];
  if (!m->is_lost) say_death(t, slot, by, ts_ns);
  forget_files(t, slot);
  if (m->dir_watch >= 0) {
    index_remove(&t->by_dir_watch, (uint64_t)m->dir_watch, slot);
    inotify_rm_watch(t->inotify_fd, m->dir_watch);
  }
  /* the trigger's descriptor is psi.c's: it sees the death as POLLERR */
  leave_siblings(t, slot);
  for (int q = 0; q < QUEUES; q++) schedule_leave(&t->schedule.queue[q], slot);
  index_remove(&t->by_id, m->id, slot);
  index_remove(&t->by_name, name_key(m->parent, m->name), slot);
  t->tombstone[t->tombstones++ % TOMBSTONES] = m->id;
  m->live = false;
  t->alive--;
  t->free_slot[t->frees++] = slot;
}

/* The kernel removes children first; if their deaths were missed they are said now. No recursion: whoever may make cgroups may nest thousands. */
void memcg_died(struct memcgs *t, int slot, const char *by, uint64_t ts_ns) {
  if (t->slot[slot].parent < 0) return;
  for (int at = slot, parent;; at = parent) {
    while (t->slot[at].first_child >= 0) at = t->slot[at].first_child;
    parent = t->slot[at].parent;
    bury(t, at, by, ts_ns);
    if (at == slot) return;
  }
}

void memcg_lost_files(struct memcgs *t, int slot, uint64_t ts_ns) {
  struct memcg *m = &t->slot[slot];
  char path[PATH_MAX];
  if (m->parent >= 0 && memcg_directory_id(t, memcg_relative(t, slot, path)) != m->id) {
    memcg_died(t, slot, "walk", ts_ns);
    return;
  }
  m->is_lost = m->parent >= 0;
  if (m->is_lost) say_death(t, slot, "walk", ts_ns);
  forget_files(t, slot);
  schedule_leave(&t->schedule.queue[QUEUE_ACTIVE], slot);
  schedule_leave(&t->schedule.queue[QUEUE_QUICK], slot);
  m->opened = false;
  m->known = 0;
  m->numa_ns = 0;
}
