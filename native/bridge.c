/* bridge.c: oomscope-bridge: everything the kernel says about memory trouble, as one bounded stream of frames on stdout. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hello.h"
#include "mount.h"
#include "options.h"
#include "processes.h"
#include "protect.h"
#include "psi.h"
#include "react.h"
#include "row.h"
#include "sample.h"
#include "sampler.h"
#include "util.h"
#include "watch.h"
#include "zones.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_ENVIRONMENT 3
#define NODE_PERIOD_NS NS_PER_S
#define REAP_PERIOD_NS (100 * NS_PER_MS)
/* bpftrace needs 1.3 s from SIGINT to its end, and prints its maps once more */
#define TRACER_END_NS (4 * NS_PER_S)
/* at SIGINT it leaves unread what its buffers hold (0.17), so that is read before; a tracer that is stuck is not waited for */
#define CATCH_UP_NS (3 * NS_PER_S)
#define FLUSH_END_NS (2 * NS_PER_S)

enum { WAIT_OUT, WAIT_LINES, WAIT_ERRORS, WAIT_KMSG, WAIT_INOTIFY, WAIT_SELFTEST, WAIT_DETAILS, WAIT_PSI, WAIT_MAX = WAIT_PSI + 1 + PSI_MEMCGS_MAX };

struct bridge {
  struct options options;
  struct stream out;
  struct memcgs memcgs;
  struct counters counters;
  struct node node;
  struct zones zones;
  struct processes processes;
  struct psi psi;
  struct kmsg kmsg;
  struct tracer tracer;
  struct selftest selftest;
  struct cost cost;
  struct react react;
  struct line_sink sink;
  struct pollfd fds[WAIT_MAX];
  pid_t parent;
  int psi_fds;
  struct sampler sampler;
  struct clock_lead clock_lead;
  uint64_t next_second_ns, next_keyframe_ns, next_reap_ns;
  uint64_t stop_ns, tracer_stop_ns;               /* when the end was asked for, of us and of the tracer; 0: not yet */
};

static struct bridge bridge;

/* ── start ─────────────────────────────────────────────────────────────────── */

/* 0, or the exit status behind one line on stderr. */
static int environment_failed(const char *what, int err) {
  fprintf(stderr, "oomscope-bridge: %s: %s\n", what, strerror(err < 0 ? -err : err));
  return EXIT_ENVIRONMENT;
}

static void find_memcgs(struct bridge *b) {
  static struct memcg_mount mount;
  if (b->options.memcg_root != NULL) {
    mount.version = b->options.memcg_version;
    snprintf(mount.point, sizeof mount.point, "%s", b->options.memcg_root);
  } else {
    mount_detect(&mount);
  }
  b->memcgs.version = mount.version;
  memcpy(b->memcgs.root, mount.point, sizeof mount.point);
  memcpy(b->memcgs.prefix, mount.prefix, sizeof mount.prefix);
}

static int init_memcgs(struct bridge *b) {
  if (b->options.no_memcg || b->memcgs.version == 0) {
    if (!b->options.no_memcg) row_notice(&b->out, "bridge", "no memory controller is mounted: cgroups are not watched");
    b->memcgs.version = 0;
    b->memcgs.inotify_fd = -1;
    return 0;
  }
  snprintf(b->memcgs.ignored, sizeof b->memcgs.ignored, STIMULUS_NAME "%d", (int)getpid());
  int err = memcgs_init(&b->memcgs, &b->out, (int)b->options.max_memcgs);
  if (err == 0 && b->options.selftest[0] != '\0') stimulus_clean(&b->memcgs, clock_read_ns(CLOCK_REALTIME));
  if (err == 0 && b->options.numa) err = numa_init(&b->memcgs);
  if (err == 0 && b->options.max_processes != 0) err = processes_init(&b->processes, &b->memcgs, (int)b->options.max_processes);
  return err < 0 ? environment_failed(b->memcgs.root, err) : 0;
}

