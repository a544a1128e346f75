/* processes.h: every process of the memcgs, read in rounds on a small budget, sooner where a limit is near: who the OOM killer could take. */
#ifndef OOMSCOPE_PROCESSES_H
#define OOMSCOPE_PROCESSES_H

#include "detail.h"
#include "index.h"
#include "memcg.h"
#include "process.h"

#define LIST_MAX 16384         /* processes of one memcg read in one go */

struct process {
  uint32_t pid, ppid, uid, threads;
  uint64_t start_ns;           /* since boot */
  int32_t slot;                /* of the memcg whose cgroup.procs named it */
  uint64_t slot_id, memcg_id;  /* that memcg's id, and the id of the one it is charged to */
  uint32_t list;               /* number of the reading of that file */
  uint8_t detail;              /* enum detail_state */
  bool is_kernel;
  int32_t oom_score_adj, said_adj;
  uint64_t read_ns, said_ns, said_bytes;
  uint64_t value[PROCESS_VALUES];
  char comm[COMM_SIZE];
};

struct processes {
  struct memcgs *memcgs;
  struct stream *out;
  struct process *process;
  struct detail *detail;       /* by the same place; kept for keyframes */
  int32_t *free_place;
  int max, high, frees;
  struct index by_pid, by_slot;
  uint64_t *read_ns;           /* by memcg slot: when its list was read last */
  int proc_fd;
  struct detail_reader reader;
  int32_t *wanted;             /* places whose details are to be asked for, newest last */
  int wanteds;
  uint32_t lists;
  /* the round that is under way */
  int cursor, slot, count, at; /* next memcg; the one being read and its list */
  uint64_t slot_id, begun_ns, orphans_ns, trouble_ns;
  uint32_t number, rounds;
  uint32_t pids[LIST_MAX];
  bool told_foreign, told_denied;
};

/* 0 or -ENOMEM. */
int processes_init(struct processes *p, struct memcgs *memcgs, int max);
/* Some processes; at most a millisecond or two. */
void processes_tick(struct processes *p, uint64_t now);
/* Processes of the newest memcgs, as often as their age asks for; and when that is next. */
void processes_look_at_newborn(struct processes *p, uint64_t now);
uint64_t processes_wake_ns(const struct processes *p);
/* An answer of the reading child may be there. */
void processes_take_details(struct processes *p);
/* A memcg runs out of memory now: everything below it is read, as far as it is bearable. */
void processes_look_at(struct processes *p, int slot);
/* This process is about to die, or has died. */
void processes_dying(struct processes *p, uint32_t pid);
void processes_ended(struct processes *p, uint32_t pid);
/* Reads a memcg at once. False when the time was over before. */
bool processes_read_memcg(struct processes *p, int slot, uint64_t deadline);
/* Asks the reading child for the next command line, if it has nothing to do. */
void processes_ask(struct processes *p, uint64_t now);
void processes_keyframe(struct processes *p, uint64_t ts_ns);
/* "1\n2\n…" → pids; returns how many. 0 stands for a process of another PID namespace. */
int processes_parse_list(const char *text, uint32_t *pids, int max);

#endif
