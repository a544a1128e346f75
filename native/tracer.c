/* tracer.c: the bpftrace process: drained first, its end told; one that had worked is started again, later each time. */
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protect.h"
#include "row.h"
#include "util.h"

#define NOTICES_PER_SECOND 20
#define READS_PER_WAKEUP 64
#define PIPE_BYTES (1024 * 1024)
/* it takes 100 MB and seconds of CPU to start: not at once on a node that has just killed it, and seldom where it does not live */
#define RESTART_FIRST_NS NS_PER_S
#define RESTART_LAST_NS (64 * NS_PER_S)

int tracer_init(struct tracer *t, struct stream *out, const struct line_sink *sink) {
  memset(t, 0, sizeof *t);
  t->out = out;
  t->sink = sink;
  t->out_fd = t->err_fd = -1;
  t->cutter.capacity = LINE_CAPACITY;
  t->cutter.bytes = reserve(LINE_CAPACITY);
  return t->cutter.bytes == NULL ? -ENOMEM : 0;
}

static void say(struct tracer *t, const char *state, const char *detail) {
  struct row row;
  row_begin(&row, t->out, KIND_TRACER, now_ns());
  row_text(&row, state);
  row_u(&row, (uint64_t)t->pid);
  if (detail == NULL) row_nil(&row);
  else row_text(&row, detail);
  row_end(&row);
}

/* ── start ─────────────────────────────────────────────────────────────────── */

#define QUOTED(number) #number
#define TEXT_OF(number) QUOTED(number)

static const char *const environment[][2] = {
  {"BPFTRACE_PERF_RB_PAGES", "1024"},      /* a burst of candidates while we are not scheduled: 64 pages lose it in silence (0.17) */
  {"BPFTRACE_STRLEN", TEXT_OF(PROBE_STRING_BYTES)},
  {"BPFTRACE_MAX_STRLEN", TEXT_OF(PROBE_STRING_BYTES)},      /* the same for 0.23 and later */
  {"BPFTRACE_MAP_KEYS_MAX", "16384"},      /* 4096 memcgs are not enough, and a full map drops in silence */
  {"BPFTRACE_MAX_MAP_KEYS", "16384"},
};

/* In the child: becomes bpftrace or ends with the errno as status behind 200. */
static void become_bpftrace(const struct tracer_options *o, const int out[2], const int err[2]) {
  char bridge_pid[24], stall_ns[24];
  sigset_t none;
  pid_t parent = getppid();
  /* dies with the bridge: nobody would read it any more */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  protect_child();
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  /* a Ctrl-C for the terminal's group must reach the bridge only: it stops bpftrace when it has read everything */
  setpgid(0, 0);
  int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(out[1], STDOUT_FILENO);
  dup2(err[1], STDERR_FILENO);
  for (int i = 0; i < LENGTH_OF(environment); i++) setenv(environment[i][0], environment[i][1], 0);
  write_at(AT_FDCWD, "/proc/self/oom_score_adj", "-999");
  snprintf(bridge_pid, sizeof bridge_pid, "%d", (int)parent);
  snprintf(stall_ns, sizeof stall_ns, "%llu", (unsigned long long)o->stall_ns);
  const char *with[] = {o->bpftrace, "-k", "-f", "json", "-B", "line", o->script, bridge_pid, stall_ns, NULL};
  const char **argv = with + !o->helper_errors;
  argv[0] = o->bpftrace;
  execvp(o->bpftrace, (char *const *)argv);
  dprintf(STDERR_FILENO, "%s: %s\n", o->bpftrace, strerror(errno));
  _exit(127);
}

void tracer_start(struct tracer *t, const struct tracer_options *options) {
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  t->started_ns = now_ns();
  t->is_ready = t->is_over = false;
  t->cutter.length = t->cutter.scanned = t->err_length = t->last_count = 0;
  t->cutter.skipping = false;
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || (t->pid = fork()) < 0) {
    const char *why = strerror(errno);
    t->pid = 0;
    t->is_over = true;
    for (int i = 0; i < 2; i++) {
      close(out[i]);
      close(err[i]);
    }
    say(t, t->was_ready ? "exited" : "refused", why);
    return;
  }
  if (t->pid == 0) become_bpftrace(options, out, err);
  close(out[1]);
  close(err[1]);
  t->out_fd = out[0];
  t->err_fd = err[0];
  fcntl(t->out_fd, F_SETFL, O_NONBLOCK);
  fcntl(t->err_fd, F_SETFL, O_NONBLOCK);
  fcntl(t->out_fd, F_SETPIPE_SZ, PIPE_BYTES);
  say(t, t->was_ready ? "restarted" : "starting", NULL);
}

static bool copy(int to, int from) {
  struct stat st;
  if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode)) return false;
  while (st.st_size > 0) {
    ssize_t n = sendfile(to, from, NULL, (size_t)st.st_size);
    if (n <= 0) return false;
    st.st_size -= n;
  }
  return true;
}

const char *tracer_keep_script(const char *path) {
  static char kept[32];
  int from = open(path, O_RDONLY | O_CLOEXEC);
  /* bpftrace inherits it */
  int to = from < 0 ? -1 : memfd_create("oomscope-probes", 0);
  bool is_kept = to >= 0 && copy(to, from);
  if (from >= 0) close(from);
  snprintf(kept, sizeof kept, "/proc/self/fd/%d", to);
  if (is_kept && access(kept, R_OK) == 0) return kept;
  if (to >= 0) close(to);
  return path;
}

