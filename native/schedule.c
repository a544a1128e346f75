/* schedule.c: whose turn it is to be sampled: three queues, in each of which all have the same period, so that the first is always the next. */
#include "schedule.h"

#include <errno.h>

#include "util.h"

/* Turns of one batch, so that the tracer is looked after in between. */
#define BATCH_MAX 256
/* Just enough to keep up: those who came at one moment are apart after a few periods. */
#define SPREAD 1.1
/* Batches of one period: few, since each wakes the process. */
static const uint32_t batches[QUEUES] = {[QUEUE_SLOW] = 25, [QUEUE_ACTIVE] = 10, [QUEUE_QUICK] = 1};

int schedule_init(struct schedule *s, int slots) {
  for (int i = 0; i < QUEUES; i++) {
    struct queue *q = &s->queue[i];
    *q = (struct queue){.link = reserve((size_t)slots * sizeof *q->link), .first = -1, .last = -1, .period_ns = NS_PER_S, .stretch = 1,
                        .batches = batches[i], .keeps_time = i != QUEUE_SLOW};
    if (q->link == NULL) return -ENOMEM;
  }
  return 0;
}

uint64_t schedule_period_ns(const struct queue *q) { return (uint64_t)((double)q->period_ns * q->stretch); }

static void append(struct queue *q, int slot) {
  struct link *link = &q->link[slot];
  link->next = -1;
  link->prev = q->last;
  if (q->last >= 0) q->link[q->last].next = slot;
  else q->first = slot;
  q->last = slot;
}

static void unlink_slot(struct queue *q, int slot) {
  const struct link *link = &q->link[slot];
  if (link->prev >= 0) q->link[link->prev].next = link->next;
  else q->first = link->next;
  if (link->next >= 0) q->link[link->next].prev = link->prev;
  else q->last = link->prev;
}

void schedule_enter(struct queue *q, int slot, uint64_t now) {
  struct link *link = &q->link[slot];
  if (link->is_in) return;
  link->is_in = true;
  link->from_ns = now;
  append(q, slot);
  q->count++;
}

void schedule_leave(struct queue *q, int slot) {
  if (!q->link[slot].is_in) return;
  q->link[slot].is_in = false;
  unlink_slot(q, slot);
  q->count--;
}

static uint64_t apart_ns(const struct queue *q) { return schedule_period_ns(q) / q->batches; }

static uint64_t due_ns(const struct queue *q) { return q->link[q->first].from_ns + schedule_period_ns(q); }

int schedule_batch(struct queue *q, uint64_t now) {
  if (q->first < 0 || now < due_ns(q) || now < q->batch_ns + apart_ns(q)) return 0;
  /* when we are late there are more of them */
  uint64_t since = q->batch_ns > due_ns(q) ? q->batch_ns : due_ns(q), passed = now - since > apart_ns(q) ? now - since : apart_ns(q);
  double turns = 1 + SPREAD * q->count * (double)passed / (double)schedule_period_ns(q);
  q->batch_ns = now;
  return turns < BATCH_MAX ? (int)turns : BATCH_MAX;
}

int schedule_next(struct queue *q, uint64_t now) {
  if (q->first < 0 || now < due_ns(q)) return -1;
  int slot = q->first;
  struct link *link = &q->link[slot];
  uint64_t due = due_ns(q);
  bool is_late = now - due >= schedule_period_ns(q);
  if (is_late) q->late++;
  q->turns++;
  /* turns that were missed are not made up for */
  link->from_ns = is_late || !q->keeps_time ? now : due;
  unlink_slot(q, slot);
  append(q, slot);
  return slot;
}

uint64_t schedule_wake_ns(const struct schedule *s) {
  uint64_t wake = UINT64_MAX;
  for (int i = 0; i < QUEUES; i++) {
    const struct queue *q = &s->queue[i];
    if (q->first < 0) continue;
    uint64_t due = due_ns(q), next = q->batch_ns + apart_ns(q), at = due > next ? due : next;
    if (at < wake) wake = at;
  }
  return wake;
}
