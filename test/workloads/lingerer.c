/*
 * lingerer: a process in the cgroup DIR that has MIB of memory and is dying: killed, and held by its tracer just before it gives its memory
 * back (PTRACE_EVENT_EXIT). Says `ready PID` when it is held there. The tracer is not in the cgroup; at the end of stdin it lets go.
 */
#include "common.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static void live(const char *directory, size_t bytes) {
  join_cgroup(directory);
  put("/proc/self", "oom_score_adj", "0");
  if (prctl(PR_SET_NAME, "leaving", 0, 0, 0) < 0) die("PR_SET_NAME");
  touch_new(bytes);
  if (raise(SIGSTOP) != 0) die("SIGSTOP");
  for (;;) pause();
}

int main(int count, char **values) {
  int status;
  if (count != 3) usage("lingerer DIR MIB");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) live(values[1], strtoul(values[2], NULL, 10) << 20);
  if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) die("waitpid");
  if (ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACEEXIT) < 0 || kill(child, SIGKILL) < 0) die("ptrace");
  if (waitpid(child, &status, 0) != child || status >> 8 != (SIGTRAP | (PTRACE_EVENT_EXIT << 8))) die("PTRACE_EVENT_EXIT");
  say("killer", getpid());
  say("ready", child);
  for (char command; read(STDIN_FILENO, &command, 1) == 1;) continue;
  /* Its memory may be gone by now, and with it everything that could refuse to go on. */
  if (ptrace(PTRACE_CONT, child, 0, 0) < 0 || waitpid(child, &status, 0) != child) die("PTRACE_CONT");
  return 0;
}
