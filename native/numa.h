/* numa.h: memory.numa_stat: on which NUMA node the memory of a memcg lies; read only on demand. */
#ifndef OOMSCOPE_NUMA_H
#define OOMSCOPE_NUMA_H

#include <stdbool.h>
#include <stdint.h>

#define NUMA_NODES_MAX 64
/* Fields of memcg_numa behind readNs. */
#define NUMA_VALUES 8

struct memcgs;

struct numa {
  int nodes;                        /* that have memory; 0: not asked for, or nothing that memory.stat does not tell */
  uint64_t node[NUMA_NODES_MAX];    /* their numbers, as the kernel orders them */
  uint64_t *values;                 /* of every slot, of every node */
  bool is_short;                    /* it was said that a node is left out */
};

/* Which nodes there are, as the root's file says, and room for them: once, before any file is opened. 0 or -errno. */
int numa_init(struct memcgs *t);
/* Reads, and tells when something changed. False when the memcg is gone. */
bool numa_sample(struct memcgs *t, int slot);
/* Sends what is kept. */
void numa_send(struct memcgs *t, int slot, uint64_t ts_ns);

#endif
