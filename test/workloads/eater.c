/* eater: a container's program, without a hand on it: waits, touches memory, and stays. With --child a child does the eating and the first process stays. */
#include "common.h"
#include <getopt.h>
#include <sys/wait.h>

static size_t bytes;
static useconds_t delay_us;

static void eat(void) {
  if (delay_us > 0) usleep(delay_us);
  for (size_t have = 0; have < bytes; have += 64 << 10) touch_new(64 << 10);
  for (;;) pause();
}

int main(int count, char **values) {
  static const struct option known[] = {{"mib", 1, 0, 'm'}, {"after-ms", 1, 0, 'a'}, {"child", 0, 0, 'c'}, {0, 0, 0, 0}};
  int in_child = 0;
  for (int option; (option = getopt_long(count, values, "", known, NULL)) != -1;) {
    switch (option) {
      case 'm': bytes = strtoul(optarg, NULL, 10) << 20; break;
      case 'a': delay_us = (useconds_t)strtoul(optarg, NULL, 10) * 1000; break;
      case 'c': in_child = 1; break;
      default: usage("eater [--mib N] [--after-ms MS] [--child]");
    }
  }
  if (in_child) {
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child > 0) {
      if (waitpid(child, NULL, 0) != child) die("waitpid");
      for (;;) pause();
    }
  }
  eat();
}
