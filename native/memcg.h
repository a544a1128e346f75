/* memcg.h: the table of memcgs: who exists, under which path, and which of its files are open. */
#ifndef OOMSCOPE_MEMCG_H
#define OOMSCOPE_MEMCG_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "frame.h"
#include "index.h"
#include "numa.h"
#include "schedule.h"
#include "stat.h"

enum memcg_file {
  FILE_CURRENT, FILE_PEAK, FILE_SWAP, FILE_STAT, FILE_EVENTS, FILE_EVENTS_LOCAL, FILE_PRESSURE,
  FILE_MIN, FILE_LOW, FILE_HIGH, FILE_MAX, FILE_SWAP_MAX, FILE_OOM_GROUP, FILE_KERNEL, FILE_SWAP_PEAK, FILE_NUMA, MEMCG_FILES
};

#define FD_ABSENT (-1)
#define FD_ON_DEMAND (-2)        /* descriptors ran out: opened for each read */

/* The rows kept per memcg, as the dictionary's fields behind memcgId. ABSENT = nil. */
enum group_number { GROUP_LIMITS, GROUP_USAGE, GROUP_STAT, GROUP_EVENTS, GROUP_PSI, GROUPS };
/* currentBytes, peakBytes, swapBytes, swapPeakBytes, memswPeakBytes: the windows between them are kept beside. */
#define USAGE_VALUES 5
/* Where each group begins in memcg.values, and how many there are in all. */
#define VALUES_LIMITS 0
#define VALUES_USAGE (VALUES_LIMITS + 6)
#define VALUES_STAT (VALUES_USAGE + USAGE_VALUES)
#define VALUES_EVENTS (VALUES_STAT + STAT_VALUES)
#define VALUES_PSI (VALUES_EVENTS + 10)
#define VALUES (VALUES_PSI + 4)

/* The highest usage of a time, and how long that was. */
struct window_peak {
  uint64_t bytes, ns;
};

/* A descriptor whose high-water mark begins anew at each look. */
struct window {
  int32_t fd;                    /* -1: none */
  uint64_t from_ns;              /* when it was reset */
  struct window_peak untold;     /* what it saw since a row told of it; bytes ABSENT: nothing */
  bool is_torn;                  /* something may have come and gone unseen since then (window.c) */
};

struct memcg {
  uint64_t id;
  int32_t parent;                /* slot; -1 for the root */
  uint32_t children;
  int32_t first_child, next_sibling, prev_sibling;   /* slots, -1: none */
  bool live;
  bool opened;                   /* the controller's files were found; else they are looked for again (memory not yet in subtree_control) */
  bool is_lost;                  /* it had them: its death was said, and a birth is said when they are back */
  bool stat_due;                 /* usage changed since memory.stat was read */
  bool numa_due;                 /* memory.stat was read since memory.numa_stat was */
  bool events_due;               /* a process of it, or below it, was killed since its events were read */
  uint8_t young;                 /* slow samples in which everything is read: whoever made it is still writing its limits */
  uint8_t known;                 /* bit per group: values below were read */
  uint32_t generation;           /* of the last walk that saw it */
  int32_t dir_watch, events_watch, psi_trigger;    /* -1: none */
  int32_t fd[MEMCG_FILES];
  uint64_t oomd_ooms, oomd_kills;    /* as last told; see oomd.h */
  struct window window, swap_window;             /* memory.peak and memory.swap.peak, see window.c */
  uint64_t usage_ns;             /* when usage was read last */
  uint64_t told_bytes, told_swap_bytes, told_ns;   /* usage and swap in the row that was sent last, and when */
  bool is_untold;                /* what is kept of usage was not sent */
  uint64_t moved_ns, moved_bytes;   /* when usage was last seen to move, and to what; see pace.c */
  uint64_t quick_until_ns, glanced_ns;
  int32_t glance_next;           /* child that is looked at next; -1: the first */
  uint64_t rare_ns, full_ns;     /* when what seldom changes was read last, and everything because of trouble */
  uint64_t children_due_ns;      /* not before that are its children read because of its trouble */
  uint64_t stat_ns, stat_bytes;  /* when memory.stat was read last, and usage then */
  uint64_t numa_ns;              /* when memory.numa_stat was read last; 0: never */
  uint64_t values[VALUES];
  char name[NAME_MAX + 1];       /* one component; a memcg known from a probe alone may have a longer piece */
};

