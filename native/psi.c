/* psi.c: PSI triggers (Documentation/accounting/psi.rst): write "some THRESHOLD WINDOW", then poll for POLLPRI. */
#include "psi.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "pace.h"
#include "row.h"

#define LINE "some"

/* 150 ms of stall within 1 s; without CAP_SYS_RESOURCE the window must be a multiple of 2 s (psi_trigger_create), so twice both. */
static int set_trigger(int dir_fd, const char *path, struct psi_trigger *trigger) {
  static const uint64_t threshold_us[2] = {150000, 300000}, window_us[2] = {1000000, 2000000};
  char order[64];
  int err = 0;
  int fd = openat(dir_fd, path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  for (int i = 0; i < 2; i++) {
    int length = snprintf(order, sizeof order, LINE " %llu %llu", (unsigned long long)threshold_us[i], (unsigned long long)window_us[i]);
    if (write(fd, order, (size_t)length + 1) >= 0) {
      trigger->threshold_us = threshold_us[i];
      trigger->window_us = window_us[i];
      return fd;
    }
    err = -errno;
  }
  close(fd);
  return err;
}

void psi_init(struct psi *p, struct stream *out) {
  p->out = out;
  p->used = 1;
  p->trigger[0] = (struct psi_trigger){.slot = -1};
  for (int i = 1; i <= PSI_MEMCGS_MAX; i++) p->trigger[i].fd = -1;
  p->trigger[0].fd = set_trigger(AT_FDCWD, "/proc/pressure/memory", &p->trigger[0]);
  if (p->trigger[0].fd < 0) {
    row_notice(out, "bridge", "no PSI trigger on /proc/pressure/memory: %s", strerror(-p->trigger[0].fd));
    p->trigger[0].fd = -1;
  }
}

static void drop(struct psi *p, int i, struct memcgs *t) {
  struct psi_trigger *trigger = &p->trigger[i];
  close(trigger->fd);
  trigger->fd = -1;
  if (trigger->slot >= 0 && t->slot[trigger->slot].id == trigger->memcg_id) t->slot[trigger->slot].psi_trigger = -1;
}

void psi_follow(struct psi *p, struct memcgs *t, int slot) {
  struct memcg *m = &t->slot[slot];
  bool wanted = t->version == 2 && m->fd[FILE_PRESSURE] != FD_ABSENT && (m->known & (1 << GROUP_LIMITS)) && m->values[VALUES_LIMITS + 3] != ABSENT;
  if (m->psi_trigger >= 0 && !wanted) drop(p, m->psi_trigger, t);
  if (m->psi_trigger >= 0 || !wanted) return;
  for (int i = 1; i <= PSI_MEMCGS_MAX; i++) {
    char path[PATH_MAX], full[PATH_MAX + 32];
    if (p->trigger[i].fd >= 0) continue;
    p->trigger[i] = (struct psi_trigger){.slot = slot, .memcg_id = m->id};
    snprintf(full, sizeof full, "%s/memory.pressure", memcg_relative(t, slot, path));
    p->trigger[i].fd = set_trigger(t->root_fd, full, &p->trigger[i]);
    if (p->trigger[i].fd < 0) {
      p->trigger[i].fd = -1;     /* PSI is off, or the memcg is gone: asked again at the next slow sample */
      return;
    }
    m->psi_trigger = i;
    if (i >= p->used) p->used = i + 1;
    return;
  }
}

int psi_poll_fill(const struct psi *p, struct pollfd *fds) {
  for (int i = 0; i < p->used; i++) fds[i] = (struct pollfd){.fd = p->trigger[i].fd, .events = POLLPRI};
  return p->used;
}

void psi_poll_done(struct psi *p, struct memcgs *t, const struct pollfd *fds) {
  for (int i = 0; i < p->used; i++) {
    const struct psi_trigger *trigger = &p->trigger[i];
    if (trigger->fd < 0 || fds[i].fd != trigger->fd) continue;
    if (fds[i].revents & (POLLERR | POLLNVAL)) {
      drop(p, i, t);     /* the memcg was removed */
    } else if (fds[i].revents & POLLPRI) {
      struct row row;
      row_begin(&row, p->out, KIND_PSI_TRIGGER, now_ns());
      row_u(&row, trigger->memcg_id);
      row_text(&row, LINE);
      row_u(&row, trigger->threshold_us);
      row_u(&row, trigger->window_us);
      row_end(&row);
      if (trigger->slot >= 0 && t->slot[trigger->slot].id == trigger->memcg_id) pace_alarm(t, trigger->slot, now_ns());
    }
  }
}
