/* usage.c: usage of a memcg: the one number that is read all the time, and sent as far as it tells something. */
#include "usage.h"

#include "group.h"
#include "pace.h"
#include "row.h"
#include "window.h"

/* Quick ones are read more often than they need to be told: when they moved by so much, or an active one's period has passed. */
#define TELL_PART 256
#define TELL_MIN (64 * 1024ull)
#define TELL_MAX (4 * 1024 * 1024ull)

static const struct window_peak no_window = {ABSENT, ABSENT};

static void say(struct memcgs *t, int slot, const struct window_peak *window, const struct window_peak *swap_window, uint64_t ts_ns) {
  const struct memcg *m = &t->slot[slot];
  const uint64_t *values = m->values + VALUES_USAGE;
  struct row row;
  row_begin(&row, t->out, KIND_MEMCG_USAGE, ts_ns);
  row_u(&row, m->id);
  for (int i = 0; i < 3; i++) row_u(&row, values[i]);
  row_u(&row, window->bytes);
  row_u(&row, window->ns);
  for (int i = 3; i < USAGE_VALUES; i++) row_u(&row, values[i]);
  row_u(&row, swap_window->bytes);
  row_u(&row, swap_window->ns);
  row_end(&row);
}

/* A row of a keyframe has no windows: it repeats. */
void usage_repeat(struct memcgs *t, int slot, uint64_t ts_ns) { say(t, slot, &no_window, &no_window, ts_ns); }

/* Swap behind `usage`, which is read anew on v1. ABSENT when it is not counted. False when the memcg is gone. */
static bool read_swap(struct memcgs *t, int slot, uint64_t *usage, uint64_t *swap) {
  uint64_t before = 0;
  if (t->no_swap) {
    *swap = t->slot[slot].fd[FILE_SWAP] == FD_ABSENT ? ABSENT : 0;
    return true;
  }
  if (t->version == 1 && !memcg_number(t, slot, FILE_CURRENT, &before)) return false;
  if (!memcg_number(t, slot, FILE_SWAP, swap)) return false;
  if (t->version == 2 || *swap == ABSENT) return true;
  /* v1 tells memory+swap: usage is read on both sides of it, since the difference of two times is not swap */
  if (!memcg_number(t, slot, FILE_CURRENT, usage)) return false;
  uint64_t most = before > *usage ? before : *usage;
  *swap = *swap > most ? *swap - most : 0;
  return true;
}

/* A rise above the known peak, or a fall such as the end of a process, which its memcg may not outlive. */
static bool may_have_peaked(const uint64_t *kept, uint64_t current) { return current > kept[1] || current < kept[0] / 2; }

static uint64_t clamp(uint64_t value, uint64_t min, uint64_t max) { return value < min ? min : value > max ? max : value; }

static bool is_worth_telling(const struct memcgs *t, const struct memcg *m, uint64_t now) {
  uint64_t usage = m->values[VALUES_USAGE], high = m->window.untold.bytes != ABSENT && m->window.untold.bytes > usage ? m->window.untold.bytes : usage;
  uint64_t fell = usage < m->told_bytes ? m->told_bytes - usage : 0, rose = high > m->told_bytes ? high - m->told_bytes : 0;
  if (!pace_is_quick(m, now)) return true;
  return now - m->told_ns >= t->schedule.queue[QUEUE_ACTIVE].period_ns || (fell > rose ? fell : rose) >= clamp(usage / TELL_PART, TELL_MIN, TELL_MAX);
}

/* What a row says of a window: one that is torn has seen at least so much, in no time that could be named. */
static struct window_peak told_window(const struct window *w) {
  struct window_peak peak = w->untold;
  if (w->is_torn) peak.ns = ABSENT;
  return peak;
}

