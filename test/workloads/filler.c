/* filler: writes a file bigger than its cgroup's limit, so that page cache is reclaimed; each part is on disk before the next, so that nobody must die for it. */
#include "common.h"

int main(int count, char **values) {
  if (count != 4) usage("filler DIR FILE MIB");
  join_cgroup(values[1]);
  int fd = open(values[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) die(values[2]);
  char *part = touch_new(1 << 20);
  for (unsigned long i = strtoul(values[3], NULL, 10); i > 0; i--)
    if (write(fd, part, 1 << 20) != 1 << 20 || fdatasync(fd) < 0) die(values[2]);
  say("filled", getpid());
  return close(fd) < 0 ? 3 : 0;
}
