/* processes.c: rounds over cgroup.procs of every memcg. What may hang (command lines) is asked of the reading child, detail.c. */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "processes_say.h"
#include "row.h"
#include "util.h"

/* A round over all begins at most so often; it takes longer when the budget of the ticks (ten a second) is not enough. */
#define ROUND_NS (5 * NS_PER_S)
#define BUDGET_NS (400 * 1000ull)
#define FIRST_BUDGET_NS (5 * NS_PER_MS)
#define NEAR_PERIOD_NS NS_PER_S
#define NEAR_BUDGET_NS NS_PER_MS
#define TROUBLE_BUDGET_NS (4 * NS_PER_MS)
#define TROUBLE_PERIOD_NS (50 * NS_PER_MS)
#define LIST_BYTES (LIST_MAX * 8)

enum detail_state { DETAIL_WANTED = 1, DETAIL_ASKED, DETAIL_KNOWN, DETAIL_FAILED };

static char text[LIST_BYTES];

int processes_init(struct processes *p, struct memcgs *memcgs, int max) {
  *p = (struct processes){.memcgs = memcgs, .out = memcgs->out, .max = max, .slot = -1};
  p->process = reserve((size_t)max * sizeof *p->process);
  p->detail = reserve((size_t)max * sizeof *p->detail);
  p->free_place = reserve((size_t)max * sizeof *p->free_place);
  p->wanted = reserve((size_t)max * sizeof *p->wanted);
  p->read_ns = reserve((size_t)memcgs->max * sizeof *p->read_ns);
  if (p->process == NULL || p->detail == NULL || p->free_place == NULL || p->wanted == NULL || p->read_ns == NULL) return -ENOMEM;
  if (index_init(&p->by_pid, max) < 0 || index_init(&p->by_slot, max) < 0) return -ENOMEM;
  p->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* with hidepid=2 a process of others looks as if it had ended */
  char init[64];
  if (process_read(p->proc_fd, 1, "status", init, sizeof init) < 0) row_notice(p->out, "bridge", "/proc/1/status cannot be read: processes of others are not seen (hidepid, or no /proc)");
  return 0;
}

/* ── table ─────────────────────────────────────────────────────────────────── */

static int find(const struct processes *p, uint32_t pid) { return index_find(&p->by_pid, pid); }

static void want_detail(struct processes *p, int place) {
  struct process *e = &p->process[place];
  if (e->detail == DETAIL_WANTED || e->is_kernel || p->wanteds >= p->max) return;
  e->detail = DETAIL_WANTED;
  p->wanted[p->wanteds++] = place;
}

static void drop(struct processes *p, int place, uint64_t ts_ns) {
  struct process *e = &p->process[place];
  if (!e->is_kernel) say_end(p, place, ts_ns);
  index_remove(&p->by_pid, e->pid, place);
  index_remove(&p->by_slot, (uint64_t)e->slot, place);
  memset(e, 0, sizeof *e);
  memset(&p->detail[place], 0, sizeof p->detail[place]);
  p->free_place[p->frees++] = place;
}

static int enter(struct processes *p, uint32_t pid, int slot) {
  int place = p->frees > 0 ? p->free_place[--p->frees] : p->high < p->max ? p->high++ : -1;
  if (place < 0) {
    stream_loss(p->out, LOSS_process, 1, "the table of processes is full");
    return -1;
  }
  memset(&p->process[place], 0, sizeof p->process[place]);
  p->process[place].pid = pid;
  p->process[place].slot = slot;
  index_put(&p->by_pid, pid, place);
  index_put(&p->by_slot, (uint64_t)slot, place);
  return place;
}

/* A cgroup without the memory controller is charged to the nearest one above that has it (v2). */
static uint64_t charged_to(const struct memcgs *t, int slot) {
  while (!t->slot[slot].opened && t->slot[slot].parent >= 0) slot = t->slot[slot].parent;
  return t->slot[slot].id;
}

static void move(struct processes *p, int place, int slot) {
  struct process *e = &p->process[place];
  if (e->slot != slot) {
    index_remove(&p->by_slot, (uint64_t)e->slot, place);
    e->slot = slot;
    index_put(&p->by_slot, (uint64_t)slot, place);
  }
  e->slot_id = p->memcgs->slot[slot].id;
  e->memcg_id = charged_to(p->memcgs, slot);
}