static int open_lines(struct bridge *b) {
  const char *path = b->options.lines;
  int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fprintf(stderr, "oomscope-bridge: %s: %s\n", path, strerror(errno));
    return EXIT_FAILED;
  }
  tracer_read_file(&b->tracer, fd);
  return 0;
}

static void launch(struct bridge *b) {
  const struct options *o = &b->options;
  tracer_start(&b->tracer, &(struct tracer_options){.bpftrace = o->bpftrace, .script = o->script, .stall_ns = o->stall_ns, .helper_errors = o->helper_errors});
}

static int start_tracer(struct bridge *b) {
  if (b->options.lines != NULL) return open_lines(b);
  if (b->options.script != NULL) {
    b->options.script = tracer_keep_script(b->options.script);
    launch(b);
    return 0;
  }
  struct row row;
  row_begin(&row, &b->out, KIND_TRACER, now_ns());
  row_text(&row, "absent");
  row_u(&row, 0);
  row_nil(&row);
  row_end(&row);
  return 0;
}

/* The first frame: hello, schema, clock; nothing may come before it. */
static void say_hello(struct bridge *b) {
  static const char *const version[] = {"", "v1", "v2"};
  stream_begin(&b->out, FLAG_KEYFRAME | FLAG_HELLO);
  hello_say(&b->out, &b->node, &(struct hello_options){.memcg_version = version[b->memcgs.version], .memcg_root = b->memcgs.root,
                                                       .sample_period_ns = b->options.sample_ms * NS_PER_MS, .stall_ns = b->options.stall_ns});
  hello_clock(&b->out);
}

static int start(struct bridge *b) {
  const struct options *o = &b->options;
  uint64_t now = now_ns();
  int status;
  protect_files();
  protect_process();
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  b->react = (struct react){.out = &b->out, .memcgs = &b->memcgs, .counters = &b->counters, .selftest = &b->selftest, .tracer = &b->tracer, .node = &b->node, .zones = &b->zones, .processes = &b->processes};
  react_sink(&b->react, &b->sink);
  b->selftest.out = &b->out;
  b->selftest.memcgs = &b->memcgs;
  int err = stream_init(&b->out, o->ring_bytes, STDOUT_FILENO);
  if (err == 0) err = tracer_init(&b->tracer, &b->out, &b->sink);
  if (err == 0) err = counters_init(&b->counters, &b->out);
  if (err < 0) return environment_failed("memory", err);
  node_init(&b->node, &b->out, !o->no_psi);
  zones_init(&b->zones, &b->out);
  cost_init(&b->cost);
  find_memcgs(b);
  say_hello(b);
  if ((status = init_memcgs(b)) != 0) return status;
  b->sampler.memcgs = &b->memcgs;
  b->sampler.psi = o->no_psi ? NULL : &b->psi;
  sampler_init(&b->sampler, &(struct sampler_options){.sample_ns = o->sample_ms * NS_PER_MS, .slow_ns = o->slow_ms * NS_PER_MS, .budget = (double)o->budget_centi / 1e4});
  if ((status = start_tracer(b)) != 0) return status;
  if (o->no_psi) b->psi.out = &b->out;
  else psi_init(&b->psi, &b->out);
  b->kmsg.fd = -1;
  if (!o->no_kmsg) kmsg_init(&b->kmsg, &b->out);
  b->kmsg.context = &b->react;
  b->kmsg.line = react_kmsg;
  reserve_seal();
  protect_memory(&b->out);
  b->memcgs.no_swap = b->node.meminfo_fd >= 0 && node_meminfo(&b->node, "SwapTotal:") == 0;
  if (b->processes.max != 0) detail_start(&b->processes.reader, &b->out);
  if (b->memcgs.version != 0) watch_walk(&b->memcgs, now);
  b->next_second_ns = b->next_reap_ns = now;
  b->next_keyframe_ns = now + o->keyframe_ms * NS_PER_MS;
  b->clock_lead = clock_lead_read();
  return 0;
}

