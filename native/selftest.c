/* selftest.c: attached is not working (oom_badness attaches on 5.10 and never fires): each probe must tell one event we cause. */
#include "selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "row.h"

/*
 * An event comes within so much time, in which the tracer has told its counts so often (READY in src/source/probe-set.ts: five a second; the
 * maps of reclaim once a second). On a machine with too much to do both take longer: who is not heard has not failed, up to a limit.
 */
#define PATIENCE_NS (3 * NS_PER_S)
#define HEARD_ENOUGH 10
#define LIMIT_NS (30 * NS_PER_S)
/* after the last test its pids may be reused by others; rows come at most this much later */
#define FORGET_NS (5 * NS_PER_S)
#define TOUCH_BYTES (256 * 1024)
#define OOM_LIMIT "4194304"
#define OOM_TOUCH_BYTES (64 * 1024 * 1024)

static const char *const test_name[TESTS] = {"memcg_birth", "memcg_death", "memcg_reclaim", "signal", "exit", "badness", "oom"};

/* ── results ───────────────────────────────────────────────────────────────── */

static void finish(struct selftest *s, enum selftest_number test, bool passed, const char *detail) {
  struct row row;
  if (!s->test[test].wanted || s->test[test].done) return;
  s->test[test].done = true;
  row_begin(&row, s->out, KIND_SELFTEST, now_ns());
  row_text(&row, test_name[test]);
  row_u(&row, passed);
  if (detail == NULL) row_nil(&row);
  else row_text(&row, detail);
  row_end(&row);
}

static void fail(struct selftest *s, enum selftest_number test, const char *what, int err) {
  char detail[160];
  snprintf(detail, sizeof detail, "%s: %s", what, strerror(err < 0 ? -err : err));
  finish(s, test, false, detail);
}

static void begin(struct selftest *s, enum selftest_number test, uint64_t now) {
  s->test[test].started = true;
  s->test[test].begun_ns = now;
  s->test[test].heard = 0;
  s->test[test].goal = 0;
}

void selftest_heard(struct selftest *s, uint64_t printed, uint64_t come) {
  s->come = come;
  for (int i = 0; i < TESTS; i++) {
    if (s->test[i].heard++ == 0) s->test[i].goal = printed;
  }
}

static bool is_wanted(const struct selftest *s, enum selftest_number test) { return s->test[test].wanted && !s->test[test].done; }

bool selftest_init(struct selftest *s, const char *names) {
  memset(s, 0, sizeof *s);
  s->plain.report_fd = s->oom.report_fd = -1;
  while (*names != '\0') {
    size_t length = strcspn(names, ",");
    int test = 0;
    while (test < TESTS && (strlen(test_name[test]) != length || strncmp(test_name[test], names, length) != 0)) test++;
    if (test == TESTS && length > 0) return false;
    if (length > 0) s->test[test].wanted = true;
    names += length + (names[length] == ',');
  }
  snprintf(s->plain.name, sizeof s->plain.name, STIMULUS_NAME "%d", (int)getpid());
  snprintf(s->oom.name, sizeof s->oom.name, STIMULUS_NAME "%d.oom", (int)getpid());
  return true;
}

/* ── phases ────────────────────────────────────────────────────────────────── */

static void enter(struct selftest *s, enum selftest_phase phase, uint64_t now) {
  s->phase = phase;
  s->phase_deadline_ns = now + LIMIT_NS;
}

static void read_own_score(struct selftest *s, uint64_t now) {
  char text[32];
  begin(s, TEST_BADNESS, now);
  /* proc_oom_score() calls oom_badness() */
  ssize_t n = read_path("/proc/self/oom_score", text, sizeof text);
  if (n < 0) fail(s, TEST_BADNESS, "/proc/self/oom_score", (int)n);
}