/* ── one process ───────────────────────────────────────────────────────────── */

static uint64_t start_of(const struct processes *p, uint32_t pid) {
  char stat[1024];
  return process_read(p->proc_fd, pid, "stat", stat, sizeof stat) > 0 ? process_parse_start(stat) : 0;
}

static void read_adj(const struct processes *p, struct process *e) {
  char number[32];
  const char *at = number;
  uint64_t value;
  if (process_read(p->proc_fd, e->pid, "oom_score_adj", number, sizeof number) <= 0) return;
  bool is_negative = *at == '-';
  at += is_negative;
  if (parse_u64(&at, &value) && value <= 1000) e->oom_score_adj = is_negative ? -(int32_t)value : (int32_t)value;
}

static void not_readable(struct processes *p, uint32_t pid, long err) {
  if ((err != -EACCES && err != -EPERM) || p->told_denied) return;
  p->told_denied = true;
  row_notice(p->out, "bridge", "/proc/%u/status: %s: processes of others are not seen (hidepid, or not root)", pid, strerror((int)-err));
}

struct sight {
  int slot;
  uint32_t list;
  bool is_urgent;
};

/* What was read of a process that is known, or is entered now. Returns its place, -1 when there is none. */
static int update(struct processes *p, uint32_t pid, const struct process_status *s, const struct sight *sight) {
  uint64_t now = now_ns();
  int place = find(p, pid);
  bool was_known = place >= 0;
  /* the peak never falls in one process: less is another program, or another process of the same pid */
  bool is_doubtful = was_known && (s->value[PROCESS_PEAK] == ABSENT || s->value[PROCESS_PEAK] < p->process[place].value[PROCESS_PEAK] || strcmp(s->comm, p->process[place].comm) != 0);
  uint64_t start_ns = !was_known || is_doubtful ? start_of(p, pid) : p->process[place].start_ns;
  if (was_known && start_ns != p->process[place].start_ns) {
    drop(p, place, now);
    was_known = false;
  }
  if (start_ns == 0) return -1;     /* it has ended */
  if (!was_known && (place = enter(p, pid, sight->slot)) < 0) return -1;
  struct process *e = &p->process[place];
  uint64_t before = e->memcg_id;
  move(p, place, sight->slot);
  bool is_news = !was_known || before != e->memcg_id || e->ppid != s->ppid || e->uid != s->uid || strcmp(e->comm, s->comm) != 0;
  e->start_ns = start_ns;
  e->ppid = s->ppid;
  e->uid = s->uid;
  e->threads = s->threads;
  e->is_kernel = s->is_kernel;
  e->list = sight->list;
  memcpy(e->comm, s->comm, sizeof e->comm);
  if (e->is_kernel) return place;
  memcpy(e->value, s->value, sizeof e->value);
  e->read_ns = now;
  read_adj(p, e);
  if (is_news) say_process(p, place, now);
  say_memory_news(p, place, sight->is_urgent);
  if (!was_known || (is_doubtful && is_news)) want_detail(p, place);
  return place;
}

static int look(struct processes *p, uint32_t pid, const struct sight *sight) {
  static char status_text[8192];
  struct process_status status;
  int place = find(p, pid);
  if (place >= 0 && p->process[place].is_kernel && p->process[place].slot == sight->slot) {
    p->process[place].list = sight->list;     /* what it was it stays, until it is gone from the list */
    return place;
  }
  long n = process_read(p->proc_fd, pid, "status", status_text, sizeof status_text);
  if (n < 0) not_readable(p, pid, n);
  if (n <= 0 || !process_parse_status(status_text, &status)) return -1;
  if (!status.has_memory && !status.is_kernel) return -1;     /* a zombie: nothing to win by killing it */
  return update(p, pid, &status, sight);
}

/* ── one memcg ─────────────────────────────────────────────────────────────── */

int processes_parse_list(const char *at, uint32_t *pids, int max) {
  int count = 0;
  uint64_t pid;
  while (count < max && parse_u64(&at, &pid)) {
    if (pid <= UINT32_MAX) pids[count++] = (uint32_t)pid;
    at += *at == '\n';
  }
  return count;
}

