/*
 * spiker: COUNT spikes of 5 to 500 ms at random times in one memcg, each measured by the kernel's own files. Says `ready PID`, begins when
 * told `g`, and at the end writes one line a spike to OUT:
 *   before touched top peak exact mark-before mark-after start end
 * bytes and CLOCK_MONOTONIC ns. `peak` is the kernel's exact highest usage of the spike where memory.peak can be reset per descriptor
 * (exact 1), else the mark. Nothing is written before the end: it would be charged to the same memcg.
 */
#include "common.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MAX_SPIKES 1000
#define MIB (1024.0 * 1024.0)
#define HUGE_PAGE (2ul << 20)

static struct spike { uint64_t before, touched, top, peak, exact, mark_before, mark_after, start, end; } spikes[MAX_SPIKES];

static uint64_t state;

/* xorshift64*, 0 ≤ value < 1 */
static double chance(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (double)((state * 2685821657736338717ull) >> 11) / 9007199254740992.0;
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void rest_ms(double ms) {
  struct timespec t = {(time_t)(ms / 1e3), (long)(fmod(ms, 1e3) * 1e6)};
  while (nanosleep(&t, &t) < 0 && errno == EINTR) continue;
}

static int open_in(const char *directory, const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return open(path, flags | O_CLOEXEC);
}

/* 0 where the kernel has no such file */
static uint64_t number(int fd) {
  char text[64];
  ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (n <= 0) return 0;
  text[n] = '\0';
  return strtoull(text, NULL, 10);
}

static struct { int current, mark, window; } files;

static void open_files(const char *directory) {
  files.current = open_in(directory, "memory.current", O_RDONLY);
  if (files.current < 0) {
    files.current = open_in(directory, "memory.usage_in_bytes", O_RDONLY);
    files.mark = open_in(directory, "memory.max_usage_in_bytes", O_RDONLY);
    files.window = -1;
  } else {
    files.mark = open_in(directory, "memory.peak", O_RDONLY);
    files.window = open_in(directory, "memory.peak", O_RDWR);
  }
  if (files.current < 0) die(directory);
}

static void spike(struct spike *s) {
  double ms = 5 * pow(100, chance());
  /* touching takes time as well: a short one is a small one, of huge pages where there are any */
  bool is_short = ms < 60;
  size_t bytes = is_short ? 3 * HUGE_PAGE : (size_t)((5 + chance() * 30) * MIB) & ~4095ul;
  s->touched = bytes;
  s->before = number(files.current);
  s->mark_before = number(files.mark);
  s->exact = files.window >= 0 && pwrite(files.window, "0\n", 2, 0) == 2;
  s->start = now_ns();
  char *memory = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) die("mmap");
  char *aligned = (char *)(((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
  /* a huge page at the end would be more than what is touched */
  madvise(aligned, bytes, is_short ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  for (size_t at = 0; at < bytes; at += 4096) aligned[at] = 1;
  s->top = number(files.current);
  double spent_ms = (double)(now_ns() - s->start) / 1e6;
  if (spent_ms < ms) rest_ms(ms - spent_ms);
  if (munmap(memory, bytes + HUGE_PAGE) < 0) die("munmap");
  s->end = now_ns();
  s->mark_after = number(files.mark);
  s->peak = s->exact ? number(files.window) : s->mark_after;
}

int main(int count, char **values) {
  if (count != 5) usage("spiker CGROUP SEED COUNT OUT");
  int wanted = atoi(values[3]);
  if (wanted < 1 || wanted > MAX_SPIKES) usage("1 to 1000 spikes");
  state = strtoull(values[2], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
  unescape(values[1]);
  join_cgroup(values[1]);
  open_files(values[1]);
  void *base = touch_new((size_t)(8 * MIB));
  /* touch_new() did without huge pages; while khugepaged made some of these, both would be charged */
  madvise(base, (size_t)(8 * MIB), MADV_NOHUGEPAGE);
  if (prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) < 0) die("PR_SET_THP_DISABLE");
  say("ready", getpid());
  char command;
  if (read(STDIN_FILENO, &command, 1) != 1) return 0;
  rest_ms(2500 + 1000 * chance());
  for (int i = 0; i < wanted; i++) {
    spike(&spikes[i]);
    /* a quiet memcg is looked at once a second: two spikes between two looks would be one */
    rest_ms(1800 + 1400 * chance());
  }
  FILE *out = fopen(values[4], "w");
  if (out == NULL) die(values[4]);
  for (int i = 0; i < wanted; i++) {
    const struct spike *s = &spikes[i];
    fprintf(out, "%llu %llu %llu %llu %llu %llu %llu %llu %llu\n", (unsigned long long)s->before, (unsigned long long)s->touched, (unsigned long long)s->top, (unsigned long long)s->peak,
            (unsigned long long)s->exact, (unsigned long long)s->mark_before, (unsigned long long)s->mark_after, (unsigned long long)s->start, (unsigned long long)s->end);
  }
  if (fclose(out) != 0) die(values[4]);
  say("done", wanted);
  /* stays until told: its end would be the fall of one more */
  while (read(STDIN_FILENO, &command, 1) == 1) continue;
  return 0;
}
