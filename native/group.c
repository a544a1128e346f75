/* group.c: the numbers kept of each memcg, in groups that are one row each, sent when they changed. */
#include "group.h"

#include "row.h"

static const struct {
  enum kind_number kind;
  int first, count;          /* in memcg.values; fields behind memcgId */
} group[GROUPS] = {
  [GROUP_LIMITS] = {KIND_MEMCG_LIMITS, VALUES_LIMITS, 6}, [GROUP_USAGE] = {KIND_MEMCG_USAGE, VALUES_USAGE, USAGE_VALUES},
  [GROUP_STAT] = {KIND_MEMCG_STAT, VALUES_STAT, STAT_VALUES}, [GROUP_EVENTS] = {KIND_MEMCG_EVENTS, VALUES_EVENTS, 10},
  [GROUP_PSI] = {KIND_MEMCG_PSI, VALUES_PSI, 4},
};

void group_send(struct memcgs *t, int slot, enum group_number g, uint64_t ts_ns) {
  const struct memcg *m = &t->slot[slot];
  struct row row;
  row_begin(&row, t->out, group[g].kind, ts_ns);
  row_u(&row, m->id);
  for (int i = 0; i < group[g].count; i++) row_u(&row, m->values[group[g].first + i]);
  row_end(&row);
}

bool group_keep(struct memcgs *t, int slot, enum group_number g, const uint64_t *values) {
  struct memcg *m = &t->slot[slot];
  size_t bytes = (size_t)group[g].count * sizeof *values;
  uint64_t *kept = m->values + group[g].first;
  if ((m->known & (1 << g)) && memcmp(kept, values, bytes) == 0) return false;
  memcpy(kept, values, bytes);
  m->known |= (uint8_t)(1 << g);
  return true;
}

void group_update(struct memcgs *t, int slot, enum group_number g, const uint64_t *values) {
  if (group_keep(t, slot, g, values)) group_send(t, slot, g, now_ns());
}
