/* hello.c: what the stream says about itself: hello, schema, clock and cost rows. */
#include "hello.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "row.h"
#include "util.h"

static void say_schema(struct stream *out, const struct kind *kind, uint64_t ts_ns) {
  char names[KIND_FIELDS_MAX * 25] = "";
  size_t length = 0;
  for (int i = 0; i < kind->count; i++)
    length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : " ", kind->field[i]);
  struct row row;
  row_begin(&row, out, KIND_SCHEMA, ts_ns);
  row_u(&row, kind->number);
  row_text(&row, kind->name);
  row_bytes(&row, names, length);
  row_end(&row);
}

void hello_say(struct stream *out, const struct node *node, const struct hello_options *options) {
  struct utsname name = {0};
  char boot_id[64] = "";
  struct clock_lead lead = clock_lead_read();
  uint64_t ts_ns = now_ns();
  struct row row;
  uname(&name);
  if (read_path("/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id) > 0) boot_id[strcspn(boot_id, "\n")] = '\0';
  row_begin(&row, out, KIND_HELLO, ts_ns);
  row_u(&row, FORMAT_VERSION);
  row_text(&row, BRIDGE_VERSION);
  row_u(&row, (ts_ns + lead.wall_ns) / NS_PER_MS);
  row_u(&row, ts_ns + lead.boot_ns);
  row_text(&row, boot_id);
  row_text(&row, name.release);
  row_text(&row, name.machine);
  row_text(&row, name.nodename);
  row_u(&row, (uint64_t)sysconf(_SC_PAGESIZE));
  row_u(&row, (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
  row_u(&row, node_meminfo(node, "MemTotal:"));
  row_u(&row, node_meminfo(node, "SwapTotal:"));
  row_text(&row, options->memcg_version);
  row_text(&row, options->memcg_root);
  row_u(&row, options->sample_period_ns);
  row_u(&row, options->stall_ns);
  row_end(&row);
  const struct kind *kind;
  for (int i = 0; (kind = event_kind_at(i)) != NULL; i++) say_schema(out, kind, ts_ns);
}

void hello_clock(struct stream *out) {
  struct clock_lead lead = clock_lead_read();
  struct row row;
  uint64_t ts_ns = now_ns();
  row_begin(&row, out, KIND_CLOCK, ts_ns);
  row_u(&row, (ts_ns + lead.wall_ns) / NS_PER_MS);
  row_u(&row, ts_ns + lead.boot_ns);
  row_end(&row);
}

/* ── clocks ────────────────────────────────────────────────────────────────── */

#define TOGETHER_NS (100 * 1000ull)
#define TRIES 10
#define JUMP_NS (500 * NS_PER_MS)

/* Read at one moment: again when the thread lost the CPU between them. */
struct clock_lead clock_lead_read(void) {
  for (int tries = 1;; tries++) {
    uint64_t before = now_ns(), boot = clock_read_ns(CLOCK_BOOTTIME), wall = clock_read_ns(CLOCK_REALTIME);
    if (now_ns() - before < TOGETHER_NS || tries == TRIES) return (struct clock_lead){.boot_ns = boot - before, .wall_ns = wall - before};
  }
}

/* Either may be ahead: the numbers wrap. */
static bool is_apart(uint64_t a, uint64_t b) { return a - b > JUMP_NS && b - a > JUMP_NS; }

bool clock_jumped(struct clock_lead *before, struct clock_lead now) {
  bool has_jumped = is_apart(before->boot_ns, now.boot_ns) || is_apart(before->wall_ns, now.wall_ns);
  *before = now;
  return has_jumped;
}

/* ── cost ──────────────────────────────────────────────────────────────────── */

void cost_init(struct cost *c) {
  memset(c, 0, sizeof *c);
  c->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  c->tracer_statm_fd = -1;
}

/* /proc/PID/statm: total and resident pages */
static uint64_t resident_bytes(int fd) {
  char text[128];
  uint64_t total, resident;
  const char *at = text;
  if (fd < 0 || read_fd(fd, text, sizeof text) <= 0 || !parse_u64(&at, &total) || *at++ != ' ' || !parse_u64(&at, &resident)) return ABSENT;
  return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void follow_tracer(struct cost *c, int pid) {
  char path[48];
  if (pid == c->tracer_pid) return;
  if (c->tracer_statm_fd >= 0) close(c->tracer_statm_fd);
  c->tracer_statm_fd = -1;
  c->tracer_pid = pid;
  if (pid == 0) return;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  c->tracer_statm_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* CPU time of the reading children together; one that has ended counts as it was seen last. */
static uint64_t reader_cpu_ns(struct cost *c) {
  clockid_t clock;
  if (c->reader_pid != c->read_pid) {
    c->readers_ns += c->reader_ns;
    c->reader_ns = 0;
    c->read_pid = c->reader_pid;
  }
  uint64_t ns = c->reader_pid != 0 && clock_getcpuclockid(c->reader_pid, &clock) == 0 ? clock_read_ns(clock) : 0;
  if (ns > c->reader_ns) c->reader_ns = ns;
  return c->readers_ns + c->reader_ns;
}

void cost_say(struct cost *c, struct stream *out, int tracer_pid) {
  clockid_t clock;
  uint64_t rss = resident_bytes(c->statm_fd), tracer_cpu = ABSENT, reader = reader_cpu_ns(c);
  follow_tracer(c, tracer_pid);
  if (tracer_pid != 0 && clock_getcpuclockid(tracer_pid, &clock) == 0) tracer_cpu = clock_read_ns(clock);
  if (tracer_cpu == 0) tracer_cpu = ABSENT;    /* it ended between the two calls */
  struct row row;
  row_begin(&row, out, KIND_COST, now_ns());
  row_u(&row, clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) + reader);
  row_u(&row, rss == ABSENT ? 0 : rss);
  row_u(&row, tracer_cpu);
  row_u(&row, resident_bytes(c->tracer_statm_fd));
  row_u(&row, c->lines);
  row_u(&row, out->rows + 1);      /* this one included */
  row_u(&row, out->bytes);
  row_u(&row, c->memcgs);
  row_u(&row, c->open_files);
  row_end(&row);
}