static void make_memcg(struct selftest *s, uint64_t now) {
  static const enum selftest_number needs[] = {TEST_BIRTH, TEST_DEATH, TEST_RECLAIM};
  int err = s->memcgs->version == 0 ? -ENODEV : stimulus_make_memcg(&s->plain, s->memcgs);
  begin(s, TEST_BIRTH, now);
  for (int i = 0; err != 0 && i < LENGTH_OF(needs); i++) fail(s, needs[i], "mkdir of a test memcg", err);
}

void selftest_start(struct selftest *s, uint64_t now) {
  if (s->phase != PHASE_IDLE) return;
  s->is_listening = true;
  if (is_wanted(s, TEST_BADNESS)) read_own_score(s, now);
  if (is_wanted(s, TEST_BIRTH) || is_wanted(s, TEST_DEATH) || is_wanted(s, TEST_RECLAIM)) make_memcg(s, now);
  if (!is_wanted(s, TEST_RECLAIM) && !is_wanted(s, TEST_SIGNAL) && !is_wanted(s, TEST_EXIT)) {
    enter(s, PHASE_REMOVING, now);
    return;
  }
  int err = stimulus_start_child(&s->plain, s->memcgs, TOUCH_BYTES);
  enter(s, err == 0 ? PHASE_CHILD : PHASE_REMOVING, now);
  for (int test = TEST_RECLAIM; err != 0 && test <= TEST_EXIT; test++) fail(s, (enum selftest_number)test, "fork", err);
}

/* The child has joined, touched and reclaimed, or time is up: kill it. */
static void step_child(struct selftest *s, uint64_t now) {
  struct stimulus_report report = {.join = ETIMEDOUT, .reclaim = ETIMEDOUT};
  if (stimulus_read_report(&s->plain, &report) == 0 && now < s->phase_deadline_ns) return;
  if (report.reclaim == 0) begin(s, TEST_RECLAIM, now);
  else fail(s, TEST_RECLAIM, s->memcgs->version == 2 ? "memory.reclaim" : "memory.force_empty", report.reclaim);
  begin(s, TEST_SIGNAL, now);
  begin(s, TEST_EXIT, now);
  kill(s->plain.child, SIGKILL);
  enter(s, PHASE_DYING, now);
}

/* A dead child's memcg can be removed once the child is reaped and its memory is gone. True when it is, or never was. */
static bool step_remove(struct selftest *s, struct stimulus *stimulus, uint64_t now) {
  if (stimulus->memcg_id == 0) return true;
  int err = stimulus_remove_memcg(stimulus, s->memcgs);
  if (err == -EBUSY && now < s->phase_deadline_ns) return false;
  if (stimulus == &s->plain && err == 0) begin(s, TEST_DEATH, now);
  if (stimulus == &s->plain && err != 0) fail(s, TEST_DEATH, "rmdir of the test memcg", err);
  return true;
}

static void start_oom(struct selftest *s, uint64_t now) {
  int err = s->memcgs->version == 0 ? -ENODEV : stimulus_make_memcg(&s->oom, s->memcgs);
  if (err == 0) err = stimulus_limit_memcg(&s->oom, s->memcgs, OOM_LIMIT);
  if (err == 0) err = stimulus_start_child(&s->oom, s->memcgs, OOM_TOUCH_BYTES);
  if (err != 0) fail(s, TEST_OOM, "a memcg with a limit", err);
  begin(s, TEST_OOM, now);
  enter(s, err == 0 ? PHASE_OOM_DYING : PHASE_OOM_REMOVING, now);
}

/* Ends when the child is gone, by the kernel or, if it never hit the limit, by us. */
static void step_oom(struct selftest *s, uint64_t now) {
  struct stimulus_report report;
  int status;
  if (stimulus_read_report(&s->oom, &report) != 0 && report.join != ECHILD) {
    fail(s, TEST_OOM, "the test child met no limit", report.join);
    kill(s->oom.child, SIGKILL);
  }
  if (now >= s->phase_deadline_ns) kill(s->oom.child, SIGKILL);
  if (waitpid(s->oom.child, &status, WNOHANG) != s->oom.child) return;
  begin(s, TEST_OOM, now);
  enter(s, PHASE_OOM_REMOVING, now);
}

