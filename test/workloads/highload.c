/* highload: goes over memory.high again and again (touches MIB and gives it back, ROUNDS times), which the kernel answers with reclaim and sleep, never with a kill. */
#include "common.h"

int main(int count, char **values) {
  if (count != 4) usage("highload DIR MIB ROUNDS");
  join_cgroup(values[1]);
  size_t bytes = strtoul(values[2], NULL, 10) << 20;
  for (unsigned long i = strtoul(values[3], NULL, 10); i > 0; i--)
    if (munmap(touch_new(bytes), bytes) < 0) die("munmap");
  say("done", getpid());
  return 0;
}
