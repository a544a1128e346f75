/* counters.c: tables of the last printed value of each pair (counter, key); a value that fell was cleared in the kernel and is added on top. */
#include "counters.h"

#include <errno.h>
#include <string.h>

#include "row.h"
#include "util.h"

static int pairs_init(struct pairs *p, int max) {
  p->max = max;
  p->free_slot = reserve((size_t)max * sizeof *p->free_slot);
  return p->free_slot == NULL ? -ENOMEM : index_init(&p->index, max);
}

int counters_init(struct counters *c, struct stream *out) {
  memset(c, 0, sizeof *c);
  c->out = out;
  c->counter = reserve(COUNTER_SLOTS * sizeof *c->counter);
  c->histogram = reserve(HISTOGRAM_SLOTS * sizeof *c->histogram);
  if (c->counter == NULL || c->histogram == NULL) return -ENOMEM;
  return pairs_init(&c->counters, COUNTER_SLOTS) < 0 || pairs_init(&c->histograms, HISTOGRAM_SLOTS) < 0 ? -ENOMEM : 0;
}

/* ── slots ─────────────────────────────────────────────────────────────────── */

static uint64_t pair_key(uint64_t key, int name) { return key * 64 + (uint64_t)name; }

/* A slot for a new pair; -1: all are used. */
static int pairs_take(struct pairs *p, uint64_t pair) {
  int slot = p->frees > 0 ? p->free_slot[--p->frees] : p->high < p->max ? p->high++ : -1;
  if (slot >= 0) index_put(&p->index, pair, slot);
  return slot;
}

static void pairs_drop(struct pairs *p, uint64_t pair, int slot) {
  index_remove(&p->index, pair, slot);
  p->free_slot[p->frees++] = slot;
}

/* The slot of a pair, a new one if needed; NULL when all are used. */
static struct counter_slot *counter_slot(struct counters *c, int name, uint64_t key) {
  uint64_t pair = pair_key(key, name);
  const struct index *x = &c->counters.index;
  int i = index_find(x, pair);
  while (i >= 0 && (c->counter[i].key != key || c->counter[i].name != (uint32_t)name + 1)) i = index_after(x, pair, x->next[i]);
  if (i >= 0) return &c->counter[i];
  if ((i = pairs_take(&c->counters, pair)) < 0) return NULL;
  c->counter[i] = (struct counter_slot){.key = key, .name = (uint32_t)name + 1};
  return &c->counter[i];
}

static struct histogram_slot *histogram_slot(struct counters *c, int name, uint64_t key) {
  uint64_t pair = pair_key(key, name);
  const struct index *x = &c->histograms.index;
  int i = index_find(x, pair);
  while (i >= 0 && (c->histogram[i].key != key || c->histogram[i].name != (uint32_t)name + 1)) i = index_after(x, pair, x->next[i]);
  if (i >= 0) return &c->histogram[i];
  if ((i = pairs_take(&c->histograms, pair)) < 0) return NULL;
  c->histogram[i] = (struct histogram_slot){.key = key, .name = (uint32_t)name + 1};
  return &c->histogram[i];
}

/* ── rows ──────────────────────────────────────────────────────────────────── */

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

static uint32_t seconds(void) { return (uint32_t)(now_ns() / NS_PER_S); }

void counters_value(struct counters *c, int counter, uint64_t key, uint64_t value) {
  struct counter_slot *slot = counter_slot(c, counter, key);
  if (slot == NULL) {
    stream_loss(c->out, LOSS_map, 1, "the bridge's counter table is full");
    return;
  }
  uint64_t gained = value < slot->last ? value : value - slot->last;
  slot->seen_s = seconds();
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
  slot->seen_s = seconds();
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
  for (int i = 0; i < c->counters.high; i++) c->counter[i].last = 0;
  for (int i = 0; i < c->histograms.high; i++) memset(c->histogram[i].last, 0, sizeof c->histogram[i].last);
}

/* ── keyframes ─────────────────────────────────────────────────────────────── */

/* kswapd's counters are keyed by NUMA node, all others by memcg. */
static bool is_of_node(const struct counter_slot *slot) {
  return slot->name - 1 == COUNTER_kswapd_wake_count || slot->name - 1 == COUNTER_kswapd_sleep_count;
}

static bool lives(const struct living *living, uint64_t key) { return living == NULL || living->is_alive(living->context, key); }

static bool is_old(uint32_t seen_s, uint64_t ts_ns) { return ts_ns / NS_PER_S >= seen_s + (uint64_t)FORGET_S; }

void counters_keyframe(struct counters *c, uint64_t ts_ns, const struct living *living) {
  for (int i = 0; i < c->counters.high; i++) {
    struct counter_slot *slot = &c->counter[i];
    if (slot->name == 0) continue;
    if (is_of_node(slot) || lives(living, slot->key)) {
      if (slot->sum != 0) send_counter(c, slot);
    } else if (is_old(slot->seen_s, ts_ns)) {
      pairs_drop(&c->counters, pair_key(slot->key, (int)slot->name - 1), i);
      *slot = (struct counter_slot){0};
    }
  }
  for (int i = 0; i < c->histograms.high; i++) {
    struct histogram_slot *slot = &c->histogram[i];
    if (slot->name == 0) continue;
    if (lives(living, slot->key)) {
      send_histogram(c, slot);
    } else if (is_old(slot->seen_s, ts_ns)) {
      pairs_drop(&c->histograms, pair_key(slot->key, (int)slot->name - 1), i);
      *slot = (struct histogram_slot){0};
    }
  }
}
