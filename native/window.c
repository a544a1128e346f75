/* window.c: one descriptor of memory.peak a memcg, read and reset at each look; what happens between the two calls, less than a microsecond, is not seen. */
#include "window.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

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

void window_close(struct memcgs *t, struct memcg *m) {
  if (m->window_fd < 0) return;
  close(m->window_fd);
  m->window_fd = FD_ABSENT;
  t->open_files--;
}

void window_open(struct memcgs *t, int slot, uint64_t ts_ns) {
  char path[PATH_MAX], full[PATH_MAX + 16];
  struct memcg *m = &t->slot[slot];
  m->window_fd = FD_ABSENT;
  /* what every memcg needs comes first; the root has no memory.peak */
  if (!t->has_windows || m->parent < 0 || t->open_files >= t->file_budget / 8 * 7) return;
  snprintf(full, sizeof full, "%s/memory.peak", memcg_relative(t, slot, path));
  m->window_fd = openat(t->root_fd, full, O_RDWR | O_CLOEXEC);
  if (m->window_fd < 0) return;
  t->open_files++;
  m->window_ns = ts_ns;
  if (reset(m->window_fd)) return;
  /* an older kernel refuses it in every memcg */
  if (errno == EINVAL) t->has_windows = false;
  window_close(t, m);
}

bool window_read(const struct memcgs *t, int slot, uint64_t ts_ns, struct window_peak *peak) {
  struct memcg *m = &t->slot[slot];
  char text[64];
  const char *at = text;
  /* a memcg that has died meanwhile answers neither */
  if (m->window_fd < 0 || read_fd(m->window_fd, text, sizeof text) <= 0 || !parse_u64(&at, &peak->bytes) || !reset(m->window_fd)) return false;
  peak->ns = ts_ns - m->window_ns;
  m->window_ns = ts_ns;
  return true;
}
