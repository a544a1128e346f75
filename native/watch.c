/* watch.c: finds births and deaths of memcgs: by walking the tree, by inotify, and by what the probes say. */
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pace.h"
#include "row.h"
#include "sample.h"

#define PATH_CUT "\xe2\x80\xa6"      /* … as src/model/memcgs.ts knows it */

#define WALK_PERIOD_NS NS_PER_S     /* at most one walk a second, whatever asks for it */

/* struct linux_dirent64 of getdents64(2): opendir() would allocate inside the loop */
struct dirent_kernel {
  uint64_t ino;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

/* ── watches ───────────────────────────────────────────────────────────────── */

static int add_watch(struct memcgs *t, int slot, const char *file, uint32_t mask) {
  char path[PATH_MAX], full[2 * PATH_MAX + 64];
  if (t->inotify_fd < 0) return -1;
  snprintf(full, sizeof full, "%s/%s/%s", t->root, memcg_relative(t, slot, path), file);
  int wd = inotify_add_watch(t->inotify_fd, full, mask);
  /* whose path is too long for a system call cannot be walked either */
  if (wd < 0 && errno != ENOENT && errno != ENAMETOOLONG && !t->watch_failed) {
    t->watch_failed = true;
    row_notice(t->out, "bridge", "inotify: %s: the cgroup tree is walked once a second instead", strerror(errno));
  }
  return wd;
}

static void add_dir_watch(struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  if (m->dir_watch >= 0) return;
  m->dir_watch = add_watch(t, slot, "", IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_ONLYDIR);
  if (m->dir_watch >= 0) index_put(&t->by_dir_watch, (uint64_t)m->dir_watch, slot);
}

/* v2 notifies memory.events (cgroup_file_notify); v1 has no such file. */
static void add_events_watch(struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  if (t->version != 2 || m->events_watch >= 0 || m->fd[FILE_EVENTS] == FD_ABSENT) return;
  m->events_watch = add_watch(t, slot, "memory.events", IN_MODIFY);
  if (m->events_watch >= 0) index_put(&t->by_events_watch, (uint64_t)m->events_watch, slot);
}

/* ── walking ───────────────────────────────────────────────────────────────── */

/* Births a child whose directory exists; new ones are put on the stack of directories to scan. */
static int found(struct memcgs *t, const struct memcg_birth *birth) {
  int known = memcg_find(t, birth->id), slot = memcg_born(t, birth);
  if (slot < 0) return -1;
  /* watch before the scan that follows: a child made between the two is seen by one of them */
  add_dir_watch(t, slot);
  if (known < 0) {
    add_events_watch(t, slot);
    sample_all(t, slot, birth->ts_ns);
    if (t->pendings < t->max) t->pending[t->pendings++] = slot;
  }
  return slot;
}

struct scan {
  const char *by;
  uint64_t ts_ns;
  bool deep;      /* go into directories that are known already */
};

static void scan_entry(struct memcgs *t, int parent, const struct dirent_kernel *entry, const struct scan *scan) {
  char path[PATH_MAX], child[PATH_MAX + NAME_MAX + 2];
  if (entry->name[0] == '.' && (entry->name[1] == '\0' || (entry->name[1] == '.' && entry->name[2] == '\0'))) return;
  snprintf(child, sizeof child, "%s/%s", memcg_relative(t, parent, path), entry->name);
  uint64_t id = memcg_directory_id(t, child);
  if (id == 0) return;
  bool is_known = memcg_find(t, id) >= 0;
  int slot = found(t, &(struct memcg_birth){.id = id, .ts_ns = scan->ts_ns, .parent = parent, .name = entry->name, .by = scan->by});
  if (slot >= 0 && is_known && scan->deep && t->pendings < t->max) t->pending[t->pendings++] = slot;
}

/* A directory that is gone is no failure; one that could not be read holds nobody that can be called dead. */
static void note_failure(struct memcgs *t, int err) {
  bool is_memory = err == ENOMEM;
  if (!is_memory && err != EMFILE && err != ENFILE) return;
  t->scan_failed = t->walk_due = true;
  stream_loss(t->out, LOSS_memcg, 1, is_memory ? "a cgroup directory could not be read: out of memory" : "a cgroup directory could not be read: out of descriptors");
}

static void scan_directory(struct memcgs *t, int slot, const struct scan *scan) {
  static _Alignas(8) char entries[32768];
  char path[PATH_MAX];
  long n;
  int fd = openat(t->root_fd, memcg_relative(t, slot, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    note_failure(t, errno);
    return;
  }
  while ((n = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
    for (long at = 0; at < n;) {
      const struct dirent_kernel *entry = (const struct dirent_kernel *)(entries + at);
      at += entry->length;
      if (entry->type == 4 /* DT_DIR */ || entry->type == 0 /* DT_UNKNOWN */) scan_entry(t, slot, entry, scan);
    }
  if (n < 0) note_failure(t, errno);
  close(fd);
}

static void scan_pending(struct memcgs *t, const struct scan *scan) {
  while (t->pendings > 0) {
    int slot = t->pending[--t->pendings];
    if (t->slot[slot].live) scan_directory(t, slot, scan);
  }
}

void watch_walk(struct memcgs *t, uint64_t ts_ns) {
  struct scan scan = {.by = "walk", .ts_ns = ts_ns, .deep = true};
  struct memcg_birth root = {.id = memcg_directory_id(t, "."), .ts_ns = ts_ns, .parent = -1, .name = "", .by = "walk"};
  t->walk_due = t->scan_failed = false;
  t->walked_ns = ts_ns;
  t->generation++;
  int slot = found(t, &root);
  if (slot < 0) return;
  if (t->pendings == 0) t->pending[t->pendings++] = slot;
  scan_pending(t, &scan);
  if (t->scan_failed) return;
  for (int s = 0; s < t->high; s++)
    if (t->slot[s].live && t->slot[s].generation != t->generation) memcg_died(t, s, "walk", ts_ns);
}

void watch_tick(struct memcgs *t, uint64_t ts_ns) {
  if ((t->walk_due || t->watch_failed) && ts_ns - t->walked_ns >= WALK_PERIOD_NS) watch_walk(t, ts_ns);
}

/* ── inotify ───────────────────────────────────────────────────────────────── */

/* A name below a memcg was made or removed: asks the file system what is true now, since names come and go faster than events. */
static void check_name(struct memcgs *t, int parent, const char *name, bool was_created) {
  char path[PATH_MAX], child[PATH_MAX + NAME_MAX + 2];
  uint64_t ts_ns = now_ns();
  snprintf(child, sizeof child, "%s/%s", memcg_relative(t, parent, path), name);
  uint64_t id = memcg_directory_id(t, child);
  int slot = memcg_find_name(t, parent, name);
  if (slot >= 0 && t->slot[slot].id != id) memcg_died(t, slot, "inotify", ts_ns);
  struct memcg_birth birth = {.id = id, .ts_ns = ts_ns, .parent = parent, .name = name, .by = "inotify"};
  bool is_ours = t->ignored[0] != '\0' && strncmp(name, t->ignored, strlen(t->ignored)) == 0;
  if (id == 0 && slot < 0 && was_created && !t->probes_see_births && !is_ours)
    stream_loss(t->out, LOSS_memcg, 1, "a memcg lived too short to be read");
  if (id == 0 || found(t, &birth) < 0) return;
  scan_pending(t, &(struct scan){.by = "inotify", .ts_ns = ts_ns});
}

static void on_event(struct memcgs *t, const struct inotify_event *event) {
  if (event->mask & IN_Q_OVERFLOW) {
    stream_loss(t->out, LOSS_memcg, 1, "inotify queue overflow: the tree is walked again");
    t->walk_due = t->events_due = t->events_lost = true;
    return;
  }
  int slot = index_find(&t->by_events_watch, (uint64_t)event->wd);
  if (slot >= 0) {
    /* a limit was reached */
    if ((event->mask & IN_MODIFY) && sample_events(t, slot, now_ns())) pace_alarm(t, slot, now_ns());
    return;
  }
  slot = index_find(&t->by_dir_watch, (uint64_t)event->wd);
  if (slot >= 0 && (event->mask & IN_ISDIR) && event->len > 0) check_name(t, slot, event->name, (event->mask & IN_CREATE) != 0);
}

void watch_drain(struct memcgs *t) {
  /* a birth may cost 0.2 ms, on an emulated machine much more: so few that a storm of cgroups keeps the loop from nothing; it comes back for the rest */
  static _Alignas(struct inotify_event) char events[WATCH_DRAIN_BYTES];
  ssize_t n = read(t->inotify_fd, events, sizeof events);
  for (ssize_t at = 0; at < n;) {
    const struct inotify_event *event = (const struct inotify_event *)(events + at);
    at += (ssize_t)(sizeof *event + event->len);
    on_event(t, event);
  }
}

/* ── probes ────────────────────────────────────────────────────────────────── */

/* The path of a probe, terminated, relative to the controller's mount; "" when it is not below it. */
static void probe_path(const struct memcgs *t, const struct fact *fact, char path[PATH_MAX]) {
  size_t length, prefix = strlen(t->prefix);
  const char *bytes = fact_text(fact, "path", &length);
  path[0] = '\0';
  if (length >= PATH_MAX || length < prefix || memcmp(bytes, t->prefix, prefix) != 0 || memchr(bytes, '\0', length) != NULL) return;
  memcpy(path, bytes + prefix, length - prefix);
  path[length - prefix] = '\0';
}

/* bpftrace cuts strings: the reader must see that this is not the whole path. */
static void mark_cut(const struct fact *fact, char path[PATH_MAX]) {
  size_t length;
  fact_text(fact, "path", &length);
  if (length >= PROBE_STRING_BYTES - 1 && strlen(path) + sizeof PATH_CUT <= PATH_MAX) strcat(path, PATH_CUT);
}

/* Slot of the directory that holds the last component of the path, by walking down the names; -1 when it is not known. */
static int parent_of(const struct memcgs *t, const char *path, const char **name) {
  char component[NAME_MAX + 1];
  int slot = memcg_find_name(t, -1, "");
  *name = path;
  while (*path == '/') path++;
  for (const char *end; slot >= 0 && (end = strchr(path, '/')) != NULL; path = end + 1) {
    if ((size_t)(end - path) > NAME_MAX) return -1;
    memcpy(component, path, (size_t)(end - path));
    component[end - path] = '\0';
    slot = memcg_find_name(t, slot, component);
  }
  *name = path;
  return slot;
}

/* The name of the parent's entry with this inode: for probes whose path is cut (bpftrace 0.17) or empty (0.23). */
static void find_below(struct memcgs *t, int parent, uint64_t ts_ns) {
  scan_directory(t, parent, &(struct scan){.by = "probe", .ts_ns = ts_ns});
  scan_pending(t, &(struct scan){.by = "walk", .ts_ns = ts_ns});
}

/* Enters a memcg that exists nowhere any more, under the best path known. Returns its slot. */
static int born_and_gone(struct memcgs *t, const struct fact *fact) {
  char path[PATH_MAX];
  const char *name;
  probe_path(t, fact, path);
  mark_cut(fact, path);
  int parent = parent_of(t, path, &name);
  if (parent < 0) {
    /* an ancestor is gone, too: nothing may be left out of the path, or it would be that of another pod */
    const char *last = strrchr(path, '/');
    parent = memcg_find(t, fact_u(fact, "parentId"));
    name = parent >= 0 && last != NULL ? last + 1 : path + (path[0] == '/');
  }
  if (parent < 0) parent = memcg_find_name(t, -1, "");
  if (parent < 0) return -1;
  return memcg_born(t, &(struct memcg_birth){.id = fact_u(fact, "memcgId"), .ts_ns = fact->ts_ns, .parent = parent, .name = name, .by = "probe"});
}

void watch_probe_birth(struct memcgs *t, const struct fact *fact) {
  char path[PATH_MAX];
  const char *name;
  uint64_t id = fact_u(fact, "memcgId");
  t->probes_see_births = true;
  if (memcg_find(t, id) >= 0 || memcg_died_lately(t, id)) return;
  probe_path(t, fact, path);
  int parent = parent_of(t, path, &name);
  if (parent >= 0 && *name != '\0' && memcg_directory_id(t, path + 1) == id) {
    found(t, &(struct memcg_birth){.id = id, .ts_ns = fact->ts_ns, .parent = parent, .name = name, .by = "probe"});
    scan_pending(t, &(struct scan){.by = "probe", .ts_ns = fact->ts_ns});
    return;
  }
  if (parent < 0 || *name == '\0') parent = memcg_find(t, fact_u(fact, "parentId"));
  if (parent >= 0) find_below(t, parent, fact->ts_ns);
  if (memcg_find(t, id) >= 0) return;
  if (parent < 0 && now_ns() - t->walked_ns < WALK_PERIOD_NS) {
    t->walk_due = true;    /* if it is gone by then, its death row brings the birth along */
    return;
  }
  if (parent < 0) watch_walk(t, now_ns());
  /* who could not be looked for is not gone: the next walk finds it, with its whole path */
  if (memcg_find(t, id) < 0 && !t->scan_failed) born_and_gone(t, fact);
}

void watch_probe_death(struct memcgs *t, const struct fact *fact) {
  uint64_t id = fact_u(fact, "memcgId");
  if (memcg_died_lately(t, id)) return;
  int slot = memcg_find(t, id);
  if (slot < 0) slot = born_and_gone(t, fact);
  if (slot >= 0) memcg_died(t, slot, "probe", fact->ts_ns);
}

void watch_reopen(struct memcgs *t, int slot, uint64_t ts_ns) {
  char path[PATH_MAX];
  if (memcg_directory_id(t, memcg_relative(t, slot, path)) != t->slot[slot].id) {
    memcg_died(t, slot, "walk", ts_ns);
    return;
  }
  struct memcg *m = &t->slot[slot];
  memcg_open_files(t, slot);
  if (m->opened) add_events_watch(t, slot);
  else if (m->is_lost) return;
  if (m->is_lost) {
    m->is_lost = false;
    m->young = YOUNG_SAMPLES;
    memcg_say_birth(t, slot, "walk", ts_ns);
  }
  sample_all(t, slot, ts_ns);
}
