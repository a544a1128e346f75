/* What every workload needs: errors that end it, names as raw bytes, and a place in a cgroup. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static inline void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(3);
}

static inline void usage(const char *text) {
  fprintf(stderr, "usage: %s\n", text);
  exit(2);
}

/* Decodes \xNN in place: a program's arguments come from node, which can only pass UTF-8. */
static inline size_t unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; to++) {
    unsigned byte;
    if (sscanf(from, "\\x%2x", &byte) == 1) {
      *to = (char)byte;
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
  return (size_t)(to - text);
}

/* Writes text to DIRECTORY/NAME (a cgroup or /proc file) in one write. */
static inline void put(const char *directory, const char *name, const char *text) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    die(directory);
  }
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0) die(path);
}

/* Moves the calling process; what it touches from now on is charged there. */
static inline void join_cgroup(const char *directory) { put(directory, "cgroup.procs", "0"); }

/* New anonymous memory, every page written; huge pages would make the size a matter of luck. */
static inline void *touch_new(size_t bytes) {
  static int ready;
  if (!ready++ && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0) die("PR_SET_THP_DISABLE");
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  for (size_t at = 0; at < bytes; at += 4096) memory[at] = 1;
  return memory;
}

/* As the machine calls it: /proc is not that of our PID namespace. */
static inline long own_pid(void) {
  char text[32] = "";
  if (readlink("/proc/self", text, sizeof text - 1) < 0) die("/proc/self");
  return strtol(text, NULL, 10);
}

/* One line to whoever started us, at once. */
static inline void say(const char *word, long number) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %ld\n", word, number);
  if (write(STDOUT_FILENO, line, (size_t)length) != length) die("stdout");
}
