/* processes_say.c: rows about processes, sent when they are news, and again in keyframes. */
#include "processes_say.h"

#include <string.h>

#include "row.h"
#include "util.h"

/* Smaller changes wait. */
#define MOVED_BYTES (256 * 1024ull)
#define MOVED_PART 64
#define QUIET_NS (15 * NS_PER_S)
/* Keyframes leave out the command line of what is too small to be chosen: it would be most of the row's bytes. */
#define SMALL_BYTES (1024 * 1024ull)

static uint64_t total_of(const struct process *e) {
  uint64_t total = 0;
  for (int i = 0; i <= PROCESS_PGTABLES; i++) total += e->value[i];
  return total;
}

void say_process(struct processes *p, int place, uint64_t ts_ns) {
  const struct process *e = &p->process[place];
  struct row row;
  row_begin(&row, p->out, KIND_PROCESS, ts_ns);
  row_u(&row, e->pid);
  row_u(&row, e->start_ns);
  row_u(&row, e->memcg_id);
  row_u(&row, e->ppid);
  row_u(&row, e->uid);
  row_u(&row, e->threads);
  row_text(&row, e->comm);
  row_end(&row);
}

static void text_or_nil(struct row *row, const char *text) {
  if (text[0] == '\0') row_nil(row);
  else row_text(row, text);
}

void say_detail(struct processes *p, int place, uint64_t ts_ns) {
  const struct process *e = &p->process[place];
  const struct detail *d = &p->detail[place];
  struct row row;
  row_begin(&row, p->out, KIND_PROCESS_COMMAND, ts_ns);
  row_u(&row, e->pid);
  row_u(&row, e->start_ns);
  text_or_nil(&row, d->command);
  text_or_nil(&row, d->exe);
  text_or_nil(&row, d->runtime);
  row_text(&row, d->settings);
  row_u(&row, d->environ_read);
  row_end(&row);
}

static void say_memory(struct processes *p, int place, uint64_t ts_ns) {
  struct process *e = &p->process[place];
  struct row row;
  row_begin(&row, p->out, KIND_PROCESS_MEMORY, ts_ns);
  row_u(&row, e->pid);
  row_u(&row, e->start_ns);
  for (int i = 0; i < PROCESS_VALUES; i++) row_u(&row, e->value[i]);
  row_i(&row, e->oom_score_adj);
  row_u(&row, e->read_ns);
  row_end(&row);
  e->said_bytes = total_of(e);
  e->said_adj = e->oom_score_adj;
  e->said_ns = e->read_ns;
}

void say_memory_news(struct processes *p, int place, bool is_urgent) {
  const struct process *e = &p->process[place];
  uint64_t total = total_of(e), moved = total > e->said_bytes ? total - e->said_bytes : e->said_bytes - total;
  uint64_t enough = e->said_bytes / MOVED_PART > MOVED_BYTES ? e->said_bytes / MOVED_PART : MOVED_BYTES;
  bool is_news = e->said_ns == 0 || e->said_adj != e->oom_score_adj || moved >= enough || (moved != 0 && is_urgent);
  if (is_news || e->read_ns - e->said_ns >= QUIET_NS) say_memory(p, place, e->read_ns);
}

void say_end(struct processes *p, int place, uint64_t ts_ns) {
  const struct process *e = &p->process[place];
  struct row row;
  row_begin(&row, p->out, KIND_PROCESS_END, ts_ns);
  row_u(&row, e->pid);
  row_u(&row, e->start_ns);
  row_end(&row);
}

void say_again(struct processes *p, int place, uint64_t ts_ns) {
  const struct process *e = &p->process[place];
  say_process(p, place, ts_ns);
  if (p->detail[place].start_ns == e->start_ns && (total_of(e) >= SMALL_BYTES || p->rounds == 0)) say_detail(p, place, ts_ns);
  if (e->said_ns != 0) say_memory(p, place, ts_ns);
}
