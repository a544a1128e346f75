/* react.c: what the bridge does with each thing it hears: sends it, and looks closer where the kernel is in trouble. */
#include "react.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "pace.h"
#include "oomd.h"
#include "row.h"
#include "sample.h"
#include "watch.h"

#define NODE_TROUBLE_NS (100 * NS_PER_MS)

/* ── facts ─────────────────────────────────────────────────────────────────── */

static void send(struct stream *out, const struct fact *fact) {
  struct row row;
  row_begin(&row, out, (enum kind_number)fact->kind->number, fact->ts_ns);
  for (int i = 0; i < fact->kind->count; i++) {
    const struct value *v = &fact->value[i];
    switch (v->type) {
      case 's': row_bytes(&row, v->bytes, v->length); break;
      case 'i': row_i(&row, (int64_t)v->u); break;
      case 'n': row_nil(&row); break;
      default: row_exact(&row, v->u); break;
    }
  }
  row_end(&row);
}

/* Before it dies: a process that began since its memcg was read last. memcgId 0 is the whole node. */
static void look_at_processes(struct react *r, uint64_t memcg_id) {
  int slot = memcg_id == 0 ? memcg_find_name(r->memcgs, -1, "") : memcg_find(r->memcgs, memcg_id);
  if (slot >= 0) processes_look_at(r->processes, slot);
}

static void look_at_process(struct react *r, const struct fact *fact) {
  switch (fact->kind->number) {
    case KIND_OOM_BEGIN: look_at_processes(r, fact_u(fact, "memcgId")); break;
    case KIND_OOM_PICK: case KIND_OOM_KILL: case KIND_MARK_VICTIM: processes_dying(r->processes, (uint32_t)fact_u(fact, "pid")); break;
    case KIND_SIGNAL: processes_dying(r->processes, (uint32_t)fact_u(fact, "targetTid")); break;
    case KIND_TASK_EXIT: processes_ended(r->processes, (uint32_t)fact_u(fact, "pid")); break;
    default: break;
  }
}

static void look_at(struct react *r, uint64_t memcg_id) {
  uint64_t now = now_ns();
  int slot = r->memcgs->version == 0 || memcg_id == 0 ? -1 : memcg_find(r->memcgs, memcg_id);
  if (slot >= 0) sample_trouble(r->memcgs, slot, now);
  if (memcg_id != 0 || now - r->node_ns < NODE_TROUBLE_NS) return;
  r->node_ns = now;
  node_sample(r->node, now);
  zones_sample_free(r->zones, now);
}

/* v2: the kill is counted in its memcg and all above it before the signal is sent (mm/oom_kill.c __oom_kill_process()). */
static void note_kill(struct memcgs *t, int slot) {
  for (t->events_due = true; slot >= 0; slot = t->slot[slot].parent) t->slot[slot].events_due = true;
}

/* The numbers behind a decision are worth most at the moment it is taken. */
static void look_closer(struct react *r, const struct fact *fact) {
  uint16_t kind = fact->kind->number;
  if (r->processes->max != 0) look_at_process(r, fact);
  if (kind == KIND_STALL) {
    int target = memcg_find(r->memcgs, fact_u(fact, "targetMemcgId"));
    if (target >= 0) pace_alarm(r->memcgs, target, now_ns());
  }
  if (kind == KIND_OOM_BEGIN || kind == KIND_OOM_MEMCG_ENTER) look_at(r, fact_u(fact, "memcgId"));
  /* v1 tells nobody that memory.oom_control changed: all are read on the next tick */
  if (kind >= KIND_OOM_BEGIN && kind <= KIND_OOM_REAP) r->memcgs->events_due = true;
  if (r->memcgs->version == 2 && (kind == KIND_MARK_VICTIM || kind == KIND_TASK_EXIT)) {
    int place = memcg_find(r->memcgs, fact_u(fact, "memcgId"));
    if (kind == KIND_MARK_VICTIM || (fact_u(fact, "exitCode") & 0x7f) == SIGKILL) note_kill(r->memcgs, place);
    if (kind == KIND_TASK_EXIT && place >= 0) oomd_look(r->memcgs, place, now_ns());
  }
  if (kind != KIND_TASK_EXIT && kind != KIND_SIGNAL) return;
  int slot = r->memcgs->version == 1 && kind == KIND_TASK_EXIT ? memcg_find(r->memcgs, fact_u(fact, "memcgId")) : -1;
  if (slot >= 0) sample_events(r->memcgs, slot, now_ns());
}

