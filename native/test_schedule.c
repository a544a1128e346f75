/* test_schedule.c: everyone gets its turns at its period, nobody starves, and what it costs stays within the budget, in simulated time. */
#include "budget.h"
#include "schedule.h"
#include "test.h"
#include "util.h"

#define SLOTS 8192

static struct schedule schedule;
static struct budget budget;
static uint64_t now, cpu_ns, upkeep_ns, taken[QUEUES][SLOTS], last_ns[SLOTS], longest_ns[SLOTS];
static uint64_t cost_ns[QUEUES];

/* ── a machine ─────────────────────────────────────────────────────────────── */

/* SLOTS are reserved once: there is no giving back. */
static void fresh(double allowed) {
  static struct schedule reserved;
  if (reserved.queue[0].link == NULL) CHECK_EQUAL(schedule_init(&reserved, SLOTS), 0);
  schedule = reserved;
  for (int q = 0; q < QUEUES; q++) memset(schedule.queue[q].link, 0, SLOTS * sizeof *schedule.queue[q].link);
  schedule.queue[QUEUE_ACTIVE].period_ns = 100 * NS_PER_MS;
  schedule.queue[QUEUE_QUICK].period_ns = 5 * NS_PER_MS;
  budget_init(&budget, allowed);
  memset(taken, 0, sizeof taken);
  now = NS_PER_S;
  cpu_ns = upkeep_ns = 0;
  cost_ns[QUEUE_SLOW] = 10000;
  cost_ns[QUEUE_ACTIVE] = cost_ns[QUEUE_QUICK] = 1500;
}

static void enter(enum queue_number q, int from, int to) {
  for (int slot = from; slot < to; slot++) schedule_enter(&schedule.queue[q], slot, now);
}

/* One wake-up of the loop: 5 µs, and what its turns cost. */
static void wake(void) {
  uint64_t at = schedule_wake_ns(&schedule);
  if (at > now) now = at;
  uint64_t began = now, spent = 5000;
  for (int q = QUEUES - 1; q >= 0; q--)
    for (int left = schedule_batch(&schedule.queue[q], began), slot; left > 0 && (slot = schedule_next(&schedule.queue[q], began)) >= 0; left--) {
      taken[q][slot]++;
      spent += cost_ns[q];
      if (q != QUEUE_SLOW) continue;
      if (last_ns[slot] != 0 && began - last_ns[slot] > longest_ns[slot]) longest_ns[slot] = began - last_ns[slot];
      last_ns[slot] = began;
    }
  cpu_ns += spent;
  now += spent;
  budget_regulate(&budget, &schedule, &(struct budget_cost){.all_ns = cpu_ns + upkeep_ns, .turns_ns = cpu_ns}, now);
}

/* Share of the time that was spent. */
static double run(uint64_t ns) {
  uint64_t began = now, before = cpu_ns;
  memset(taken, 0, sizeof taken);
  memset(last_ns, 0, sizeof last_ns);
  memset(longest_ns, 0, sizeof longest_ns);
  while (now < began + ns) wake();
  return (double)(cpu_ns - before) / (double)(now - began);
}

static uint64_t least(enum queue_number q, int from, int to) {
  uint64_t value = UINT64_MAX;
  for (int slot = from; slot < to; slot++) value = taken[q][slot] < value ? taken[q][slot] : value;
  return value;
}

static uint64_t most(enum queue_number q, int from, int to) {
  uint64_t value = 0;
  for (int slot = from; slot < to; slot++) value = taken[q][slot] > value ? taken[q][slot] : value;
  return value;
}

/* ── tests ─────────────────────────────────────────────────────────────────── */

