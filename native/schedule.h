/* schedule.h: whose turn it is to be sampled: three queues, in each of which all have the same period, so that the first is always the next. */
#ifndef OOMSCOPE_SCHEDULE_H
#define OOMSCOPE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* Everyone stands in the slow queue (all files); who moves also in the active one (usage), who moves near a limit or rises fast in the quick one instead. */
enum queue_number { QUEUE_SLOW, QUEUE_ACTIVE, QUEUE_QUICK, QUEUES };

struct link {
  int32_t next, prev;      /* slots, -1: end */
  bool is_in;
  uint64_t from_ns;        /* its next turn is one period after this */
};

struct queue {
  struct link *link;       /* by slot */
  int32_t first, last;
  uint32_t count;
  uint64_t period_ns;      /* as asked for */
  double stretch;          /* how many times longer it is at present; ≥ 1 */
  uint32_t batches;        /* of one period */
  bool keeps_time;         /* a turn a little late does not put off the next one */
  uint64_t batch_ns;       /* when turns were last given */
  uint64_t turns, late;    /* cumulative; late: a whole period or more after it was due */
};

struct schedule {
  struct queue queue[QUEUES];
};

/* 0 or -ENOMEM. */
int schedule_init(struct schedule *s, int slots);
uint64_t schedule_period_ns(const struct queue *q);
/* Enters a slot at the end: its first turn is one period from now. No-op when it is in. */
void schedule_enter(struct queue *q, int slot, uint64_t now);
void schedule_leave(struct queue *q, int slot);
/* How many turns may be given now (0: it is too early): those of a queue are spread over its period. Begins the batch. */
int schedule_batch(struct queue *q, uint64_t now);
/* The slot whose turn it is, which goes to the end; -1: nobody's. */
int schedule_next(struct queue *q, uint64_t now);
/* When there will be something to do; UINT64_MAX: never. */
uint64_t schedule_wake_ns(const struct schedule *s);

#endif