static void on_fact(void *context, const struct fact *fact) {
  struct react *r = context;
  if (selftest_owns(r->selftest, fact)) return;
  if (r->memcgs->version != 0 && fact->kind->number == KIND_MEMCG_BIRTH) watch_probe_birth(r->memcgs, fact);
  else if (r->memcgs->version != 0 && fact->kind->number == KIND_MEMCG_DEATH) watch_probe_death(r->memcgs, fact);
  else {
    send(r->out, fact);
    if (r->memcgs->version != 0 || fact->kind->number == KIND_OOM_BEGIN) look_closer(r, fact);
  }
}

/* ── the rest of the tracer's lines ────────────────────────────────────────── */

static void on_ready(void *context, uint64_t ts_ns) {
  struct react *r = context;
  tracer_ready(r->tracer, ts_ns);
  selftest_start(r->selftest, now_ns());
}

static void on_counter(void *context, int counter, uint64_t key, uint64_t value) {
  struct react *r = context;
  if (!selftest_owns_counter(r->selftest, counter, key, value)) counters_value(r->counters, counter, key, value);
}

static void on_histogram(void *context, int histogram, uint64_t key, const uint64_t buckets[HIST_BUCKETS]) {
  struct react *r = context;
  if (!selftest_owns_key(r->selftest, key)) counters_histogram(r->counters, histogram, key, buckets);
}

static void on_row(void *context) { tally_row(&((struct react *)context)->tally); }

static void say_missing(struct react *r, uint64_t rows) {
  if (rows != 0) stream_loss(r->out, LOSS_bpftrace, rows, "bpftrace printed them in the kernel, they never came");
}

static void on_printed(void *context, uint64_t rows) {
  struct react *r = context;
  say_missing(r, tally_printed(&r->tally, rows, now_ns()));
  selftest_heard(r->selftest, rows, r->tally.seen + r->tally.lost);
}

void react_tracer_over(struct react *r) { say_missing(r, tally_end(&r->tally)); }

void react_tracer_renewed(struct react *r) {
  r->tally = (struct tally){0};
  counters_renew(r->counters);
  selftest_renew(r->selftest);
}

static void on_lost(void *context, uint64_t count) {
  struct react *r = context;
  uint64_t news = tally_told(&r->tally, count);
  if (news != 0) stream_loss(r->out, LOSS_bpftrace, news, "bpftrace could not read its buffer in time");
}

static void on_map_failed(void *context) {
  struct react *r = context;
  stream_loss(r->out, LOSS_map, 1, "a map of bpftrace is full");
}

/* With the line's beginning: what bpftrace said is the first thing to look at. stream_loss() cleans it. */
static void on_bad(void *context, const char *why, const char *line, size_t length) {
  struct react *r = context;
  char detail[128];
  snprintf(detail, sizeof detail, "%s: %.*s", why, length < 90 ? (int)length : 90, line);
  stream_loss(r->out, LOSS_line, 1, detail);
}

void react_sink(struct react *r, struct line_sink *sink) {
  *sink = (struct line_sink){.context = r, .dialect = &r->dialect, .row = on_row, .ready = on_ready, .fact = on_fact, .counter = on_counter, .histogram = on_histogram,
                             .printed = on_printed, .lost = on_lost, .map_failed = on_map_failed, .bad = on_bad};
}

/* ── the kernel log ────────────────────────────────────────────────────────── */

/* "oom-kill:constraint=…,oom_memcg=/a/b,task_memcg=…": a path may hold any byte but '/', so a comma may end it early; then nothing is found. */
static void look_at_path(struct react *r, const char *path, size_t length) {
  char component[NAME_MAX + 1];
  int slot = memcg_find_name(r->memcgs, -1, "");
  for (size_t at = 0; slot >= 0 && at < length;) {
    size_t n = 0;
    if (path[at] == '/') {
      at++;
      continue;
    }
    while (at + n < length && path[at + n] != '/') n++;
    if (n > NAME_MAX) return;
    memcpy(component, path + at, n);
    component[n] = '\0';
    slot = memcg_find_name(r->memcgs, slot, component);
    at += n;
  }
  if (slot >= 0) sample_trouble(r->memcgs, slot, now_ns());
}

void react_kmsg(void *context, const char *text, size_t length) {
  static const char limit[] = "oom_memcg=", killed[] = "Killed process";
  struct react *r = context;
  if (r->memcgs->version == 0) return;
  if (memmem(text, length, killed, sizeof killed - 1) != NULL) r->memcgs->events_due = true;
  const char *at = memmem(text, length, limit, sizeof limit - 1);
  if (at == NULL) return;
  at += sizeof limit - 1;
  const char *end = memchr(at, ',', length - (size_t)(at - text));
  if (end != NULL) look_at_path(r, at, (size_t)(end - at));
}