/* What it caused was printed by the time of the first count since, or never. */
static bool is_hopeless(const struct selftest *s, int test, uint64_t now) {
  uint64_t waited_ns = now - s->test[test].begun_ns;
  bool has_caught_up = s->test[test].heard >= HEARD_ENOUGH && s->come >= s->test[test].goal;
  return s->test[test].started && waited_ns >= (has_caught_up ? PATIENCE_NS : LIMIT_NS);
}

static void expire(struct selftest *s, uint64_t now) {
  bool all_done = true;
  for (int i = 0; i < TESTS; i++) {
    char detail[64];
    if (!is_wanted(s, (enum selftest_number)i)) continue;
    if (!is_hopeless(s, i, now)) {
      all_done = false;
      continue;
    }
    snprintf(detail, sizeof detail, "attached, but no event within %d s", (int)((now - s->test[i].begun_ns) / NS_PER_S));
    finish(s, (enum selftest_number)i, false, detail);
  }
  if (all_done && s->phase == PHASE_WAITING) {
    s->phase = PHASE_OVER;
    s->forget_ns = now + FORGET_NS;
  }
}

void selftest_step(struct selftest *s, uint64_t now) {
  int status;
  if (s->phase == PHASE_OVER && now >= s->forget_ns) s->is_listening = false;
  if (s->phase == PHASE_IDLE || s->phase == PHASE_OVER) return;
  if (s->phase == PHASE_CHILD) step_child(s, now);
  if (s->phase == PHASE_DYING && waitpid(s->plain.child, &status, WNOHANG) == s->plain.child) {
    begin(s, TEST_EXIT, now);     /* on a slow machine it dies long after its signal */
    enter(s, PHASE_REMOVING, now);
  }
  if (s->phase == PHASE_REMOVING && step_remove(s, &s->plain, now)) enter(s, is_wanted(s, TEST_OOM) ? PHASE_OOM : PHASE_WAITING, now);
  if (s->phase == PHASE_OOM) start_oom(s, now);
  if (s->phase == PHASE_OOM_DYING) step_oom(s, now);
  if (s->phase == PHASE_OOM_REMOVING && step_remove(s, &s->oom, now)) enter(s, PHASE_WAITING, now);
  expire(s, now);
}

int selftest_fd(const struct selftest *s) { return s->plain.report_fd >= 0 ? s->plain.report_fd : s->oom.report_fd; }

/* ── rows of our own ───────────────────────────────────────────────────────── */

bool selftest_owns_key(const struct selftest *s, uint64_t key) {
  return key != 0 && (key == s->plain.memcg_id || key == s->oom.memcg_id);
}

bool selftest_owns_counter(struct selftest *s, int counter, uint64_t key, uint64_t value) {
  if (!selftest_owns_key(s, key)) return false;
  bool is_reclaim = counter == COUNTER_memcg_reclaim_count || counter == COUNTER_memcg_reclaim_target_count;
  if (is_reclaim && value > 0 && key == s->plain.memcg_id && s->test[TEST_RECLAIM].started) finish(s, TEST_RECLAIM, true, NULL);
  return true;
}

static bool holds(const struct fact *fact, uint64_t fields, uint64_t number) {
  for (; number != 0 && fields != 0; fields &= fields - 1) {
    const struct value *v = &fact->value[__builtin_ctzll(fields)];
    if ((v->type == 'u' || v->type == 'i') && v->u == number) return true;
  }
  return false;
}

/* True when any of the row's tasks is this child or any of its memcgs is this memcg. */
static bool mentions(const struct fact *fact, const struct stimulus *stimulus) {
  return holds(fact, fact->kind->tasks, (uint64_t)stimulus->child) || holds(fact, fact->kind->memcgs, stimulus->memcg_id);
}

