/* mount.h: which hierarchy carries the memory controller, and where it is mounted. */
#ifndef OOMSCOPE_MOUNT_H
#define OOMSCOPE_MOUNT_H

#include <limits.h>
#include <stdbool.h>

struct memcg_mount {
  int version;               /* 1, 2; 0: there is none */
  char point[PATH_MAX];
  char prefix[PATH_MAX];     /* the mounted part of the hierarchy, "" for all of it */
};

/* text: /proc/self/mountinfo. `has_memory` tells whether a cgroup2 mount offers the controller (asked with its mount point). */
void mount_find(const char *text, bool (*has_memory)(const char *point), struct memcg_mount *mount);
/* The same for this process. */
void mount_detect(struct memcg_mount *mount);

#endif
