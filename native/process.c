/* process.c: /proc/PID/status and stat. Only files that take no lock of the process: a reader of cmdline or environ may hang with it. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "util.h"

long process_read(int proc_fd, uint32_t pid, const char *file, char *text, size_t capacity) {
  char path[64];
  snprintf(path, sizeof path, "%u/%s", pid, file);
  int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t n = read_fd(fd, text, capacity);
  close(fd);
  return n;
}

/* The kernel escapes only these two in Name: (fs/proc/array.c proc_task_name). */
static void read_comm(const char *at, char comm[COMM_SIZE]) {
  int length = 0;
  for (; *at != '\n' && *at != '\0' && length < COMM_SIZE - 1; at++) {
    bool is_escaped = *at == '\\' && (at[1] == 'n' || at[1] == '\\');
    if (is_escaped) at++;
    comm[length++] = is_escaped && *at == 'n' ? '\n' : *at;
  }
  comm[length] = '\0';
}

/* The number behind a key at or after *at, which moves there: the kernel writes the lines in one order. ABSENT: there is none. */
static uint64_t number_after(const char **at, const char *key) {
  const char *found = line_after(*at, key);
  uint64_t value = ABSENT;
  if (found == NULL) return ABSENT;
  found += strspn(found, " \t");
  if (parse_u64(&found, &value)) *at = found;
  return value;
}

bool process_parse_status(const char *text, struct process_status *s) {
  /* in the order of the file: anon file shmem are between VmHWM and VmPTE */
  static const struct { const char *key; enum process_value value; } memory[PROCESS_VALUES] = {
    {"VmHWM:", PROCESS_PEAK}, {"RssAnon:", PROCESS_ANON}, {"RssFile:", PROCESS_FILE}, {"RssShmem:", PROCESS_SHMEM}, {"VmPTE:", PROCESS_PGTABLES}, {"VmSwap:", PROCESS_SWAP}};
  const char *at = text, *name = line_after(text, "Name:\t");
  *s = (struct process_status){0};
  if (name == NULL) return false;
  read_comm(name, s->comm);
  uint64_t ppid = number_after(&at, "PPid:"), uid = number_after(&at, "Uid:"), kernel = number_after(&at, "Kthread:");
  if (ppid == ABSENT || uid == ABSENT) return false;
  s->ppid = (uint32_t)ppid;
  s->uid = (uint32_t)uid;
  for (int i = 0; i < PROCESS_VALUES; i++) {
    uint64_t kib = number_after(&at, memory[i].key);
    s->value[memory[i].value] = kib == ABSENT ? ABSENT : kib * 1024;
  }
  s->has_memory = s->value[PROCESS_ANON] != ABSENT && s->value[PROCESS_FILE] != ABSENT && s->value[PROCESS_SHMEM] != ABSENT && s->value[PROCESS_PGTABLES] != ABSENT;
  if (s->value[PROCESS_SWAP] == ABSENT) s->value[PROCESS_SWAP] = 0;     /* a kernel without swap */
  uint64_t threads = number_after(&at, "Threads:");
  s->threads = threads == ABSENT ? 1 : (uint32_t)threads;
  /* told since 6.9; before, children of kthreadd have the parent 2, also in the host's PID namespace only */
  s->is_kernel = !s->has_memory && (kernel == 1 || (kernel == ABSENT && ppid == 2));
  return true;
}

uint64_t process_parse_start(const char *text) {
  /* "pid (comm) state ppid …": comm may hold any byte, so the last ')' ends it */
  const char *at = strrchr(text, ')');
  uint64_t ticks, per_second = (uint64_t)sysconf(_SC_CLK_TCK);
  for (int field = 2; at != NULL && field < 22; field++) {
    at = strchr(at, ' ');
    if (at != NULL) at++;
  }
  if (at == NULL || !parse_u64(&at, &ticks) || ticks > UINT64_MAX / NS_PER_S) return 0;
  return ticks * (NS_PER_S / per_second);
}
