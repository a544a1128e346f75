/*
 * actor: a container's program that plays what $ACTS says, act by act, and then serves until it is told to stop:
 *   grow:MIB:MS   takes memory evenly over that time and keeps it
 *   spike:MIB:MS  takes memory, gives it back after that time
 *   rest:MS
 * Its name is that of its file. As the first process of a container it ignores SIGTERM, as every program does there that does not handle it (pid_namespaces(7)).
 */
#include "common.h"
#include <time.h>

#define STEP_BYTES (256ul << 10)

static void rest_us(double us) {
  struct timespec left = {(time_t)(us / 1e6), (long)(us - 1e6 * (double)(time_t)(us / 1e6)) * 1000};
  while (nanosleep(&left, &left) < 0 && errno == EINTR) continue;
}

static void grow(size_t bytes, double ms) {
  for (size_t have = 0; have < bytes; have += STEP_BYTES) {
    touch_new(STEP_BYTES);
    rest_us(ms * 1000 * STEP_BYTES / (double)bytes);
  }
}

static void spike(size_t bytes, double ms) {
  void *memory = touch_new(bytes);
  rest_us(ms * 1000);
  if (munmap(memory, bytes) < 0) die("munmap");
}

static void play(char *act) {
  unsigned long mib = 0;
  double ms = 0;
  if (sscanf(act, "grow:%lu:%lf", &mib, &ms) == 2) grow(mib << 20, ms);
  else if (sscanf(act, "spike:%lu:%lf", &mib, &ms) == 2) spike(mib << 20, ms);
  else if (sscanf(act, "rest:%lf", &ms) == 1) rest_us(ms * 1000);
  else usage("ACTS='grow:MIB:MS spike:MIB:MS rest:MS …' actor");
}

int main(void) {
  char *acts = getenv("ACTS");
  for (char *act = acts == NULL ? NULL : strtok(acts, " "); act != NULL; act = strtok(NULL, " ")) play(act);
  for (;;) pause();
}
