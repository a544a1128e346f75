/* stimulus.c: what the self-test does to the kernel: a memcg of its own and a child that touches memory in it. */
#include "stimulus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protect.h"
#include "util.h"

static void file_of(const struct stimulus *s, const char *file, char path[160]) { snprintf(path, 160, "%s/%s", s->name, file); }

/* A pid of another PID namespace seems dead, too: who is at work there has a memcg that is younger than any self-test takes. */
#define LEFT_BEHIND_NS (600 * NS_PER_S)

/* "oomscope-selftest.123" or "oomscope-selftest.123.oom" of a pid that is nobody's. */
static bool is_of_the_dead(const char *name) {
  uint64_t pid;
  if (strncmp(name, STIMULUS_NAME, strlen(STIMULUS_NAME)) != 0) return false;
  name += strlen(STIMULUS_NAME);
  if (!parse_u64(&name, &pid) || pid == 0 || pid > INT_MAX || (*name != '\0' && strcmp(name, ".oom") != 0)) return false;
  return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void stimulus_clean(const struct memcgs *t, uint64_t wall_ns) {
  int fd = openat(t->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *root = fd < 0 ? NULL : fdopendir(fd);
  if (root == NULL) {
    if (fd >= 0) close(fd);
    return;
  }
  for (const struct dirent *entry; (entry = readdir(root)) != NULL;) {
    struct stat st;
    if (!is_of_the_dead(entry->d_name) || fstatat(t->root_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    uint64_t changed_ns = (uint64_t)st.st_ctim.tv_sec * NS_PER_S;
    /* one with tasks or memcgs in it refuses */
    if (changed_ns + LEFT_BEHIND_NS < wall_ns) unlinkat(t->root_fd, entry->d_name, AT_REMOVEDIR);
  }
  closedir(root);
}

int stimulus_make_memcg(struct stimulus *s, const struct memcgs *t) {
  struct stat st;
  if (mkdirat(t->root_fd, s->name, 0755) != 0) return -errno;
  if (fstatat(t->root_fd, s->name, &st, 0) != 0) return -errno;
  s->memcg_id = st.st_ino;
  return 0;
}

int stimulus_limit_memcg(const struct stimulus *s, const struct memcgs *t, const char *bytes) {
  char path[160];
  file_of(s, t->version == 2 ? "memory.max" : "memory.limit_in_bytes", path);
  int err = write_at(t->root_fd, path, bytes);
  /* no swap beside it; absent where swap accounting is off */
  file_of(s, t->version == 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", path);
  write_at(t->root_fd, path, t->version == 2 ? "0" : bytes);
  return err;
}

int stimulus_remove_memcg(const struct stimulus *s, const struct memcgs *t) {
  return unlinkat(t->root_fd, s->name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

static int join(const struct stimulus *s, const struct memcgs *t) {
  char path[160];
  if (s->memcg_id == 0) return 0;
  file_of(s, "cgroup.procs", path);
  return -write_at(t->root_fd, path, "0");
}

static int reclaim(const struct stimulus *s, const struct memcgs *t) {
  char path[160];
  if (s->memcg_id == 0) return ENOENT;
  file_of(s, t->version == 2 ? "memory.reclaim" : "memory.force_empty", path);
  int err = -write_at(t->root_fd, path, t->version == 2 ? "131072" : "0");
  /* EAGAIN: it tried and got less, for want of swap; trying is all that is asked */
  return err == EAGAIN || err == EBUSY ? 0 : err;
}

static void child_main(const struct stimulus *s, const struct memcgs *t, size_t touch_bytes, int report_fd) {
  struct stimulus_report report = {0};
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != s->parent) _exit(1);      /* it died before: nobody would end us */
  prctl(PR_SET_NAME, "oomscope-test");
  protect_child();
  signal(SIGINT, SIG_IGN);      /* a Ctrl-C is for the bridge, which kills us */
  signal(SIGTERM, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  write_at(AT_FDCWD, "/proc/self/oom_score_adj", "0");
  report.join = join(s, t);
  char *memory = mmap(NULL, touch_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED && report.join == 0)
    for (size_t at = 0; at < touch_bytes; at += 4096) ((volatile char *)memory)[at] = 1;
  report.reclaim = report.join != 0 ? report.join : reclaim(s, t);
  if (write(report_fd, &report, sizeof report) != sizeof report) _exit(1);
  for (;;) pause();
}

int stimulus_start_child(struct stimulus *s, const struct memcgs *t, size_t touch_bytes) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  s->parent = getpid();
  pid_t child = fork();
  if (child == 0) child_main(s, t, touch_bytes, fds[1]);
  int err = child < 0 ? -errno : 0;
  close(fds[1]);
  if (err != 0) {
    close(fds[0]);
    return err;
  }
  s->child = child;
  s->report_fd = fds[0];
  return 0;
}

int stimulus_read_report(struct stimulus *s, struct stimulus_report *report) {
  if (s->report_fd < 0) return 0;
  ssize_t n = read(s->report_fd, report, sizeof *report);
  if (n < 0 && errno == EAGAIN) return 0;
  close(s->report_fd);
  s->report_fd = -1;
  /* it ended without a word */
  if (n != sizeof *report) *report = (struct stimulus_report){.join = ECHILD, .reclaim = ECHILD};
  return 1;
}
