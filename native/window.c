/* window.c: one descriptor of memory.peak (and memory.swap.peak) a memcg, read and reset at each look. */
#include "window.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * A peak between reading and resetting is not seen. The two calls take some microseconds, unless this thread lost the CPU between them (an
 * emulated machine, a stopped one): a window that may hide something of this length is told as one that is not exact.
 */
#define TORN_NS 250000ull

/*
 * mm/memcontrol.c: peak_write(): any bytes reset the watermark that this open file sees. Two descriptors that take turns would leave no gap,
 * but do not work: a reset drops the common local_watermark, and the other file keeps only what usage is at that moment (measured on 6.12).
 * For the same reason a second program that resets hides peaks from this one.
 */
static bool reset(int fd) { return pwrite(fd, "0\n", 2, 0) == 2; }

bool window_may_work(const struct memcgs *t) {
  struct statfs fs;
  return t->version == 2 && fstatfs(t->root_fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static void close_one(struct memcgs *t, struct window *w) {
  if (w->fd < 0) return;
  close(w->fd);
  w->fd = FD_ABSENT;
  t->open_files--;
}

void window_close(struct memcgs *t, struct memcg *m) {
  close_one(t, &m->window);
  close_one(t, &m->swap_window);
}

static void open_one(struct memcgs *t, int slot, struct window *w, const char *file) {
  char path[PATH_MAX], full[PATH_MAX + 32];
  /* what every memcg needs comes first; the root has neither file */
  if (!t->has_windows || t->slot[slot].parent < 0 || t->open_files >= t->file_budget / 8 * 7) return;
  snprintf(full, sizeof full, "%s/%s", memcg_relative(t, slot, path), file);
  w->fd = openat(t->root_fd, full, O_RDWR | O_CLOEXEC);
  if (w->fd < 0) return;
  t->open_files++;
  if (reset(w->fd)) return;
  /* an older kernel refuses it in every memcg */
  if (errno == EINVAL) t->has_windows = false;
  close_one(t, w);
}

void window_open(struct memcgs *t, int slot, uint64_t ts_ns) {
  struct memcg *m = &t->slot[slot];
  m->window = m->swap_window = (struct window){.fd = FD_ABSENT, .from_ns = ts_ns, .untold = {ABSENT, ABSENT}};
  open_one(t, slot, &m->window, "memory.peak");
  if (m->window.fd >= 0 && !t->no_swap) open_one(t, slot, &m->swap_window, "memory.swap.peak");
}

bool window_look(struct window *w, uint64_t ts_ns, uint64_t told, struct window_peak *peak) {
  char text[64];
  const char *at = text;
  /* a memcg that has died meanwhile answers neither */
  if (w->fd < 0 || read_fd(w->fd, text, sizeof text) <= 0 || !parse_u64(&at, &peak->bytes) || !reset(w->fd)) return false;
  if (now_ns() - ts_ns > TORN_NS) w->is_torn = true;
  peak->ns = ts_ns - w->from_ns;
  w->from_ns = ts_ns;
  bool is_first = w->untold.bytes == ABSENT;
  if (is_first && !w->is_torn && told != ABSENT && peak->bytes <= told) return true;
  w->untold.bytes = is_first || peak->bytes > w->untold.bytes ? peak->bytes : w->untold.bytes;
  w->untold.ns = (is_first ? 0 : w->untold.ns) + peak->ns;
  return true;
}
