/* test_events.c: whose memory.events are read after a kill: those that inotify does not tell of, and the dead one's and all above it. */
#include "test_tree.h"

#include "react.h"
#include "sampler.h"

#define EVENTS(kills) "low 0\nhigh 0\nmax 0\noom 0\noom_kill " kills "\noom_group_kill 0\n"

static struct sampler sampler;
static struct react react;
static struct selftest selftest;
static struct processes processes;
static struct line_sink sink;

/* a/b and c, each with events, each watched; what inotify tells from here on goes unheard. */
static void begin(uint64_t id[3]) {
  static const char *const path[3] = {"a", "a/b", "c"};
  fresh(64);
  for (int i = 0; i < 3; i++) {
    char file[32];
    id[i] = make(path[i]);
    snprintf(file, sizeof file, "%s/memory.events", path[i]);
    put(file, EVENTS("0"));
  }
  watch_walk(&table, now_ns());
  test_take(&stream);
  sampler = (struct sampler){.memcgs = &table};
  sampler_init(&sampler, &(struct sampler_options){.sample_ns = 100 * NS_PER_MS, .slow_ns = 3600 * NS_PER_S, .budget = 1});
  react = (struct react){.out = &stream, .memcgs = &table, .selftest = &selftest, .processes = &processes};
  react_sink(&react, &sink);
  put("a/memory.events", EVENTS("1"));
  put("a/b/memory.events", EVENTS("2"));
  put("c/memory.events", EVENTS("3"));
}

/* Kills that each memcg was said to have counted by the next tick. */
static void sweep(const uint64_t id[3], uint64_t kills[3]) {
  sampler.swept_ns = 0;
  sampler_run(&sampler, now_ns());
  test_take(&stream);
  for (int i = 0; i < 3; i++) {
    kills[i] = ABSENT;
    for (int row = 0; row < test_count(KIND_MEMCG_EVENTS); row++)
      if (test_find(KIND_MEMCG_EVENTS, row)->field[0].u == id[i]) kills[i] = test_find(KIND_MEMCG_EVENTS, row)->field[5].u;
  }
}

static void say_exit(uint64_t memcg_id, uint64_t exit_code) {
  struct fact fact = {.kind = event_kind(KIND_TASK_EXIT), .ts_ns = 5};
  for (int i = 0; i < fact.kind->count; i++) fact.value[i] = (struct value){.type = fact.kind->type[i] == 's' ? 's' : 'u', .bytes = ""};
  fact.value[event_field(fact.kind, "memcgId")].u = memcg_id;
  fact.value[event_field(fact.kind, "exitCode")].u = exit_code;
  sink.fact(sink.context, &fact);
}

static void say_victim(uint64_t memcg_id) {
  struct fact fact = {.kind = event_kind(KIND_MARK_VICTIM), .ts_ns = 5};
  for (int i = 0; i < fact.kind->count; i++) fact.value[i] = (struct value){.type = fact.kind->optional[i] ? 'n' : 'u'};
  if (memcg_id != 0) fact.value[event_field(fact.kind, "memcgId")] = (struct value){.type = 'u', .u = memcg_id};
  sink.fact(sink.context, &fact);
}

static void a_kill_reads_the_dead_ones_memcg_and_those_above_it(void) {
  uint64_t id[3], kills[3];
  for (int way = 0; way < 2; way++) {
    begin(id);
    if (way == 0) say_exit(id[1], 9);
    else say_victim(id[1]);
    sweep(id, kills);
    CHECK(kills[0] == 1 && kills[1] == 2 && kills[2] == ABSENT);
    put("a/memory.events", EVENTS("7"));
    table.events_due = true;      /* a kill elsewhere */
    sweep(id, kills);
    CHECK(kills[0] == ABSENT && kills[1] == ABSENT && kills[2] == ABSENT);
    finish();
  }
}

static void an_end_that_is_no_kill_reads_nobody(void) {
  uint64_t id[3], kills[3];
  begin(id);
  say_exit(id[1], 15);
  sweep(id, kills);
  CHECK(kills[0] == ABSENT && kills[1] == ABSENT && kills[2] == ABSENT);
  finish();
}

/* The limit of inotify is reached: whoever came too late has no watch. */
static void a_kill_reads_everybody_without_a_watch(void) {
  uint64_t id[3], kills[3];
  begin(id);
  struct memcg *c = &table.slot[memcg_find(&table, id[2])];
  index_remove(&table.by_events_watch, (uint64_t)c->events_watch, memcg_find(&table, id[2]));
  CHECK(inotify_rm_watch(table.inotify_fd, c->events_watch) == 0);
  c->events_watch = -1;
  say_victim(0);      /* of whom nothing is known */
  sweep(id, kills);
  CHECK(kills[0] == ABSENT && kills[1] == ABSENT && kills[2] == 3);
  finish();
}

static void v1_reads_everybody(void) {
  uint64_t id[3], kills[3];
  fresh(64);
  table.version = 1;
  for (int i = 0; i < 3; i++) {
    char name[16], file[48];
    snprintf(name, sizeof name, "m%d", i);
    id[i] = make(name);
    snprintf(file, sizeof file, "%s/memory.oom_control", name);
    put(file, "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  }
  watch_walk(&table, now_ns());
  test_take(&stream);
  sampler = (struct sampler){.memcgs = &table};
  sampler_init(&sampler, &(struct sampler_options){.sample_ns = 100 * NS_PER_MS, .slow_ns = 3600 * NS_PER_S, .budget = 1});
  for (int i = 0; i < 3; i++) {
    char file[32];
    snprintf(file, sizeof file, "m%d/memory.oom_control", i);
    put(file, "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
  }
  react = (struct react){.out = &stream, .memcgs = &table, .selftest = &selftest, .processes = &processes};
  react_sink(&react, &sink);
  say_victim(0);
  sweep(id, kills);
  CHECK(kills[0] == 4 && kills[1] == 4 && kills[2] == 4);
  finish();
}

/* What was told into a full queue is not known: then everybody is asked once. */
static void news_that_were_lost_are_read_from_everybody(void) {
  uint64_t id[3], kills[3];
  char text[32] = "";
  int file = open("/proc/sys/fs/inotify/max_queued_events", O_RDONLY | O_CLOEXEC);
  CHECK(file >= 0 && read(file, text, sizeof text - 1) > 0);
  close(file);
  begin(id);
  /* two files in turns, since the same event twice is kept once */
  for (long i = 0, most = atol(text); i <= most; i++) put(i % 2 == 0 ? "a/memory.events" : "c/memory.events", i % 2 == 0 ? EVENTS("8") : EVENTS("9"));
  for (uint64_t before = 0; stream.loss[LOSS_memcg].count == before;) watch_drain(&table);
  CHECK(table.events_lost);
  put("a/b/memory.events", EVENTS("5"));
  test_take(&stream);
  sweep(id, kills);
  CHECK(kills[1] == 5 && !table.events_lost && !table.events_due);
  finish();
}

int main(void) {
  event_init();
  a_kill_reads_the_dead_ones_memcg_and_those_above_it();
  an_end_that_is_no_kill_reads_nobody();
  a_kill_reads_everybody_without_a_watch();
  v1_reads_everybody();
  news_that_were_lost_are_read_from_everybody();
  return test_done("events");
}
