/* psi.h: PSI triggers: the kernel wakes us when the node, or a memcg with a limit, stalls on memory. */
#ifndef OOMSCOPE_PSI_H
#define OOMSCOPE_PSI_H

#include <poll.h>

#include "memcg.h"

#define PSI_MEMCGS_MAX 256

struct psi_trigger {
  int fd;                  /* -1: free */
  int slot;                /* of the memcg table; -1: the node */
  uint64_t memcg_id;       /* 0: the node */
  uint64_t threshold_us, window_us;
};

struct psi {
  struct stream *out;
  struct psi_trigger trigger[1 + PSI_MEMCGS_MAX];
  int used;                /* high-water mark of trigger[] */
};

/* Sets the node's trigger; a refusal is a notice. */
void psi_init(struct psi *p, struct stream *out);
/* Sets or drops the trigger of a v2 memcg as its memory.max asks for. */
void psi_follow(struct psi *p, struct memcgs *t, int slot);
/* Puts the triggers into fds[]; returns how many. */
int psi_poll_fill(const struct psi *p, struct pollfd *fds);
/* The same fds after poll(2). */
void psi_poll_done(struct psi *p, struct memcgs *t, const struct pollfd *fds);

#endif