static void saw_plain(struct selftest *s, const struct fact *fact) {
  uint64_t child = (uint64_t)s->plain.child;
  switch (fact->kind->number) {
    case KIND_MEMCG_BIRTH: finish(s, TEST_BIRTH, true, NULL); break;
    case KIND_MEMCG_DEATH: finish(s, TEST_DEATH, true, NULL); break;
    case KIND_TASK_EXIT: if (fact_u(fact, "pid") == child) finish(s, TEST_EXIT, true, NULL); break;
    case KIND_SIGNAL:
      if (fact_u(fact, "signo") == SIGKILL && fact_u(fact, "targetTid") == child && fact_u(fact, "senderPid") == (uint64_t)getpid())
        finish(s, TEST_SIGNAL, true, NULL);
      break;
    default: break;
  }
}

static void saw_oom(struct selftest *s, const struct fact *fact) {
  uint16_t number = fact->kind->number;
  char detail[64] = "rows";
  if (number < KIND_OOM_MEMCG_ENTER || number > KIND_SIGNAL) return;
  s->oom_kinds |= 1u << (number - KIND_OOM_MEMCG_ENTER);
  /* the exit is the last row of a kill; pick or mark must have told the victim before */
  uint32_t victim = 1u << (KIND_OOM_PICK - KIND_OOM_MEMCG_ENTER) | 1u << (KIND_MARK_VICTIM - KIND_OOM_MEMCG_ENTER);
  if ((s->oom_kinds & victim) == 0 || (number != KIND_MARK_VICTIM && number != KIND_OOM_END && number != KIND_TASK_EXIT)) return;
  for (int kind = KIND_OOM_MEMCG_ENTER; kind <= KIND_SIGNAL; kind++)
    if (s->oom_kinds & (1u << (kind - KIND_OOM_MEMCG_ENTER))) snprintf(detail + strlen(detail), sizeof detail - strlen(detail), " %d", kind);
  finish(s, TEST_OOM, true, detail);
}

bool selftest_owns(struct selftest *s, const struct fact *fact) {
  if (!s->is_listening) return false;
  uint64_t self = (uint64_t)getpid();
  if (fact->kind->number == KIND_OOM_CANDIDATE && fact_u(fact, "pid") == self && fact_u(fact, "tid") == self) {
    if (s->test[TEST_BADNESS].started) finish(s, TEST_BADNESS, true, NULL);
    return true;
  }
  bool is_plain = mentions(fact, &s->plain), is_oom = mentions(fact, &s->oom);
  if (is_plain) saw_plain(s, fact);
  if (is_oom) saw_oom(s, fact);
  return is_plain || is_oom;
}

static void put_away(struct selftest *s, struct stimulus *stimulus) {
  int status;
  bool is_alive = stimulus->child != 0 && waitpid(stimulus->child, &status, WNOHANG) == 0;
  if (is_alive) {
    kill(stimulus->child, SIGKILL);
    waitpid(stimulus->child, &status, 0);
  }
  if (stimulus->memcg_id != 0) stimulus_remove_memcg(stimulus, s->memcgs);
}

void selftest_end(struct selftest *s, const char *why) {
  for (int i = 0; why != NULL && i < TESTS; i++) finish(s, (enum selftest_number)i, false, why);
  if (s->phase != PHASE_IDLE && s->phase != PHASE_OVER) {
    put_away(s, &s->plain);
    put_away(s, &s->oom);
  }
  if (s->phase != PHASE_IDLE) s->phase = PHASE_OVER;
  s->forget_ns = now_ns() + FORGET_NS;
}

static void forget(struct stimulus *stimulus) {
  if (stimulus->report_fd >= 0) close(stimulus->report_fd);
  stimulus->report_fd = -1;
  stimulus->memcg_id = 0;
  stimulus->child = 0;
}

void selftest_renew(struct selftest *s) {
  for (int i = 0; i < TESTS; i++) s->test[i].started = s->test[i].done = false;
  forget(&s->plain);
  forget(&s->oom);
  s->oom_kinds = 0;
  s->phase = PHASE_IDLE;
}
