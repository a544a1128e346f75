/* budget.c: how much longer the periods must be so that sampling costs no more than it may: measured, not foreseen. */
#include "budget.h"

#include "util.h"

#define SMOOTH_NS 500e6
/* Aimed a little lower, since what comes once in ten seconds (a keyframe) costs, too. */
#define AIM 0.92
/*
 * What longer periods do not make smaller (keyframes, rows once a second, waking up for others) goes first, but never takes more than so much
 * from the turns: on a slow machine it alone may cost more than is allowed, and to look at nobody any more would not change that.
 */
#define TURNS_KEEP 0.5
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

static void measure(struct budget *b, const struct budget_cost *cost, uint64_t passed_ns) {
  double passed = (double)passed_ns, weight = passed < SMOOTH_NS ? passed / SMOOTH_NS : 1;
  b->used += ((double)(cost->all_ns - b->cost.all_ns) / passed - b->used) * weight;
  b->turns += ((double)(cost->turns_ns - b->cost.turns_ns) / passed - b->turns) * weight;
}

/* By what part the turns cost more than is left for them; negative: less. */
static double excess_of(const struct budget *b) {
  double aim = b->allowed * AIM, left = aim - (b->used - b->turns), least = aim * TURNS_KEEP;
  double excess = b->turns / (left > least ? left : least) - 1;
  return excess > TOO_MUCH_MAX ? TOO_MUCH_MAX : excess < -TOO_LITTLE_MAX ? -TOO_LITTLE_MAX : excess;
}

bool budget_regulate(struct budget *b, struct schedule *s, const struct budget_cost *cost, uint64_t now) {
  if (b->at_ns != 0 && now - b->at_ns < BUDGET_PERIOD_NS) return false;
  uint64_t passed_ns = now - b->at_ns;
  bool is_first = b->at_ns == 0;
  if (!is_first) measure(b, cost, passed_ns);
  b->cost = *cost;
  b->at_ns = now;
  if (is_first) return false;
  double seconds = passed_ns < NS_PER_S ? (double)passed_ns / NS_PER_S : 1;
  b->pressure *= 1 + GAIN * excess_of(b) * seconds;
  stretch(b, s);
  return true;
}
