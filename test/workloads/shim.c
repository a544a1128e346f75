/*
 * shim: a container runtime as the kernel sees one. It is `containerd-shim` in the cgroup DIR, its child is the first process of a PID
 * namespace in the cgroup CONTAINER and has no handler for SIGTERM, and signals come from short-lived children called `runc`, as of `runc kill`.
 * Says `ready PID` (of the container), and on `s` stops it: SIGTERM, GRACE_MS, SIGKILL; then `asker PID`, `killer PID`, `stopped SIGNAL`.
 */
#include "common.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

static void called(const char *name) {
  if (prctl(PR_SET_NAME, name, 0, 0, 0) < 0) die("PR_SET_NAME");
}

static void contained(const char *directory, const char *name) {
  join_cgroup(directory);
  put("/proc/self", "oom_score_adj", "0");
  called(name);
  touch_new(5 << 20);
  say("ready", own_pid());
  for (;;) pause();
}

/* Sends and ends; the shim waits for it as for runc. */
static void send_as_runc(const char *role, pid_t target, int signal) {
  pid_t runc = fork();
  if (runc < 0) die("fork");
  if (runc > 0) {
    int status;
    if (waitpid(runc, &status, 0) != runc || status != 0) die("runc");
    say(role, runc);
    return;
  }
  called("runc");
  if (kill(target, signal) < 0) die("kill");
  _exit(0);
}

int main(int count, char **values) {
  int status;
  if (count != 5) usage("shim DIR CONTAINER NAME GRACE_MS");
  join_cgroup(values[1]);
  called("containerd-shim");
  /* Only children are in the new namespace; runc has to be outside, so that it can name its target. */
  int outside = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  if (outside < 0 || unshare(CLONE_NEWPID) < 0) die("CLONE_NEWPID");
  pid_t container = fork();
  if (container < 0) die("fork");
  if (container == 0) contained(values[2], values[3]);
  if (setns(outside, CLONE_NEWPID) < 0) die("setns");
  for (char command; read(STDIN_FILENO, &command, 1) == 1;) {
    if (command != 's') continue;
    send_as_runc("asker", container, SIGTERM);
    usleep((useconds_t)strtoul(values[4], NULL, 10) * 1000);
    send_as_runc("killer", container, SIGKILL);
    if (waitpid(container, &status, 0) != container) die("waitpid");
    say("stopped", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
  return 0;
}
