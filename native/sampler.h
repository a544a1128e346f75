/* sampler.h: gives every memcg its turn, within a budget that it keeps by itself, and says what it did. */
#ifndef OOMSCOPE_SAMPLER_H
#define OOMSCOPE_SAMPLER_H

#include "budget.h"
#include "memcg.h"
#include "psi.h"

struct sampler {
  struct memcgs *memcgs;
  struct psi *psi;             /* NULL: pressure is not watched */
  struct budget budget;
  uint64_t other_cpu_ns;       /* what this thread spent on other things: the tracer's lines, the kernel log, births and deaths, processes */
  uint64_t upkeep_cpu_ns;      /* on what comes at its time however long the periods are: keyframes, rows once a second */
  uint64_t turns_cpu_ns;       /* on rounds of the loop in which somebody was looked at, without the two above */
  uint64_t swept_ns;           /* when everybody's events were read last */
};

struct sampler_options {
  uint64_t sample_ns, slow_ns;
  double budget;               /* share of one core */
};

void sampler_init(struct sampler *s, const struct sampler_options *options);
/* Gives the turns that are due, a bounded number at a time. False when there were none. */
bool sampler_run(struct sampler *s, uint64_t now);
uint64_t sampler_wake_ns(const struct sampler *s);
/* One row: who is looked at how often, and what it costs. */
void sampler_say(const struct sampler *s, uint64_t ts_ns);

#endif
