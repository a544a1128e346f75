/* counters.c: open-addressed tables of the last printed value; a value that fell was cleared in the kernel and is added on top. */
#include "counters.h"

#include <errno.h>
#include <string.h>

#include "row.h"
#include "util.h"

int counters_init(struct counters *c, struct stream *out) {
  memset(c, 0, sizeof *c);
  c->out = out;
  c->counter = reserve(COUNTER_SLOTS * sizeof *c->counter);
  c->histogram = reserve(HISTOGRAM_SLOTS * sizeof *c->histogram);
  c->order = reserve(COUNTER_SLOTS * sizeof *c->order);
  c->histogram_order = reserve(HISTOGRAM_SLOTS * sizeof *c->histogram_order);
  return c->counter == NULL || c->histogram == NULL || c->order == NULL || c->histogram_order == NULL ? -ENOMEM : 0;
}

/* Fibonacci hashing: memcg ids are small and dense */
static uint32_t place(uint64_t key, int name, uint32_t slots) {
  return (uint32_t)(((key * 64 + (uint64_t)name) * 0x9e3779b97f4a7c15ull) >> 32) & (slots - 1);
}

/* The slot of a pair, a new one if needed; NULL when seven eighths are used. */
static struct counter_slot *counter_slot(struct counters *c, int name, uint64_t key) {
  uint32_t i = place(key, name, COUNTER_SLOTS);
  for (; c->counter[i].name != 0; i = (i + 1) & (COUNTER_SLOTS - 1))
    if (c->counter[i].key == key && c->counter[i].name == (uint32_t)name + 1) return &c->counter[i];
  if (c->counters >= COUNTER_SLOTS / 8 * 7) return NULL;
  c->order[c->counters++] = &c->counter[i];
  c->counter[i].name = (uint32_t)name + 1;
  c->counter[i].key = key;
  return &c->counter[i];
}

static struct histogram_slot *histogram_slot(struct counters *c, int name, uint64_t key) {
  uint32_t i = place(key, name, HISTOGRAM_SLOTS);
  for (; c->histogram[i].name != 0; i = (i + 1) & (HISTOGRAM_SLOTS - 1))
    if (c->histogram[i].key == key && c->histogram[i].name == (uint32_t)name + 1) return &c->histogram[i];
  if (c->histograms >= HISTOGRAM_SLOTS / 8 * 7) return NULL;
  c->histogram_order[c->histograms++] = &c->histogram[i];
  c->histogram[i].name = (uint32_t)name + 1;
  c->histogram[i].key = key;
  return &c->histogram[i];
}

static void send_counter(struct counters *c, const struct counter_slot *slot) {
  struct row row;
  row_begin(&row, c->out, KIND_COUNTER, now_ns());
  row_u(&row, slot->name - 1);
  row_u(&row, slot->key);
  row_u(&row, slot->sum);
  row_end(&row);
}

static void send_histogram(struct counters *c, const struct histogram_slot *slot) {
  int count = WIRE_BUCKETS;
  struct row row;
  while (count > 0 && slot->sum[count - 1] == 0) count--;
  row_begin(&row, c->out, KIND_HISTOGRAM, now_ns());
  row_u(&row, slot->name - 1);
  row_u(&row, slot->key);
  row_array(&row, slot->sum, count);
  row_end(&row);
}

void counters_value(struct counters *c, int counter, uint64_t key, uint64_t value) {
  struct counter_slot *slot = counter_slot(c, counter, key);
  if (slot == NULL) {
    stream_loss(c->out, LOSS_map, 1, "the bridge's counter table is full");
    return;
  }
  uint64_t gained = value < slot->last ? value : value - slot->last;
  slot->last = value;
  slot->sum += gained;
  if (gained != 0) send_counter(c, slot);
}

void counters_histogram(struct counters *c, int histogram, uint64_t key, const uint64_t buckets[HIST_BUCKETS]) {
  struct histogram_slot *slot = histogram_slot(c, histogram, key);
  uint64_t wire[WIRE_BUCKETS];
  bool cleared = false, changed = false;
  if (slot == NULL) {
    stream_loss(c->out, LOSS_map, 1, "the bridge's histogram table is full");
    return;
  }
  memcpy(wire, buckets, sizeof wire);
  for (int i = WIRE_BUCKETS; i < HIST_BUCKETS; i++) wire[WIRE_BUCKETS - 1] += buckets[i];
  for (int i = 0; i < WIRE_BUCKETS; i++) cleared = cleared || wire[i] < slot->last[i];
  for (int i = 0; i < WIRE_BUCKETS; i++) {
    uint64_t gained = cleared ? wire[i] : wire[i] - slot->last[i];
    slot->last[i] = wire[i];
    slot->sum[i] += gained;
    changed = changed || gained != 0;
  }
  if (changed) send_histogram(c, slot);
}

void counters_renew(struct counters *c) {
  for (uint32_t i = 0; i < c->counters; i++) c->order[i]->last = 0;
  for (uint32_t i = 0; i < c->histograms; i++) memset(c->histogram_order[i]->last, 0, sizeof c->histogram_order[i]->last);
}

/* kswapd's counters are keyed by NUMA node, all others by memcg. */
static bool is_of_node(const struct counter_slot *slot) {
  return slot->name - 1 == COUNTER_kswapd_wake_count || slot->name - 1 == COUNTER_kswapd_sleep_count;
}

void counters_keyframe(struct counters *c, bool (*is_alive)(void *context, uint64_t key), void *context) {
  for (uint32_t i = 0; i < c->counters; i++) {
    const struct counter_slot *slot = c->order[i];
    if (slot->sum != 0 && (is_alive == NULL || is_of_node(slot) || is_alive(context, slot->key))) send_counter(c, slot);
  }
  for (uint32_t i = 0; i < c->histograms; i++) {
    const struct histogram_slot *slot = c->histogram_order[i];
    if (is_alive == NULL || is_alive(context, slot->key)) send_histogram(c, slot);
  }
}
