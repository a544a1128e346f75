/* killer: sends SIGKILL to PID, from the cgroup DIR if there is one, with a comm of its own by which the sender can be recognised. */
#include "common.h"
#include <signal.h>

int main(int count, char **values) {
  if (count != 2 && count != 3) usage("killer PID [DIR]");
  if (count == 3) join_cgroup(values[2]);
  if (kill((pid_t)strtol(values[1], NULL, 10), SIGKILL) < 0) die("kill");
  say("killed", getpid());
  return 0;
}