static void tell(struct memcgs *t, int slot, const struct window_peak *window, uint64_t now) {
  struct memcg *m = &t->slot[slot];
  struct window_peak usage = told_window(&m->window), swap = told_window(&m->swap_window);
  say(t, slot, m->window.untold.bytes == ABSENT ? window : &usage, &swap, now);
  m->window.untold = m->swap_window.untold = no_window;
  m->window.is_torn = m->swap_window.is_torn = false;
  m->told_bytes = m->values[VALUES_USAGE];
  m->told_swap_bytes = m->values[VALUES_USAGE + 2];
  m->told_ns = now;
  m->is_untold = false;
}

/* What swap held at most: v2 tells it of swap, v1 of memory and swap together. */
static bool read_swap_peak(struct memcgs *t, int slot, uint64_t now, uint64_t values[USAGE_VALUES]) {
  struct memcg *m = &t->slot[slot];
  struct window_peak window;
  values[3] = values[4] = ABSENT;
  if (t->no_swap) return true;
  if (window_look(&m->swap_window, now, m->told_swap_bytes, &window) && m->swap_window.untold.bytes != ABSENT) m->is_untold = true;
  return memcg_number(t, slot, FILE_SWAP_PEAK, &values[t->version == 2 ? 3 : 4]);
}

/* Peak is a high-water mark, so nothing is lost by reading it with the slow files, whatever came and went in between; at once only
 * when it must be new or may be the last. Swap is slow to move. The first reading has all of them. */
static bool read_rest(struct memcgs *t, int slot, bool is_slow, uint64_t values[USAGE_VALUES]) {
  const struct memcg *m = &t->slot[slot];
  const uint64_t *kept = m->values + VALUES_USAGE;
  bool is_known = m->known & (1 << GROUP_USAGE);
  if (is_known) memcpy(values + 1, kept + 1, (USAGE_VALUES - 1) * sizeof *kept);
  if ((is_slow || !is_known || may_have_peaked(kept, values[0])) && !memcg_number(t, slot, FILE_PEAK, &values[1])) return false;
  return (!is_slow && is_known) || (read_swap(t, slot, &values[0], &values[2]) && read_swap_peak(t, slot, now_ns(), values));
}

bool usage_update(struct memcgs *t, int slot, bool is_slow) {
  struct memcg *m = &t->slot[slot];
  uint64_t values[USAGE_VALUES] = {ABSENT, ABSENT, ABSENT, ABSENT, ABSENT};
  bool is_known = m->known & (1 << GROUP_USAGE);
  if (m->fd[FILE_CURRENT] == FD_ABSENT) return true;
  if (!memcg_number(t, slot, FILE_CURRENT, &values[0])) return false;
  if (values[0] == ABSENT) return true;
  struct pace_reading reading = {.before = m->values[VALUES_USAGE], .before_ns = is_known ? m->usage_ns : 0, .now = values[0], .high = values[0], .ts_ns = now_ns()};
  struct window_peak window = {ABSENT, ABSENT};
  bool is_still = is_known && !is_slow && values[0] == reading.before;
  /* a quiet one's window is as long as its turns are apart: nothing is lost, it is only told later */
  bool looks = !is_still || !pace_is_quiet(t, slot);
  if (looks && window_look(&m->window, reading.ts_ns, m->told_bytes, &window) && window.bytes > values[0]) {
    /* was that before `values[0]`, or is usage on its way up? What is read now was after it */
    uint64_t after = ABSENT;
    if (!memcg_number(t, slot, FILE_CURRENT, &after)) return false;
    if (after != ABSENT) reading.now = values[0] = after;
    reading.high = window.bytes > values[0] ? window.bytes : values[0];
  }
  if (!is_still && !read_rest(t, slot, is_slow, values)) return false;
  m->usage_ns = reading.ts_ns;
  pace_usage(t, slot, &reading);
  if (!is_still && group_keep(t, slot, GROUP_USAGE, values)) m->is_untold = m->stat_due = true;
  /* slow turns are few, and one of them is the look at a decision of the OOM killer */
  if ((m->is_untold || m->window.untold.bytes != ABSENT) && (is_slow || is_worth_telling(t, m, reading.ts_ns))) tell(t, slot, &window, reading.ts_ns);
  return true;
}