static int read_list(struct processes *p, int slot, uint32_t *pids, int max) {
  char path[PATH_MAX], full[PATH_MAX + 16];
  snprintf(full, sizeof full, "%s/cgroup.procs", memcg_relative(p->memcgs, slot, path));
  int fd = openat(p->memcgs->root_fd, full, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  read_fd_whole(fd, text, sizeof text);
  close(fd);
  p->read_ns[slot] = now_ns();
  int count = processes_parse_list(text, pids, max);
  if (count == max) stream_loss(p->out, LOSS_process, 1, "a cgroup holds more processes than are read");
  return count;
}

static bool tell_foreign(struct processes *p) {
  if (!p->told_foreign) row_notice(p->out, "bridge", "some processes belong to another PID namespace: only those of this one are seen");
  p->told_foreign = true;
  return false;
}

/* Who was in the list before and no longer is. */
static void end_list(struct processes *p, int slot, uint32_t list) {
  uint64_t now = now_ns();
  for (int place = index_find(&p->by_slot, (uint64_t)slot), next; place >= 0; place = next) {
    next = index_after(&p->by_slot, (uint64_t)slot, p->by_slot.next[place]);
    /* it may only have moved: then another list names it */
    if (p->process[place].list != list && start_of(p, p->process[place].pid) != p->process[place].start_ns) drop(p, place, now);
  }
}

bool processes_read_memcg(struct processes *p, int slot, uint64_t deadline) {
  static uint32_t pids[LIST_MAX];
  int count = read_list(p, slot, pids, LIST_MAX), i = 0;
  struct sight sight = {.slot = slot, .list = ++p->lists, .is_urgent = true};
  /* begins elsewhere each time: what the time does not reach is reached by the next one; one of them always, however slow the machine */
  for (uint32_t first = p->lists * 37; i < count && (i == 0 || now_ns() < deadline); i++) {
    uint32_t pid = pids[(first + (uint32_t)i) % (uint32_t)count];
    if (pid != 0 || tell_foreign(p)) look(p, pid, &sight);
  }
  if (i == count) end_list(p, slot, sight.list);
  return i == count;
}

/* ── rounds ────────────────────────────────────────────────────────────────── */

/* Entries whose memcg is gone. */
static void end_orphans(struct processes *p, uint64_t now) {
  const struct memcgs *t = p->memcgs;
  if (now - p->orphans_ns < NEAR_PERIOD_NS) return;
  p->orphans_ns = now;
  for (int i = 0; i < p->high; i++) {
    const struct process *e = &p->process[i];
    if (e->pid == 0 || (t->slot[e->slot].live && t->slot[e->slot].id == e->slot_id)) continue;
    if (start_of(p, e->pid) != e->start_ns) drop(p, i, now);
  }
}

/* Begins the list of the next memcg. False when there is nothing to do until the next round. */
static bool next_memcg(struct processes *p, uint64_t now) {
  const struct memcgs *t = p->memcgs;
  p->slot = -1;
  if (p->cursor == 0) {
    if (p->rounds > 0 && now - p->begun_ns < ROUND_NS) return false;
    p->begun_ns = now;
  }
  while (p->cursor < t->high && !t->slot[p->cursor].live) p->cursor++;
  if (p->cursor >= t->high) {
    p->cursor = 0;
    p->rounds++;
    return false;
  }
  p->slot = p->cursor++;
  p->slot_id = t->slot[p->slot].id;
  p->number = ++p->lists;
  p->at = 0;
  p->count = read_list(p, p->slot, p->pids, LIST_MAX);
  return true;
}

/* The time that budgets begin at is read here: on a slow machine, what went before in this turn of the loop may have taken longer than they are. */
static void go_on(struct processes *p, uint64_t now) {
  uint64_t deadline = now_ns() + (p->rounds == 0 ? FIRST_BUDGET_NS : BUDGET_NS);
  const struct memcgs *t = p->memcgs;
  do {
    bool is_valid = p->slot >= 0 && t->slot[p->slot].live && t->slot[p->slot].id == p->slot_id;
    if (!is_valid || p->at >= p->count) {
      if (is_valid && p->count >= 0) end_list(p, p->slot, p->number);
      if (!next_memcg(p, now)) return;
      continue;
    }
    uint32_t pid = p->pids[p->at++];
    if (pid != 0 || tell_foreign(p)) look(p, pid, &(struct sight){.slot = p->slot, .list = p->number});
  } while (now_ns() < deadline);
}

static bool is_near(const struct memcg *m) {
  uint64_t max = m->values[VALUES_LIMITS + 3], usage = m->values[VALUES_USAGE];
  bool is_known = (m->known & (1 << GROUP_LIMITS)) && (m->known & (1 << GROUP_USAGE));
  return is_known && max != ABSENT && usage != ABSENT && usage >= max - max / 8;
}

/* Near a limit, its own or one above; or new, when its processes are still starting. */
static bool is_urgent(const struct memcgs *t, int slot) {
  if (t->slot[slot].young > 0) return true;
  for (; slot >= 0; slot = t->slot[slot].parent)
    if (is_near(&t->slot[slot])) return true;
  return false;
}

static void look_at_urgent(struct processes *p, uint64_t now) {
  const struct memcgs *t = p->memcgs;
  uint64_t deadline = now_ns() + NEAR_BUDGET_NS;
  for (int s = 0; s < t->high; s++) {
    /* the round has just read some: that lies behind `now` */
    if (!t->slot[s].live || now < p->read_ns[s] + NEAR_PERIOD_NS || !is_urgent(t, s)) continue;
    if (!processes_read_memcg(p, s, deadline) || now_ns() >= deadline) return;
  }
}

/* ── details ───────────────────────────────────────────────────────────────── */

void processes_ask(struct processes *p, uint64_t now) {
  while (p->wanteds > 0 && detail_is_idle(&p->reader)) {
    struct process *e = &p->process[p->wanted[--p->wanteds]];
    if (e->pid == 0 || e->detail != DETAIL_WANTED) continue;
    e->detail = DETAIL_ASKED;
    detail_ask(&p->reader, e->pid, now);
  }
}

void processes_take_details(struct processes *p) {
  struct detail_reply reply;
  while (detail_take(&p->reader, &reply)) {
    int place = find(p, reply.pid);
    bool is_same = place >= 0 && p->process[place].start_ns == reply.detail.start_ns;
    if (place >= 0 && p->process[place].detail == DETAIL_ASKED) p->process[place].detail = is_same ? DETAIL_KNOWN : DETAIL_FAILED;
    if (is_same) {
      p->detail[place] = reply.detail;
      say_detail(p, place, now_ns());
    }
    processes_ask(p, now_ns());
  }
}

/* ── together ──────────────────────────────────────────────────────────────── */

void processes_tick(struct processes *p, uint64_t now) {
  go_on(p, now);
  look_at_urgent(p, now);
  end_orphans(p, now);
  processes_take_details(p);
  uint32_t hung = detail_watch(&p->reader, now);
  int place = hung == 0 ? -1 : find(p, hung);
  if (place >= 0) p->process[place].detail = DETAIL_FAILED;
  processes_ask(p, now);
}

void processes_look_at(struct processes *p, int slot) {
  const struct memcgs *t = p->memcgs;
  uint64_t now = now_ns(), deadline = now + TROUBLE_BUDGET_NS;
  /* in a storm of kills the tracer's lines go first */
  if (now - p->trouble_ns < TROUBLE_PERIOD_NS) return;
  p->trouble_ns = now;
  for (int s = 0; s < t->high; s++) {
    if (!t->slot[s].live) continue;
    int above = s;
    while (above >= 0 && above != slot) above = t->slot[above].parent;
    if (above == slot && !processes_read_memcg(p, s, deadline)) break;
  }
  processes_ask(p, now_ns());
}

void processes_dying(struct processes *p, uint32_t pid) {
  int place = find(p, pid);
  /* its memcg is not known from here; a process that no list has named yet is found by the list of the limit holder */
  if (place < 0 || p->process[place].detail == DETAIL_KNOWN) return;
  want_detail(p, place);
  processes_ask(p, now_ns());
}

void processes_ended(struct processes *p, uint32_t pid) {
  int place = find(p, pid);
  if (place >= 0) drop(p, place, now_ns());
}

void processes_keyframe(struct processes *p, uint64_t ts_ns) {
  for (int i = 0; i < p->high; i++)
    if (p->process[i].pid != 0 && !p->process[i].is_kernel) say_again(p, i, ts_ns);
}
