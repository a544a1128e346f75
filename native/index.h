/* index.h: a hash index over the slots of a fixed table: several slots may share a key, nothing is ever allocated later. */
#ifndef OOMSCOPE_INDEX_H
#define OOMSCOPE_INDEX_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "util.h"

struct index {
  int32_t *head, *next;      /* -1: end of chain */
  uint64_t *key;             /* by slot */
  uint32_t mask;
};

static inline int index_init(struct index *x, int slots) {
  uint32_t size = 1;
  while (size < (uint32_t)slots) size *= 2;
  x->mask = size - 1;
  x->head = reserve(size * sizeof *x->head);
  x->next = reserve((size_t)slots * sizeof *x->next);
  x->key = reserve((size_t)slots * sizeof *x->key);
  if (x->head == NULL || x->next == NULL || x->key == NULL) return -ENOMEM;
  memset(x->head, 0xff, size * sizeof *x->head);
  return 0;
}

static inline int32_t *index_chain(const struct index *x, uint64_t key) {
  return &x->head[(uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & x->mask];
}

/* The next slot with this key after `slot` in its chain, -1 at the end. */
static inline int index_after(const struct index *x, uint64_t key, int32_t slot) {
  while (slot >= 0 && x->key[slot] != key) slot = x->next[slot];
  return slot;
}

static inline int index_find(const struct index *x, uint64_t key) { return index_after(x, key, *index_chain(x, key)); }

static inline void index_put(struct index *x, uint64_t key, int slot) {
  int32_t *head = index_chain(x, key);
  x->key[slot] = key;
  x->next[slot] = *head;
  *head = slot;
}

static inline void index_remove(struct index *x, uint64_t key, int slot) {
  for (int32_t *at = index_chain(x, key); *at >= 0; at = &x->next[*at])
    if (*at == slot) {
      *at = x->next[slot];
      return;
    }
}

#endif