static void within_the_budget_everyone_has_its_period(void) {
  fresh(0.02);
  enter(QUEUE_SLOW, 0, 200);
  enter(QUEUE_ACTIVE, 0, 20);
  enter(QUEUE_QUICK, 20, 22);
  run(2 * NS_PER_S);
  CHECK(run(10 * NS_PER_S) < 0.02);
  CHECK(budget.pressure == 1);
  CHECK(least(QUEUE_SLOW, 0, 200) >= 9 && most(QUEUE_SLOW, 0, 200) <= 11);
  CHECK(least(QUEUE_ACTIVE, 0, 20) >= 99 && most(QUEUE_ACTIVE, 0, 20) <= 101);
  CHECK(least(QUEUE_QUICK, 20, 22) >= 1990 && most(QUEUE_QUICK, 20, 22) <= 2010);
  CHECK_EQUAL(schedule.queue[QUEUE_SLOW].late + schedule.queue[QUEUE_ACTIVE].late + schedule.queue[QUEUE_QUICK].late, 0);
}

/* Whoever makes itself quick, and be it all of them, takes a share of the budget, not more, and nobody is forgotten. */
static void the_budget_is_kept_whatever_the_load(void) {
  static const struct { int slow, active, quick; double allowed; } load[] = {
    {1000, 1000, 0, 0.02}, {1000, 0, 1000, 0.02}, {2000, 1000, 1000, 0.02}, {8192, 100, 30, 0.02}, {300, 50, 200, 0.005}, {500, 500, 0, 0.002},
  };
  for (int i = 0; i < LENGTH_OF(load); i++) {
    fresh(load[i].allowed);
    enter(QUEUE_SLOW, 0, load[i].slow);
    enter(QUEUE_ACTIVE, 0, load[i].active);
    enter(QUEUE_QUICK, load[i].active, load[i].active + load[i].quick);
    run(20 * NS_PER_S);
    double share = run(60 * NS_PER_S);
    CHECK(share <= load[i].allowed && share > load[i].allowed / 2);
    uint64_t longest = 0;
    for (int slot = 0; slot < load[i].slow; slot++) longest = longest_ns[slot] > longest ? longest_ns[slot] : longest;
    CHECK(least(QUEUE_SLOW, 0, load[i].slow) > 0 && longest < 40 * NS_PER_S);
    /* of one queue nobody has more than its share */
    for (int q = 0; q < QUEUES; q++) {
      int from = q == QUEUE_QUICK ? load[i].active : 0, count = q == QUEUE_SLOW ? load[i].slow : q == QUEUE_ACTIVE ? load[i].active : load[i].quick;
      CHECK(count == 0 || most(q, from, from + count) - least(q, from, from + count) <= 2);
    }
    /* the quick ones lose last: they stay quicker than the active, these than the slow */
    CHECK(schedule_period_ns(&schedule.queue[QUEUE_QUICK]) <= schedule_period_ns(&schedule.queue[QUEUE_ACTIVE]));
    CHECK(schedule_period_ns(&schedule.queue[QUEUE_ACTIVE]) <= schedule_period_ns(&schedule.queue[QUEUE_SLOW]));
  }
}

static void the_slow_give_first_and_the_quick_last(void) {
  fresh(0.02);
  enter(QUEUE_SLOW, 0, 3000);
  enter(QUEUE_ACTIVE, 0, 100);
  enter(QUEUE_QUICK, 100, 110);
  run(20 * NS_PER_S);
  CHECK(schedule.queue[QUEUE_SLOW].stretch > 1.5 && schedule.queue[QUEUE_ACTIVE].stretch == 1 && schedule.queue[QUEUE_QUICK].stretch == 1);
  enter(QUEUE_ACTIVE, 110, 1500);
  run(20 * NS_PER_S);
  CHECK(schedule.queue[QUEUE_SLOW].stretch == 4 && schedule.queue[QUEUE_ACTIVE].stretch > 1.2 && schedule.queue[QUEUE_QUICK].stretch == 1);
}

static void periods_come_back_when_the_load_goes(void) {
  fresh(0.02);
  enter(QUEUE_SLOW, 0, 1000);
  enter(QUEUE_QUICK, 0, 1000);
  run(20 * NS_PER_S);
  CHECK(budget.pressure > 10);
  for (int slot = 0; slot < 1000; slot++) schedule_leave(&schedule.queue[QUEUE_QUICK], slot);
  run(15 * NS_PER_S);
  CHECK(budget.pressure == 1 && schedule_period_ns(&schedule.queue[QUEUE_SLOW]) == NS_PER_S);
}

