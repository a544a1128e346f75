/* newborn.c: a memcg is looked at whenever it is half as old again as at the look before: what starts in it may be dead 20 ms later. */
#include "processes.h"
#include "util.h"

#define FIRST_NS (4 * NS_PER_MS)
#define LAST_NS (2 * NS_PER_S)
#define BUDGET_NS NS_PER_MS

static uint64_t newborn_due_ns(const struct newborn *n) {
  uint64_t age = n->looked_ns - n->born_ns;
  return n->looked_ns + (age / 2 > FIRST_NS ? age / 2 : FIRST_NS);
}

uint64_t processes_wake_ns(const struct processes *p) {
  uint64_t wake = UINT64_MAX;
  for (int i = 0; i < NEWBORNS && p->max != 0; i++)
    if (p->memcgs->newborn[i].id != 0 && newborn_due_ns(&p->memcgs->newborn[i]) < wake) wake = newborn_due_ns(&p->memcgs->newborn[i]);
  return wake;
}

void processes_look_at_newborn(struct processes *p, uint64_t now) {
  struct memcgs *t = p->memcgs;
  uint64_t deadline = now_ns() + BUDGET_NS;
  for (int i = 0; i < NEWBORNS; i++) {
    struct newborn *n = &t->newborn[i];
    if (n->id == 0 || now < newborn_due_ns(n)) continue;
    bool is_over = !t->slot[n->slot].live || t->slot[n->slot].id != n->id || now - n->born_ns >= LAST_NS;
    n->looked_ns = now;
    if (is_over) n->id = 0;
    else processes_read_memcg(p, n->slot, deadline);
  }
  processes_ask(p, now_ns());
}
