/* reader: reads a file that the page cache does not hold, so that its cgroup is charged for it; says `uncached PAGES` first, as far as the cache let go of it. */
#include "common.h"
#include <sys/stat.h>

/* How many pages of the file the cache does not hold. */
static long uncached(int fd, size_t bytes) {
  size_t pages = (bytes + 4095) / 4096;
  unsigned char *held = malloc(pages);
  void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (held == NULL || map == MAP_FAILED || mincore(map, bytes, held) < 0) die("mincore");
  long count = 0;
  for (size_t i = 0; i < pages; i++) count += !(held[i] & 1);
  munmap(map, bytes);
  free(held);
  return count;
}

int main(int count, char **values) {
  static char part[1 << 20];
  struct stat file;
  ssize_t n;
  if (count != 3) usage("reader DIR FILE");
  int fd = open(values[2], O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &file) < 0) die(values[2]);
  errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  if (errno != 0) die("posix_fadvise");
  say("uncached", (int)uncached(fd, (size_t)file.st_size));
  join_cgroup(values[1]);
  while ((n = read(fd, part, sizeof part)) > 0) continue;
  return n < 0 ? 3 : 0;
}