/* A slow machine: once a second and keyframes alone cost three times of what is allowed. */
static double run_slow_machine(uint64_t ns) {
  uint64_t began = now, before = cpu_ns;
  memset(taken, 0, sizeof taken);
  while (now < began + ns) {
    uint64_t second = now / NS_PER_S;
    wake();
    if (now / NS_PER_S == second) continue;
    uint64_t cost = now / NS_PER_S % 10 == 0 ? 300 * NS_PER_MS : 30 * NS_PER_MS;
    upkeep_ns += cost;
    now += cost;
  }
  return (double)(cpu_ns - before) / (double)(now - began);
}

static void what_longer_periods_do_not_save_leaves_the_turns_half(void) {
  fresh(0.02);
  enter(QUEUE_SLOW, 0, 3);
  enter(QUEUE_QUICK, 0, 1);
  cost_ns[QUEUE_QUICK] = NS_PER_MS;
  run_slow_machine(20 * NS_PER_S);
  double share = run_slow_machine(60 * NS_PER_S);
  CHECK(budget.used > budget.allowed && share > budget.allowed * 0.4 && share < budget.allowed * 0.5);
  CHECK(most(QUEUE_QUICK, 0, 1) > 450);
}

/* The process was stopped, or the node had no CPU for it. */
static void turns_that_were_missed_are_counted_and_not_made_up_for(void) {
  fresh(1);
  enter(QUEUE_SLOW, 0, 10);
  enter(QUEUE_ACTIVE, 0, 10);
  run(2 * NS_PER_S);
  now += 10 * NS_PER_S;
  double share = run(NS_PER_S);
  CHECK(share < 0.01);
  CHECK_EQUAL(schedule.queue[QUEUE_ACTIVE].late, 10);
  CHECK_EQUAL(schedule.queue[QUEUE_SLOW].late, 10);
  CHECK(most(QUEUE_ACTIVE, 0, 10) <= 12 && least(QUEUE_ACTIVE, 0, 10) >= 10);
}

static void a_queue_is_whole_whoever_comes_and_goes(void) {
  static bool is_in[SLOTS];
  uint64_t seed = 42;
  fresh(1);
  struct queue *q = &schedule.queue[QUEUE_ACTIVE];
  memset(is_in, 0, sizeof is_in);
  for (int step = 0; step < 20000; step++) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    int slot = (int)(seed >> 40) % 300;
    if ((seed >> 33 & 1) != 0) schedule_enter(q, slot, now);
    else schedule_leave(q, slot);
    is_in[slot] = (seed >> 33 & 1) != 0;
    now += 777777;
    if (step % 3 == 0 && schedule_batch(q, now) > 0) schedule_next(q, now);
    if (step % 97 != 0) continue;
    uint32_t count = 0;
    for (int32_t at = q->first, before = -1; at >= 0; before = at, at = q->link[at].next, count++) CHECK(is_in[at] && q->link[at].prev == before);
    CHECK_EQUAL(count, q->count);
    for (int s = 0; s < 300; s++) count -= is_in[s];
    CHECK_EQUAL(count, 0);
  }
}

static void nobody_means_never(void) {
  fresh(1);
  CHECK_EQUAL(schedule_wake_ns(&schedule), UINT64_MAX);
  CHECK_EQUAL(schedule_batch(&schedule.queue[QUEUE_QUICK], now), 0);
  CHECK(schedule_next(&schedule.queue[QUEUE_QUICK], now) == -1);
}

int main(void) {
  within_the_budget_everyone_has_its_period();
  the_budget_is_kept_whatever_the_load();
  the_slow_give_first_and_the_quick_last();
  periods_come_back_when_the_load_goes();
  what_longer_periods_do_not_save_leaves_the_turns_half();
  turns_that_were_missed_are_counted_and_not_made_up_for();
  a_queue_is_whole_whoever_comes_and_goes();
  nobody_means_never();
  return test_done("schedule");
}
