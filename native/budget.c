/* budget.c: how much longer the periods must be so that sampling costs no more than it may: measured, not foreseen. */
#include "budget.h"

#define SMOOTH_NS 500e6
/* Aimed a little lower, since what comes once in ten seconds (a keyframe) costs, too. */
#define AIM 0.92
/* How strongly a share that is too high or low acts in one second (with the smoothing: without ringing much), and at most how much of it is believed. */
#define GAIN 2.0
#define TOO_MUCH_MAX 3.0
#define TOO_LITTLE_MAX 0.7
/* Who gives first: all files of everyone, then usage of the active, then of the quick; then all of them once more. */
#define SLOW_GIVES 4.0
#define ACTIVE_GIVES 4.0
#define QUICK_GIVES 10.0
#define ALL_GIVE 8.0

void budget_init(struct budget *b, double allowed) { *b = (struct budget){.allowed = allowed, .pressure = 1}; }

/* The part of `pressure` that a stage takes: between 1 and `most`. */
static double stage(double pressure, double most) { return pressure < 1 ? 1 : pressure > most ? most : pressure; }

/* A queue that is empty has nothing to give: its stage is left out. */
static void stretch(struct budget *b, struct schedule *s) {
  struct queue *queue = s->queue;
  double slow_gives = SLOW_GIVES, active_gives = slow_gives * (queue[QUEUE_ACTIVE].count > 0 ? ACTIVE_GIVES : 1);
  double quick_gives = active_gives * (queue[QUEUE_QUICK].count > 0 ? QUICK_GIVES : 1);
  if (b->pressure < 1) b->pressure = 1;
  if (b->pressure > quick_gives * ALL_GIVE) b->pressure = quick_gives * ALL_GIVE;
  double all = stage(b->pressure / quick_gives, ALL_GIVE);
  queue[QUEUE_SLOW].stretch = all * stage(b->pressure, SLOW_GIVES);
  queue[QUEUE_ACTIVE].stretch = all * stage(b->pressure / slow_gives, ACTIVE_GIVES);
  queue[QUEUE_QUICK].stretch = all * stage(b->pressure / active_gives, QUICK_GIVES);
}

bool budget_regulate(struct budget *b, struct schedule *s, uint64_t cpu_ns, uint64_t now) {
  if (b->at_ns != 0 && now - b->at_ns < BUDGET_PERIOD_NS) return false;
  double passed = (double)(now - b->at_ns), share = (double)(cpu_ns - b->cpu_ns) / passed;
  bool is_first = b->at_ns == 0;
  b->cpu_ns = cpu_ns;
  b->at_ns = now;
  if (is_first) return false;
  b->used += (share - b->used) * (passed < SMOOTH_NS ? passed / SMOOTH_NS : 1);
  double excess = b->used / (b->allowed * AIM) - 1;
  if (excess > TOO_MUCH_MAX) excess = TOO_MUCH_MAX;
  if (excess < -TOO_LITTLE_MAX) excess = -TOO_LITTLE_MAX;
  double seconds = passed / 1e9 < 1 ? passed / 1e9 : 1;
  b->pressure *= 1 + GAIN * excess * seconds;
  stretch(b, s);
  return true;
}
