/* herd: one process in each of COUNT new memcgs below DIR, each of which takes and gives back memory every PERIOD ms, so that no usage ever rests. Removes them at the end of stdin. */
#include "common.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void path_of(char path[4096], const char *parent, long i) {
  if (snprintf(path, 4096, "%s/m%ld", parent, i) >= 4096) usage("a shorter DIR");
}

/* Sizes differ from step to step and from neighbour to neighbour: what is kept per CPU (memcg_stock) hides small ones. */
static void graze(long i, useconds_t period_us) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  usleep((useconds_t)(i * 7919 % 1000) * (period_us / 1000));
  for (long step = i;; step++) {
    size_t bytes = (size_t)(1 + step * 5 % 16) * 4096;
    void *memory = touch_new(bytes);
    usleep(period_us / 2);
    munmap(memory, bytes);
    usleep(period_us / 2);
  }
}

int main(int count, char **values) {
  if (count != 4) usage("herd DIR COUNT PERIOD_MS");
  long wanted = strtol(values[2], NULL, 10);
  pid_t *children = calloc((size_t)wanted, sizeof *children);
  char path[4096], end;
  if (children == NULL) die("calloc");
  for (long i = 0; i < wanted; i++) {
    path_of(path, values[1], i);
    if (mkdir(path, 0755) < 0 || (children[i] = fork()) < 0) die(path);
    if (children[i] > 0) continue;
    join_cgroup(path);
    graze(i, (useconds_t)strtoul(values[3], NULL, 10) * 1000);
  }
  say("grazing", wanted);
  while (read(STDIN_FILENO, &end, 1) == 1) continue;
  for (long i = 0; i < wanted; i++) kill(children[i], SIGKILL);
  while (wait(NULL) > 0) continue;
  for (long i = 0; i < wanted; i++) {
    path_of(path, values[1], i);
    rmdir(path);
  }
  return 0;
}
