/* pause: the first process of a pod: does nothing, and leaves no child of its pod unburied. */
#include "common.h"
#include <signal.h>
#include <sys/wait.h>

static void leave(int unused) {
  (void)unused;
  _exit(0);
}

static void bury(int unused) {
  (void)unused;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

int main(void) {
  if (signal(SIGINT, leave) == SIG_ERR || signal(SIGTERM, leave) == SIG_ERR || signal(SIGCHLD, bury) == SIG_ERR) die("signal");
  for (;;) pause();
}
