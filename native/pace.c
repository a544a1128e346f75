/* pace.c: how closely a memcg is looked at: by whether it moves, and by how near a limit of its own or above it is. */
#include "pace.h"

#include "util.h"

#define ACTIVE_NS (2 * NS_PER_S)
#define QUICK_NS NS_PER_S
#define NEWBORN_NS (100 * NS_PER_MS)
/* A limit is near from seven eighths of it, or when growth as it is now would be there so soon. */
#define NEAR_PART 8
#define SOON_S 5.0
/* Four pages: what is charged per CPU ahead of use (MEMCG_CHARGE_BATCH) makes usage of a memcg at rest jump by 64, which is then looked at for a while. */
#define STEP_MIN (16 * 1024ull)
#define STEP_MAX (1024 * 1024ull)
#define STEP_PART 1024

/* A change of usage that counts as movement. */
static uint64_t step_of(uint64_t usage) {
  uint64_t step = usage / STEP_PART;
  return step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
}

/* max and high, whichever is lower; ABSENT when there is neither. */
static uint64_t limit_of(const struct memcg *m) {
  uint64_t high = m->values[VALUES_LIMITS + 2], max = m->values[VALUES_LIMITS + 3];
  if ((m->known & (1 << GROUP_LIMITS)) == 0) return ABSENT;
  return high < max ? high : max;    /* ABSENT is the largest number */
}

struct room {
  uint64_t bytes;      /* to the nearest limit */
  bool is_near;
};

static struct room room_of(const struct memcgs *t, int slot) {
  struct room room = {.bytes = t->available_bytes};
  for (int s = slot; s >= 0; s = t->slot[s].parent) {
    uint64_t limit = limit_of(&t->slot[s]), usage = t->slot[s].values[VALUES_USAGE];
    if (limit == ABSENT || (t->slot[s].known & (1 << GROUP_USAGE)) == 0) continue;
    uint64_t left = usage < limit ? limit - usage : 0;
    if (left < room.bytes) room.bytes = left;
    if (left <= limit / NEAR_PART) room.is_near = true;
  }
  return room;
}

static bool rises_fast(const struct pace_reading *r, uint64_t room) {
  if (r->high <= r->before || r->ts_ns <= r->before_ns) return false;
  double per_second = (double)(r->high - r->before) / ((double)(r->ts_ns - r->before_ns) / 1e9);
  return (double)room < per_second * SOON_S;
}

bool pace_is_quick(const struct memcg *m, uint64_t now) { return now < m->quick_until_ns; }

bool pace_is_quiet(const struct memcgs *t, int slot) {
  return !t->schedule.queue[QUEUE_ACTIVE].link[slot].is_in && !t->schedule.queue[QUEUE_QUICK].link[slot].is_in;
}

/* The few at the top that have others below are never quiet: when they move, it is looked who does. */
static bool is_sentry(const struct memcgs *t, const struct memcg *m) {
  return m->children > 0 && (m->parent < 0 || t->slot[m->parent].parent < 0);
}

static void enter(struct memcgs *t, int slot, uint64_t now) {
  struct memcg *m = &t->slot[slot];
  struct queue *active = &t->schedule.queue[QUEUE_ACTIVE], *quick = &t->schedule.queue[QUEUE_QUICK];
  bool has_usage = m->fd[FILE_CURRENT] != FD_ABSENT, is_quick = has_usage && pace_is_quick(m, now);
  bool is_active = has_usage && !is_quick && (m->moved_ns + ACTIVE_NS > now || is_sentry(t, m));
  if (is_quick) schedule_enter(quick, slot, now);
  else schedule_leave(quick, slot);
  if (is_active) schedule_enter(active, slot, now);
  else schedule_leave(active, slot);
}

void pace_usage(struct memcgs *t, int slot, const struct pace_reading *r) {
  struct memcg *m = &t->slot[slot];
  uint64_t most = r->high > m->moved_bytes ? r->high - m->moved_bytes : 0, least = m->moved_bytes > r->now ? m->moved_bytes - r->now : 0;
  bool has_moved = r->before_ns != 0 && (most > least ? most : least) >= step_of(r->now);
  if (has_moved || r->before_ns == 0) m->moved_bytes = r->now;
  if (has_moved) {
    struct room room = room_of(t, slot);
    m->moved_ns = r->ts_ns;
    if (room.is_near || rises_fast(r, room.bytes)) m->quick_until_ns = r->ts_ns + QUICK_NS;
  }
  enter(t, slot, r->ts_ns);
}

void pace_newborn(struct memcgs *t, int slot, uint64_t now) {
  struct memcg *m = &t->slot[slot];
  m->moved_ns = now;
  m->quick_until_ns = now + NEWBORN_NS;
  enter(t, slot, now);
}

void pace_alarm(struct memcgs *t, int slot, uint64_t now) {
  t->slot[slot].quick_until_ns = now + QUICK_NS;
  enter(t, slot, now);
}
