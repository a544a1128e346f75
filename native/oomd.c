/* oomd.c: the marks that systemd-oomd and oomd leave on a cgroup they end: extended attributes, read when a process of it dies by a signal. */
#include "oomd.h"

#include <stdio.h>
#include <sys/xattr.h>

#include "row.h"

/* systemd: src/oom/oomd-util.c, increment_oomd_xattr(): decimal text in user.*; oomd (facebook): trusted.*. */
static const char *const ooms_names[] = {"user.oomd_ooms", "trusted.oomd_ooms"}, *const kill_names[] = {"user.oomd_kill", "trusted.oomd_kill"};

static uint64_t attribute(const char *path, const char *const names[2]) {
  for (int i = 0; i < 2; i++) {
    char text[32];
    const char *at = text;
    uint64_t value;
    ssize_t length = getxattr(path, names[i], text, sizeof text - 1);
    if (length <= 0) continue;
    text[length] = '\0';
    if (parse_u64(&at, &value)) return value;
  }
  return ABSENT;
}

/* The daemon marks the cgroup that it chose; who dies may be in one below it. */
void oomd_look(struct memcgs *t, int slot, uint64_t ts_ns) {
  for (int depth = 0; slot >= 0 && depth < 64 && t->slot[slot].parent >= 0; depth++, slot = t->slot[slot].parent) {
    char relative[PATH_MAX], path[PATH_MAX + 32];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", t->root_fd, memcg_relative(t, slot, relative));
    uint64_t ooms = attribute(path, ooms_names), kills = attribute(path, kill_names);
    struct memcg *m = &t->slot[slot];
    if ((ooms == ABSENT && kills == ABSENT) || (ooms == m->oomd_ooms && kills == m->oomd_kills)) continue;
    m->oomd_ooms = ooms;
    m->oomd_kills = kills;
    struct row row;
    row_begin(&row, t->out, KIND_MEMCG_OOMD, ts_ns);
    row_u(&row, m->id);
    row_u(&row, ooms);
    row_u(&row, kills);
    row_end(&row);
  }
}
