/* killer: sends SIGKILL to PID, with a comm of its own by which the sender can be recognised. */
#include "common.h"
#include <signal.h>

int main(int count, char **values) {
  if (count != 2) usage("killer PID");
  if (kill((pid_t)strtol(values[1], NULL, 10), SIGKILL) < 0) die("kill");
  say("killed", getpid());
  return 0;
}
