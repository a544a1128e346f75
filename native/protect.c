/* protect.c: keeps the bridge alive and quick while the node is out of memory. */
#include "protect.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "row.h"
#include "util.h"

#define FILES_WANTED (1 << 20)
#define NICE (-10)

static volatile sig_atomic_t stops;
static sigset_t poll_mask;
static int nice_before;

static void on_stop(int signo) {
  (void)signo;
  stops++;
}

void protect_files(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  struct rlimit wanted = {.rlim_cur = FILES_WANTED, .rlim_max = files.rlim_max > FILES_WANTED ? files.rlim_max : FILES_WANTED};
  if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) return;
  wanted = (struct rlimit){.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};
  setrlimit(RLIMIT_NOFILE, &wanted);
}

void protect_process(void) {
  struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};
  sigset_t blocked;
  sigaction(SIGINT, &stop, NULL);
  sigaction(SIGTERM, &stop, NULL);
  sigaction(SIGPIPE, &ignore, NULL);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &poll_mask);
  sigdelset(&poll_mask, SIGINT);
  sigdelset(&poll_mask, SIGTERM);
  /* little work that must be done in time, also when all CPUs are busy; without the right to it things go on as they are */
  nice_before = getpriority(PRIO_PROCESS, 0);
  if (nice_before > NICE) setpriority(PRIO_PROCESS, 0, NICE);
  prctl(PR_SET_NAME, "oomscope-bridge");
  prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void protect_child(void) { setpriority(PRIO_PROCESS, 0, nice_before); }

void protect_memory(struct stream *out) {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) row_notice(out, "bridge", "memory is not locked: %s", strerror(errno));
  int err = write_at(AT_FDCWD, "/proc/self/oom_score_adj", "-999");
  if (err != 0) row_notice(out, "bridge", "oom_score_adj stays as it is: %s; the tracer may become a victim", strerror(-err));
}

int protect_stops(void) { return stops; }

const void *protect_poll_mask(void) { return &poll_mask; }
