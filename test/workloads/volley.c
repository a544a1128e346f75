/* volley: sends itself COUNT SIGTERMs that it ignores, as fast as the kernel takes them, each time it reads a byte. */
#include "common.h"
#include <signal.h>

int main(int count, char **values) {
  if (count != 2) usage("volley COUNT");
  long wanted = strtol(values[1], NULL, 10);
  signal(SIGTERM, SIG_IGN);
  say("ready", getpid());
  for (char command; read(STDIN_FILENO, &command, 1) == 1;) {
    for (long i = 0; i < wanted; i++)
      if (kill(getpid(), SIGTERM) < 0) die("kill");
    say("sent", wanted);
  }
  return 0;
}
