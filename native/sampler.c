/* sampler.c: gives every memcg its turn, within a budget that it keeps by itself, and says what it did. */
#include "sampler.h"

#include <time.h>

#include "pace.h"
#include "row.h"
#include "sample.h"
#include "util.h"
#include "watch.h"

#define QUICK_PERIOD_NS (5 * NS_PER_MS)
#define RARE_PERIOD_NS (10 * NS_PER_S)
/* When a memcg moved, quiet ones directly below it get one look each, so many at a time and no more often. */
#define GLANCES 64
#define GLANCE_PERIOD_NS (100 * NS_PER_MS)
#define DEPTH_MAX 16

void sampler_init(struct sampler *s, const struct sampler_options *o) {
  struct queue *queue = s->memcgs->schedule.queue;
  queue[QUEUE_ACTIVE].period_ns = o->sample_ns;
  queue[QUEUE_QUICK].period_ns = o->sample_ns < QUICK_PERIOD_NS ? o->sample_ns : QUICK_PERIOD_NS;
  queue[QUEUE_SLOW].period_ns = o->slow_ns > o->sample_ns ? o->slow_ns : o->sample_ns;
  budget_init(&s->budget, o->budget);
}

/* Who below made it move? Those who had no look come first the next time. */
static void glance(struct memcgs *t, int slot, uint64_t now, int depth) {
  struct memcg *m = &t->slot[slot];
  if (m->first_child < 0 || m->moved_ns <= m->glanced_ns || now - m->glanced_ns < GLANCE_PERIOD_NS || depth == 0) return;
  m->glanced_ns = now;
  int child = m->glance_next >= 0 && t->slot[m->glance_next].live && t->slot[m->glance_next].parent == slot ? m->glance_next : m->first_child;
  for (int seen = 0; seen < GLANCES && seen < (int)m->children; seen++) {
    int next = t->slot[child].next_sibling;    /* a look may find it dead */
    if (pace_is_quiet(t, child) && sample_usage(t, child, now) && !pace_is_quiet(t, child)) glance(t, child, now, depth - 1);
    child = next >= 0 ? next : m->first_child;
    if (child < 0) return;
  }
  m->glance_next = child;
}

static bool run_fast(struct sampler *s, enum queue_number number, uint64_t now) {
  struct memcgs *t = s->memcgs;
  struct queue *q = &t->schedule.queue[number];
  int batch = schedule_batch(q, now);
  for (int left = batch, slot; left > 0 && (slot = schedule_next(q, now)) >= 0; left--)
    if (sample_usage(t, slot, now)) glance(t, slot, now, DEPTH_MAX);
  return batch > 0;
}

static bool run_slow(struct sampler *s, uint64_t now) {
  struct memcgs *t = s->memcgs;
  struct queue *q = &t->schedule.queue[QUEUE_SLOW];
  int batch = schedule_batch(q, now);
  for (int left = batch, slot; left > 0 && (slot = schedule_next(q, now)) >= 0; left--) {
    if (!t->slot[slot].opened) watch_reopen(t, slot, now);
    else if (sample_slow(t, slot, now, RARE_PERIOD_NS) && s->psi != NULL) psi_follow(s->psi, t, slot);
  }
  return batch > 0;
}

/*
 * A kill somewhere, but in a storm of kills no more often than active ones are looked at. v2 tells the watches of a memcg and of all above it
 * (mm/memcontrol.c memcg_memory_event()), be it 10 ms later (cgroup_file_notify()), so only those are asked that may not live so long, or that
 * have no watch: on v1 everybody.
 */
static bool sweep_events(struct sampler *s, uint64_t now) {
  struct memcgs *t = s->memcgs;
  if (!t->events_due || now - s->swept_ns < schedule_period_ns(&t->schedule.queue[QUEUE_ACTIVE])) return false;
  bool all = t->events_lost;
  t->events_due = t->events_lost = false;
  s->swept_ns = now;
  for (int slot = 0; slot < t->high; slot++) {
    const struct memcg *m = &t->slot[slot];
    if (m->live && m->opened && (all || m->events_due || m->events_watch < 0)) sample_events(t, slot, now);
  }
  return true;
}

bool sampler_run(struct sampler *s, uint64_t now) {
  bool is_quick = run_fast(s, QUEUE_QUICK, now), is_active = run_fast(s, QUEUE_ACTIVE, now), is_slow = run_slow(s, now), is_swept = sweep_events(s, now);
  if (now - s->budget.at_ns >= BUDGET_PERIOD_NS) {
    struct budget_cost cost = {.all_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - s->other_cpu_ns, .turns_ns = s->turns_cpu_ns};
    budget_regulate(&s->budget, &s->memcgs->schedule, &cost, now);
  }
  return is_quick || is_active || is_slow || is_swept;
}

uint64_t sampler_wake_ns(const struct sampler *s) {
  uint64_t wake = schedule_wake_ns(&s->memcgs->schedule), sweep = s->swept_ns + schedule_period_ns(&s->memcgs->schedule.queue[QUEUE_ACTIVE]);
  return s->memcgs->events_due && sweep < wake ? sweep : wake;
}

void sampler_say(const struct sampler *s, uint64_t ts_ns) {
  const struct memcgs *t = s->memcgs;
  const struct queue *queue = t->schedule.queue;
  uint32_t quick = queue[QUEUE_QUICK].count, active = queue[QUEUE_ACTIVE].count;
  struct row row;
  row_begin(&row, t->out, KIND_SAMPLING, ts_ns);
  row_u(&row, (uint64_t)(s->budget.allowed * 1e4 + 0.5));
  row_u(&row, (uint64_t)(s->budget.used * 1e4 + 0.5));
  row_u(&row, (uint64_t)(s->budget.pressure * 100 + 0.5));
  row_u(&row, queue[QUEUE_SLOW].count - quick - active);
  row_u(&row, active);
  row_u(&row, quick);
  for (int q = 0; q < QUEUES; q++) row_u(&row, schedule_period_ns(&queue[q]));
  for (int q = 0; q < QUEUES; q++) row_u(&row, queue[q].turns);
  row_u(&row, queue[QUEUE_SLOW].late + queue[QUEUE_ACTIVE].late + queue[QUEUE_QUICK].late);
  row_end(&row);
}
