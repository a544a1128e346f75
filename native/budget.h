/* budget.h: how much longer the periods must be so that sampling costs no more than it may: measured, not foreseen. */
#ifndef OOMSCOPE_BUDGET_H
#define OOMSCOPE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule.h"

#define BUDGET_PERIOD_NS (100 * 1000000ull)

struct budget {
  double allowed;              /* share of one core */
  double used;                 /* smoothed over half a second */
  double pressure;             /* ≥ 1: by what factor, in all, periods are longer */
  uint64_t cpu_ns, at_ns;      /* the reading before; at_ns 0: none */
};

void budget_init(struct budget *b, double allowed);
/* `cpu_ns` is what sampling has cost so far. Stretches the queues; false when it is too early for that. */
bool budget_regulate(struct budget *b, struct schedule *s, uint64_t cpu_ns, uint64_t now);

#endif
