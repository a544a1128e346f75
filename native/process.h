/* process.h: one process as /proc tells it without waiting for anybody: the counters that oom_badness() adds up, and who it is. */
#ifndef OOMSCOPE_PROCESS_H
#define OOMSCOPE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMM_SIZE 16          /* TASK_COMM_LEN */

/* Rows of process_memory: bytes. */
enum process_value { PROCESS_ANON, PROCESS_FILE, PROCESS_SHMEM, PROCESS_SWAP, PROCESS_PGTABLES, PROCESS_PEAK, PROCESS_VALUES };

struct process_status {
  uint32_t ppid, uid, threads;
  bool is_kernel;             /* a kernel thread */
  bool has_memory;            /* false: a zombie, or a kernel thread */
  uint64_t value[PROCESS_VALUES];    /* PROCESS_PEAK may be ABSENT */
  char comm[COMM_SIZE];
};

/* /proc/PID/status. False when it is something else. */
bool process_parse_status(const char *text, struct process_status *status);
/* /proc/PID/stat: when the process began, ns since boot; 0 when it is something else. */
uint64_t process_parse_start(const char *text);
/* Reads a file of /proc/PID. Length or -errno. */
long process_read(int proc_fd, uint32_t pid, const char *file, char *text, size_t capacity);

#endif
