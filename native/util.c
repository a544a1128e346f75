/* util.c: clocks, numbers, file reading and memory that every part of the bridge shares. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_read_ns(int clock_id) {
  struct timespec t = {0};
  clock_gettime(clock_id, &t);
  return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void) { return clock_read_ns(CLOCK_MONOTONIC); }

static bool sealed;

void *reserve(size_t bytes) {
  if (sealed) return NULL;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  /* no child needs it, and would keep a second copy of what changes */
  madvise(memory, bytes, MADV_DONTFORK);
  return memory;
}

void reserve_seal(void) { sealed = true; }

bool parse_u64(const char **at, uint64_t *value) {
  const char *p = *at;
  uint64_t v = 0;
  if (*p < '0' || *p > '9') return false;
  for (; *p >= '0' && *p <= '9'; p++)
    if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v)) return false;
  *at = p;
  *value = v;
  return true;
}

ssize_t read_fd(int fd, char *text, size_t capacity) {
  ssize_t n = pread(fd, text, capacity - 1, 0);
  if (n < 0) return -errno;
  text[n] = '\0';
  return n;
}

ssize_t read_fd_whole(int fd, char *text, size_t capacity) {
  size_t length = 0;
  ssize_t n = 0;
  while (length < capacity - 1 && (n = pread(fd, text + length, capacity - 1 - length, (off_t)length)) > 0) length += (size_t)n;
  int err = n < 0 ? -errno : 0;
  text[length] = '\0';
  return err != 0 ? err : (ssize_t)length;
}

ssize_t read_path(const char *path, char *text, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  /* mountinfo is longer than a page on a node with containers */
  ssize_t length = read_fd_whole(fd, text, capacity);
  close(fd);
  return length;
}

void read_lines(int fd, const struct line_reader *r) {
  size_t length = 0;
  off_t at = 0;
  ssize_t n;
  bool skipping = false;
  while (fd >= 0 && (n = pread(fd, r->text + length, r->capacity - 1 - length, at)) > 0) {
    char *line = r->text, *end;
    at += n;
    length += (size_t)n;
    r->text[length] = '\0';
    while ((end = memchr(line, '\n', (size_t)(r->text + length - line))) != NULL) {
      *end = '\0';
      if (!skipping) r->line(r->context, line);
      skipping = false;
      line = end + 1;
    }
    length -= (size_t)(line - r->text);
    memmove(r->text, line, length);
    if (length == r->capacity - 1) {
      skipping = true;
      length = 0;
    }
  }
}

int write_at(int dir_fd, const char *path, const char *text) {
  int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
  close(fd);
  return err;
}

void text_clean(char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) text[i] = ' ';
}

const char *line_after(const char *text, const char *key) {
  size_t length = strlen(key);
  for (const char *line = text; line != NULL && *line != '\0';) {
    if (strncmp(line, key, length) == 0) return line + length;
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  return NULL;
}