/* ── clockwork ─────────────────────────────────────────────────────────────── */

static void each_second(struct bridge *b, uint64_t now) {
  node_sample(&b->node, now);
  zones_tick(&b->zones, now);
  b->memcgs.no_swap = b->node.meminfo_fd >= 0 && b->node.swap_total_bytes == 0;
  if (b->node.meminfo_fd >= 0) b->memcgs.available_bytes = b->node.available_bytes;
  if (b->memcgs.version != 0) watch_tick(&b->memcgs, now);
  b->cost.lines = b->tracer.cutter.lines;
  b->cost.memcgs = (uint64_t)b->memcgs.alive;
  b->cost.open_files = b->memcgs.open_files;
  b->cost.reader_pid = b->processes.reader.pid;
  cost_say(&b->cost, &b->out, b->tracer.pid);
  if (b->memcgs.version != 0) sampler_say(&b->sampler, now);
}

/* Reading may start at this frame: everything that is still true is said again. */
static void keyframe(struct bridge *b, uint64_t now) {
  struct memcgs *t = &b->memcgs;
  for (int i = 0; i < LOSS_PLACES; i++) b->out.loss[i].dirty = b->out.loss[i].count != 0;
  stream_begin(&b->out, FLAG_KEYFRAME);
  hello_clock(&b->out);
  for (int s = 0; s < t->high; s++)
    if (t->slot[s].live && !t->slot[s].is_lost) memcg_say_birth(t, s, "keyframe", now);
  for (int s = 0; s < t->high; s++)
    if (t->slot[s].live) sample_repeat(t, s, now);
  if (b->processes.max != 0) processes_keyframe(&b->processes, now);
  counters_keyframe(&b->counters, now, t->version == 0 ? NULL : &(struct living){memcg_is_alive, t});
  node_sample(&b->node, now);
  zones_sample(&b->zones, now);
}

static uint64_t cpu_ns(void) { return clock_read_ns(CLOCK_THREAD_CPUTIME_ID); }

/* They have a budget of their own (processes.c). */
static void read_processes(struct bridge *b, uint64_t now, void (*read)(struct processes *, uint64_t)) {
  uint64_t before = cpu_ns();
  if (b->processes.max == 0) return;
  read(&b->processes, now);
  b->sampler.other_cpu_ns += cpu_ns() - before;
}

static void upkeep(struct bridge *b, uint64_t now, void (*work)(struct bridge *, uint64_t)) {
  uint64_t before = cpu_ns();
  work(b, now);
  b->sampler.upkeep_cpu_ns += cpu_ns() - before;
}

/* The next time of a clock that was due; ticks that were missed are not made up for. */
static uint64_t next_of(uint64_t due, uint64_t period, uint64_t now) { return due + period > now ? due + period : now + period; }

/* True when memcgs were looked at. */
static bool run_clocks(struct bridge *b, uint64_t now) {
  const struct options *o = &b->options;
  bool has_looked = b->memcgs.version != 0 && sampler_run(&b->sampler, now);
  if (now >= processes_wake_ns(&b->processes)) read_processes(b, now, processes_look_at_newborn);
  if (now >= b->next_second_ns) {
    upkeep(b, now, each_second);
    b->next_second_ns = next_of(b->next_second_ns, NODE_PERIOD_NS, now);
  }
  if (now >= b->next_keyframe_ns) {
    upkeep(b, now, keyframe);
    b->next_keyframe_ns = next_of(b->next_keyframe_ns, o->keyframe_ms * NS_PER_MS, now);
  }
  if (now >= b->next_reap_ns) {
    tracer_reap(&b->tracer);
    if (b->stop_ns == 0 && tracer_restart_due(&b->tracer, now)) {
      react_tracer_renewed(&b->react);
      launch(b);
    }
    read_processes(b, now, processes_tick);
    /* the machine has slept, or its clock was set: times from here on are joined by the clock row of a keyframe */
    if (clock_jumped(&b->clock_lead, clock_lead_read())) b->next_keyframe_ns = now;
    b->next_reap_ns = next_of(b->next_reap_ns, REAP_PERIOD_NS, now);
  }
  return has_looked;
}