bool tracer_restart_due(struct tracer *t, uint64_t now) {
  if (!t->is_over || !t->was_ready || t->started_ns == 0) return false;
  if (t->restart_ns != 0 && now < t->restart_ns) return false;
  bool is_due = t->restart_ns != 0;
  bool has_lived = now - t->started_ns > RESTART_LAST_NS;
  if (!is_due) t->restart_delay_ns = has_lived || t->restart_delay_ns == 0 ? RESTART_FIRST_NS : t->restart_delay_ns * 2;
  if (t->restart_delay_ns > RESTART_LAST_NS) t->restart_delay_ns = RESTART_LAST_NS;
  t->restart_ns = is_due ? 0 : now + t->restart_delay_ns;
  return is_due;
}

void tracer_read_file(struct tracer *t, int fd) {
  t->out_fd = fd;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  say(t, "starting", NULL);
}

/* ── reading ───────────────────────────────────────────────────────────────── */

void tracer_ready(struct tracer *t, uint64_t ts_ns) {
  if (t->is_ready) return;
  t->is_ready = t->was_ready = true;
  (void)ts_ns;    /* BEGIN runs before the row can be read: the row's time is when it holds for sure */
  say(t, "ready", NULL);
}

static void close_fd(int *fd) {
  if (*fd > STDIN_FILENO) close(*fd);
  *fd = -1;
}

void tracer_drain(struct tracer *t) {
  bool is_end = false;
  for (int i = 0; t->out_fd >= 0 && !is_end && i < READS_PER_WAKEUP; i++) {
    char *at;
    size_t room = line_room(&t->cutter, &at), added = 0;
    ssize_t n = 0;
    /* fills the buffer before thinking about any of it */
    while (added < room && (n = read(t->out_fd, at + added, room - added)) > 0) added += (size_t)n;
    is_end = added < room && (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR));
    line_cut(&t->cutter, t->sink, added);
    if (added < room) break;
  }
  if (!is_end) return;
  /* a last line without newline is half a line */
  if (t->cutter.length > 0) stream_loss(t->out, LOSS_line, 1, "the last line was cut");
  close_fd(&t->out_fd);
  if (t->pid != 0) return;
  t->is_over = true;
  say(t, t->is_ready ? "exited" : "refused", "end of lines");
}

/* While it compiles, 0.27 has an opinion about many a line of the script, with the line: not what a person must know. Never --no-warnings: it also hides full maps. */
static bool is_telling(const struct tracer *t, const char *line, size_t length) {
  return t->is_ready || memmem(line, length, "ERROR", 5) != NULL || (length >= 7 && memcmp(line, "WARNING", 7) == 0);
}

/* Warnings of bpftrace become notices; a flood of them is counted, not told. */
static void error_line(struct tracer *t, char *line, size_t length) {
  uint64_t second = now_ns() / NS_PER_S;
  text_clean(line, length);
  while (length > 0 && line[length - 1] == ' ') length--;
  if (length == 0) return;
  snprintf(t->last[t->last_count++ % TRACER_LAST_WORDS], sizeof t->last[0], "%.*s", (int)length, line);
  if (!is_telling(t, line, length)) return;
  if (second != t->notice_second) t->notices = 0;
  t->notice_second = second;
  if (t->notices++ < NOTICES_PER_SECOND) row_notice(t->out, "bpftrace", "%.*s", (int)length, line);
  else stream_loss(t->out, LOSS_line, 1, "warnings of bpftrace beyond 20 a second");
}

void tracer_drain_errors(struct tracer *t) {
  ssize_t n;
  while (t->err_fd >= 0 && (n = read(t->err_fd, t->err + t->err_length, sizeof t->err - t->err_length)) >= 0) {
    size_t start = 0, end = t->err_length + (size_t)n;
    for (char *newline; (newline = memchr(t->err + start, '\n', end - start)) != NULL; start = (size_t)(newline - t->err) + 1)
      error_line(t, t->err + start, (size_t)(newline - t->err) - start);
    bool is_full = start == 0 && end == sizeof t->err;
    if (is_full || n == 0) {
      error_line(t, t->err + start, end - start);
      start = end;
    }
    t->err_length = end - start;
    memmove(t->err, t->err + start, t->err_length);
    if (n == 0) close_fd(&t->err_fd);
  }
}

/* ── end ───────────────────────────────────────────────────────────────────── */

static void tell_end(struct tracer *t, int status) {
  char detail[sizeof t->last + 64];
  int length = WIFSIGNALED(status) ? snprintf(detail, sizeof detail, "killed by signal %d", WTERMSIG(status))
                                   : snprintf(detail, sizeof detail, "exit status %d", WEXITSTATUS(status));
  /* an end without fault has no last words: 0.17 calls a refused setrlimit ERROR, and goes on */
  bool is_fault = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
  unsigned first = t->last_count > TRACER_LAST_WORDS ? t->last_count - TRACER_LAST_WORDS : 0;
  for (unsigned i = first; is_fault && i < t->last_count; i++)
    length += snprintf(detail + length, sizeof detail - (size_t)length, "%s%s", i == first ? ": " : "; ", t->last[i % TRACER_LAST_WORDS]);
  say(t, t->was_ready ? "exited" : "refused", detail);
}

void tracer_reap(struct tracer *t) {
  int status;
  if (t->pid == 0 || waitpid(t->pid, &status, WNOHANG) != t->pid) return;
  /* its last rows and words come before the news of its end */
  while (t->out_fd >= 0) {
    size_t before = t->cutter.lines;
    tracer_drain(t);
    if (t->out_fd >= 0 && t->cutter.lines == before) close_fd(&t->out_fd);    /* a grandchild holds the pipe */
  }
  tracer_drain_errors(t);
  close_fd(&t->err_fd);
  tell_end(t, status);
  t->pid = 0;
  t->is_over = true;
}

void tracer_stop(struct tracer *t, int signo) {
  if (t->pid != 0) kill(t->pid, signo);
}
