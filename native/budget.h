/* budget.h: how much longer the periods must be so that sampling costs no more than it may: measured, not foreseen. */
#ifndef OOMSCOPE_BUDGET_H
#define OOMSCOPE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule.h"

#define BUDGET_PERIOD_NS (100 * 1000000ull)

/* CPU time since the start: of all that the budget is for, and of the part that longer periods make smaller. */
struct budget_cost {
  uint64_t all_ns, turns_ns;
};

struct budget {
  double allowed;              /* share of one core */
  double used, turns;          /* shares of all and of that part, smoothed over half a second */
  double pressure;             /* ≥ 1: by what factor, in all, periods are longer */
  struct budget_cost cost;     /* the reading before */
  uint64_t at_ns;              /* when that was; 0: none */
};

void budget_init(struct budget *b, double allowed);
/* Stretches the queues by what sampling has cost; false when it is too early for that. */
bool budget_regulate(struct budget *b, struct schedule *s, const struct budget_cost *cost, uint64_t now);

#endif
