/* detail.c: the reading child's life. It is a process of its own because /proc/PID/cmdline and environ wait for the process's memory lock. */
#include "detail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protect.h"
#include "row.h"
#include "util.h"

#define HANG_NS (2 * NS_PER_S)
#define RESTART_NS NS_PER_S

/* Never returns. */
static void serve(int requests, int replies, pid_t parent) {
  struct detail_reply reply;
  sigset_t none;
  uint32_t pid;
  prctl(PR_SET_NAME, "oomscope-procs");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_DFL);
  setpgid(0, 0);
  int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (read(requests, &pid, sizeof pid) == sizeof pid) {
    memset(&reply, 0, sizeof reply);
    reply.pid = pid;
    detail_read(proc_fd, pid, &reply.detail);
    if (write(replies, &reply, sizeof reply) != sizeof reply) break;
  }
  _exit(0);
}

static bool launch(struct detail_reader *d) {
  int requests[2], replies[2] = {-1, -1};
  pid_t parent = getpid();
  d->pid = 0;
  d->to_fd = d->from_fd = -1;
  d->asked_pid = 0;
  if (pipe2(requests, O_CLOEXEC) != 0) return false;
  if (pipe2(replies, O_CLOEXEC) != 0 || (d->pid = fork()) < 0) {
    d->pid = 0;
    int err = errno;
    for (int i = 0; i < 2; i++) {
      close(requests[i]);
      close(replies[i]);
    }
    errno = err;
    return false;
  }
  if (d->pid == 0) {
    /* what else it inherited would keep pipes of the bridge and of bpftrace open */
    dup2(requests[0], STDIN_FILENO);
    dup2(replies[1], STDOUT_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    protect_child();
    serve(STDIN_FILENO, STDOUT_FILENO, parent);
  }
  close(requests[0]);
  close(replies[1]);
  d->to_fd = requests[1];
  d->from_fd = replies[0];
  fcntl(d->from_fd, F_SETFL, O_NONBLOCK);
  return true;
}

void detail_start(struct detail_reader *d, struct stream *out) {
  *d = (struct detail_reader){.out = out, .to_fd = -1, .from_fd = -1};
  if (!launch(d)) row_notice(out, "bridge", "command lines are not read: %s", strerror(errno));
}

bool detail_is_idle(const struct detail_reader *d) { return d->pid != 0 && d->asked_pid == 0; }

void detail_ask(struct detail_reader *d, uint32_t pid, uint64_t now) {
  if (write(d->to_fd, &pid, sizeof pid) != sizeof pid) {     /* it died */
    detail_stop(d);
    d->restart_ns = now + RESTART_NS;
    return;
  }
  d->asked_pid = pid;
  d->asked_ns = now;
}

bool detail_take(struct detail_reader *d, struct detail_reply *reply) {
  if (d->from_fd < 0 || d->asked_pid == 0) return false;
  ssize_t n = read(d->from_fd, reply, sizeof *reply);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  uint32_t asked = d->asked_pid;
  if (n != (ssize_t)sizeof *reply) {
    detail_stop(d);                    /* it died */
    d->restart_ns = now_ns() + RESTART_NS;
    return false;
  }
  d->asked_pid = 0;
  reply->detail.command[DETAIL_COMMAND - 1] = reply->detail.exe[DETAIL_EXE - 1] = reply->detail.runtime[DETAIL_RUNTIME - 1] = reply->detail.settings[DETAIL_SETTINGS - 1] = '\0';
  return reply->pid == asked;
}

/* Reaps the ended; a place for another one, -1 when all are taken by ones that do not die. */
static int free_place(struct detail_reader *d) {
  int place = -1;
  for (int i = 0; i < DETAIL_STUCK_MAX; i++) {
    if (d->ended[i] != 0 && waitpid(d->ended[i], NULL, WNOHANG) != 0) d->ended[i] = 0;
    if (d->ended[i] == 0) place = i;
  }
  return place;
}

uint32_t detail_watch(struct detail_reader *d, uint64_t now) {
  /* it may have been asked since the loop read its clock: then `now` lies before that */
  uint32_t with = d->pid != 0 && d->asked_pid != 0 && now >= d->asked_ns + HANG_NS ? d->asked_pid : 0;
  if (with != 0) {
    if (d->hangs++ == 0) row_notice(d->out, "bridge", "the command line of process %u cannot be read: its memory is locked", with);
    detail_stop(d);
    d->restart_ns = now;
  }
  if (d->pid == 0 && d->restart_ns != 0 && now >= d->restart_ns && free_place(d) >= 0 && !launch(d)) d->restart_ns = now + RESTART_NS;
  return with;
}

void detail_stop(struct detail_reader *d) {
  int place = d->pid == 0 ? -1 : free_place(d);
  if (d->pid != 0) kill(d->pid, SIGKILL);
  if (place >= 0) d->ended[place] = d->pid;
  if (d->to_fd >= 0) close(d->to_fd);
  if (d->from_fd >= 0) close(d->from_fd);
  d->to_fd = d->from_fd = -1;
  d->pid = 0;
  d->asked_pid = 0;
  d->restart_ns = 0;
}