/* ── loop ──────────────────────────────────────────────────────────────────── */

static uint64_t earliest(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void wait_for_something(struct bridge *b) {
  bool is_pending = b->out.sending_length != b->out.sent || b->out.used != 0;
  uint64_t now = now_ns(), wake = earliest(earliest(b->next_second_ns, b->next_keyframe_ns), b->next_reap_ns);
  if (b->memcgs.version != 0) wake = earliest(earliest(wake, sampler_wake_ns(&b->sampler)), processes_wake_ns(&b->processes));
  if (b->out.open_length != 0) wake = earliest(wake, b->out.close_at_ns);
  uint64_t left = wake > now ? wake - now : 0;
  struct timespec timeout = {.tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S)};
  /* without events, POLLERR (pipe) or POLLHUP (socket) still tells that the reader is gone */
  b->fds[WAIT_OUT] = (struct pollfd){.fd = STDOUT_FILENO, .events = is_pending ? POLLOUT : 0};
  b->fds[WAIT_LINES] = (struct pollfd){.fd = b->tracer.out_fd, .events = POLLIN};
  b->fds[WAIT_ERRORS] = (struct pollfd){.fd = b->tracer.err_fd, .events = POLLIN};
  b->fds[WAIT_KMSG] = (struct pollfd){.fd = b->kmsg.fd, .events = POLLIN};
  b->fds[WAIT_INOTIFY] = (struct pollfd){.fd = b->memcgs.inotify_fd, .events = POLLIN};
  b->fds[WAIT_SELFTEST] = (struct pollfd){.fd = selftest_fd(&b->selftest), .events = POLLIN};
  b->fds[WAIT_DETAILS] = (struct pollfd){.fd = b->processes.max == 0 ? -1 : b->processes.reader.from_fd, .events = POLLIN};
  b->psi_fds = psi_poll_fill(&b->psi, b->fds + WAIT_PSI);
  if (ppoll(b->fds, (nfds_t)(WAIT_PSI + b->psi_fds), &timeout, protect_poll_mask()) < 0)
    for (int i = 0; i < WAIT_PSI + b->psi_fds; i++) b->fds[i].revents = 0;
}

/* What others say is not sampling, and not of its budget; nor are births: who makes memcgs all the time would take it from all others. */
static void serve_words(struct bridge *b) {
  uint64_t before = cpu_ns();
  if (b->fds[WAIT_LINES].revents) tracer_drain(&b->tracer);
  if (b->fds[WAIT_ERRORS].revents) tracer_drain_errors(&b->tracer);
  if (b->fds[WAIT_KMSG].revents) kmsg_drain(&b->kmsg);
  if (b->fds[WAIT_INOTIFY].revents) watch_drain(&b->memcgs);
  if (b->fds[WAIT_DETAILS].revents) processes_take_details(&b->processes);
  b->sampler.other_cpu_ns += cpu_ns() - before;
}

static bool has_words(const struct bridge *b) {
  return b->fds[WAIT_LINES].revents || b->fds[WAIT_ERRORS].revents || b->fds[WAIT_KMSG].revents || b->fds[WAIT_INOTIFY].revents || b->fds[WAIT_DETAILS].revents;
}

