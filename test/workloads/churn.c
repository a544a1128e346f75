/* churn: COUNT memcgs below DIR, one every PERIOD ms, each with a process that takes BYTES and lives between LEAST and MOST ms; says of each its id, when it came and went (CLOCK_MONOTONIC, ns), and its peak. */
#include "common.h"
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define LIVES_MAX 4096

struct life {
  pid_t pid;
  uint64_t id, born_ns, end_ns;
  char path[512];
};

static struct life lives[LIVES_MAX];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns) {
  struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static void begin(struct life *life, const char *parent, long i, size_t bytes) {
  struct stat st;
  if (snprintf(life->path, sizeof life->path, "%s/c%ld", parent, i) >= (int)sizeof life->path) usage("a shorter DIR");
  life->born_ns = now_ns();
  if (mkdir(life->path, 0755) < 0 || stat(life->path, &st) < 0 || (life->pid = fork()) < 0) die(life->path);
  life->id = st.st_ino;
  if (life->pid > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  join_cgroup(life->path);
  touch_new(bytes);
  for (;;) pause();
}

/* The high-water mark on v1 or v2; 0 where there is none. */
static uint64_t peak_of(const char *directory) {
  static const char *const name[] = {"memory.peak", "memory.max_usage_in_bytes"};
  char path[600], text[32] = "0";
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", directory, name[i]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    if (read(fd, text, sizeof text - 1) < 0) die(path);
    close(fd);
  }
  return strtoull(text, NULL, 10);
}

static void end(struct life *life) {
  uint64_t peak = peak_of(life->path);
  if (kill(life->pid, SIGKILL) < 0 || waitpid(life->pid, NULL, 0) < 0) die("kill");
  while (rmdir(life->path) < 0)
    if (errno != EBUSY) die(life->path);
  printf("life %llu %llu %llu %llu\n", (unsigned long long)life->id, (unsigned long long)life->born_ns, (unsigned long long)now_ns(), (unsigned long long)peak);
  life->pid = 0;
}

int main(int count, char **values) {
  uint64_t seed = 1;
  char go;
  if (count != 7) usage("churn DIR COUNT PERIOD_MS LEAST_MS MOST_MS BYTES");
  long wanted = strtol(values[2], NULL, 10), alive = 0, made = 0;
  uint64_t period_ns = strtoull(values[3], NULL, 10) * 1000000u, least_ns = strtoull(values[4], NULL, 10) * 1000000u, most_ns = strtoull(values[5], NULL, 10) * 1000000u;
  size_t bytes = strtoull(values[6], NULL, 10);
  if (read(STDIN_FILENO, &go, 1) != 1) return 0;
  for (uint64_t next = now_ns(); made < wanted || alive > 0;) {
    uint64_t now = now_ns(), wake = made < wanted ? next : UINT64_MAX;
    struct life *free_life = NULL;
    for (int i = 0; i < LIVES_MAX; i++) {
      if (lives[i].pid != 0 && lives[i].end_ns <= now) {
        end(&lives[i]);
        alive--;
      }
      if (lives[i].pid == 0) free_life = free_life == NULL ? &lives[i] : free_life;
      else if (lives[i].end_ns < wake) wake = lives[i].end_ns;
    }
    if (made < wanted && now >= next && free_life != NULL) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      begin(free_life, values[1], made++, bytes);
      free_life->end_ns = free_life->born_ns + least_ns + (seed >> 33) % (most_ns - least_ns + 1);
      next += period_ns;
      alive++;
      continue;
    }
    if (wake != UINT64_MAX) sleep_until(wake);
  }
  printf("done %ld\n", made);
  return 0;
}