#define YOUNG_SAMPLES 10

#define TOMBSTONES 4096

/* The newest memcgs, for whoever looks at them while they are young. */
#define NEWBORNS 64

struct newborn {
  uint64_t id, born_ns, looked_ns;     /* id 0: none; looked_ns: when its processes were read last */
  int32_t slot;
};

struct memcgs {
  struct stream *out;
  int version;                   /* 1 or 2 */
  int root_fd, inotify_fd;
  char root[PATH_MAX];           /* where the controller is mounted */
  char prefix[PATH_MAX];         /* path of that mount's root in the hierarchy, "" for "/" */
  char ignored[64];              /* name under the root that is our own (self-test); its variants begin the same */
  struct memcg *slot;
  int max, high, alive;          /* slots, slots ever used, living memcgs */
  int32_t *free_slot, *pending;  /* stacks */
  int frees, pendings;
  struct index by_id, by_name, by_dir_watch, by_events_watch;
  uint64_t tombstone[TOMBSTONES];
  uint32_t tombstones, generation;
  struct newborn newborn[NEWBORNS];
  uint32_t newborns;             /* ever */
  uint32_t open_files, file_budget, on_demand, on_demand_said;
  bool probes_see_births;        /* then a directory too short-lived to be read is not lost */
  bool watch_failed, walk_due;
  bool scan_failed;              /* since the walk began: who was not seen may live */
  uint64_t walked_ns;
  bool events_due;               /* a kill happened: events are read on the next tick, of those that nobody tells of and those marked */
  bool events_lost;              /* what inotify told is lost: everybody's */
  bool has_windows;              /* memory.peak can be reset per descriptor, as far as is known */
  bool no_swap;                  /* the node has none: nothing to read */
  uint64_t available_bytes;      /* of the node: the room of a memcg without a limit; ABSENT: not known */
  struct schedule schedule;
  struct numa numa;
};

struct memcg_birth {
  uint64_t id, ts_ns;
  int parent;                    /* slot; -1 for the root */
  const char *name, *by;
};

/* Opens the root and reserves the table. 0 or -errno. */
int memcgs_init(struct memcgs *t, struct stream *out, int max);
/* Slot of a living memcg, -1 when there is none. */
int memcg_find(const struct memcgs *t, uint64_t id);
int memcg_find_name(const struct memcgs *t, int parent, const char *name);
bool memcg_died_lately(const struct memcgs *t, uint64_t id);
/* Path below the controller's mount, "/" for the root. Returns its length. */
size_t memcg_path(const struct memcgs *t, int slot, char path[PATH_MAX]);
/* The same for openat(root_fd): without the leading slash, "." for the root. */
const char *memcg_relative(const struct memcgs *t, int slot, char path[PATH_MAX]);
/* Enters a memcg, says its birth, opens its files. Returns its slot; -1 when it is known to be dead, ours, or there is no room. */
int memcg_born(struct memcgs *t, const struct memcg_birth *birth);
/* Says the death of a memcg and of all below it. */
void memcg_died(struct memcgs *t, int slot, const char *by, uint64_t ts_ns);
/* kernfs id of a directory below the root (its inode number on 64 bit), 0 when there is none. */
uint64_t memcg_directory_id(const struct memcgs *t, const char *path);
/*
 * Its files are gone. So is it, or memory was taken out of its parent's subtree_control: then the kernel's memcg is dead all the same and its
 * tasks are charged to the one above, but the cgroup stays, with all below it, and may get the controller back.
 */
void memcg_lost_files(struct memcgs *t, int slot, uint64_t ts_ns);
void memcg_open_files(struct memcgs *t, int slot);
/* Reads one file as text. Length or -errno; -ENODEV means that the file is gone. */
ssize_t memcg_read(struct memcgs *t, int slot, enum memcg_file file, char *text, size_t capacity);
/* Reads a file of one number; ABSENT when there is no file or it says "max". False when the file is gone. */
bool memcg_number(struct memcgs *t, int slot, enum memcg_file file, uint64_t *value);
void memcg_say_birth(struct memcgs *t, int slot, const char *by, uint64_t ts_ns);
/* For counters_keyframe(). */
bool memcg_is_alive(void *context, uint64_t id);

#endif