/* True when memcgs were looked at. */
static bool serve(struct bridge *b) {
  /* the tracer first: it must never wait for us */
  if (has_words(b)) serve_words(b);
  psi_poll_done(&b->psi, &b->memcgs, b->fds + WAIT_PSI);
  bool has_looked = run_clocks(b, now_ns());
  selftest_step(&b->selftest, now_ns());
  if (b->tracer.is_over) {
    react_tracer_over(&b->react);
    selftest_end(&b->selftest, b->stop_ns == 0 ? "the tracer has ended" : NULL);
  }
  stream_tick(&b->out, now_ns());
  if (b->fds[WAIT_OUT].revents & (POLLERR | POLLHUP)) b->out.reader_gone = true;
  stream_pump(&b->out);
  return has_looked;
}

static bool reader_is_lost(const struct bridge *b) { return b->out.reader_gone || b->out.error != 0 || getppid() != b->parent; }

/* First signal: when bpftrace has caught up it is asked to end, and what it still says is read. A second one does not wait for that. */
static bool should_end(struct bridge *b) {
  uint64_t now = now_ns();
  bool lines_are_over = b->options.lines != NULL && b->tracer.is_over && b->options.no_memcg;
  if (reader_is_lost(b) || lines_are_over || protect_stops() > 1) return true;
  if (protect_stops() == 0) return false;
  if (b->stop_ns == 0) {
    b->stop_ns = now;
    selftest_end(&b->selftest, NULL);
    tally_stop(&b->react.tally);
  }
  if (b->tracer_stop_ns == 0 && (tally_is_settled(&b->react.tally) || now - b->stop_ns >= CATCH_UP_NS)) {
    b->tracer_stop_ns = now;
    tally_close(&b->react.tally);
    tracer_stop(&b->tracer, SIGINT);
  }
  return b->tracer.pid == 0 || (b->tracer_stop_ns != 0 && now - b->tracer_stop_ns >= TRACER_END_NS);
}

static void loop(struct bridge *b) {
  struct sampler *s = &b->sampler;
  while (!should_end(b)) {
    uint64_t before = cpu_ns(), apart = s->other_cpu_ns + s->upkeep_cpu_ns;
    wait_for_something(b);
    /* waking up for a look, and sending what it saw, is of its cost */
    if (serve(b)) s->turns_cpu_ns += cpu_ns() - before - (s->other_cpu_ns + s->upkeep_cpu_ns - apart);
  }
}

/* ── end ───────────────────────────────────────────────────────────────────── */

/* Says the last losses and costs, then gives the reader a moment to take what is waiting. */
static void flush(struct bridge *b) {
  uint64_t deadline = now_ns() + FLUSH_END_NS;
  /* in a frame of its own: opening it makes room, so the loss row at its head counts every dropped row */
  stream_close(&b->out);
  each_second(b, now_ns());
  stream_close(&b->out);
  while (!stream_is_flushed(&b->out) && !reader_is_lost(b) && now_ns() < deadline) {
    struct pollfd fd = {.fd = STDOUT_FILENO, .events = POLLOUT};
    poll(&fd, 1, 50);
    if (fd.revents & (POLLERR | POLLHUP)) return;
    stream_pump(&b->out);
  }
}

static int end(struct bridge *b) {
  selftest_end(&b->selftest, NULL);
  tracer_stop(&b->tracer, SIGKILL);
  if (b->processes.max != 0) detail_stop(&b->processes.reader);
  react_tracer_over(&b->react);
  if (b->out.error != 0) {
    fprintf(stderr, "oomscope-bridge: stdout: %s\n", strerror(b->out.error));
    return EXIT_FAILED;
  }
  flush(b);
  return 0;
}

int main(int argc, char **argv) {
  struct bridge *b = &bridge;
  event_init();
  if (!options_parse(&b->options, argc, argv) || !selftest_init(&b->selftest, b->options.selftest)) {
    fputs(options_usage, stderr);
    return EXIT_USAGE;
  }
  if (b->options.dump_schema) {
    event_dump(stdout);
    return 0;
  }
  b->parent = getppid();
  int status = start(b);
  if (status == 0) {
    loop(b);
    status = end(b);
  }
  return status;
}
