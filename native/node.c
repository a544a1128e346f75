/* node.c: the node's own numbers, once a second: /proc/meminfo, /proc/pressure/memory, /proc/vmstat. */
#include "node.h"

#include <fcntl.h>
#include <string.h>

#include "row.h"
#include "sample.h"
#include "util.h"

static char text[65536];

void node_init(struct node *n, struct stream *out, bool with_psi) {
  n->out = out;
  n->meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  n->vmstat_fd = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
  n->pressure_fd = with_psi ? open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC) : -1;
}

/* "MemTotal:       24684096 kB" */
static uint64_t kib_field(const char *key) {
  uint64_t kib = 0;
  const char *at = line_after(text, key);
  if (at == NULL) return 0;
  while (*at == ' ') at++;
  parse_u64(&at, &kib);
  return kib * 1024;
}

uint64_t node_meminfo(const struct node *n, const char *key) {
  return n->meminfo_fd >= 0 && read_fd(n->meminfo_fd, text, sizeof text) > 0 ? kib_field(key) : 0;
}

static void sample_memory(struct node *n, uint64_t ts_ns) {
  static const char *const key[12] = {"MemTotal:", "MemFree:", "MemAvailable:", "Cached:", "Dirty:", "Writeback:", "AnonPages:", "Shmem:",
                                      "Slab:", "SReclaimable:", "SwapTotal:", "SwapFree:"};
  struct row row;
  if (n->meminfo_fd < 0 || read_fd(n->meminfo_fd, text, sizeof text) <= 0) return;
  n->swap_total_bytes = kib_field("SwapTotal:");
  n->available_bytes = kib_field("MemAvailable:");
  row_begin(&row, n->out, KIND_NODE_MEMORY, ts_ns);
  for (int i = 0; i < LENGTH_OF(key); i++) row_u(&row, kib_field(key[i]));
  row_end(&row);
}

static void sample_pressure(struct node *n, uint64_t ts_ns) {
  uint64_t values[4];
  struct row row;
  if (n->pressure_fd < 0 || read_fd(n->pressure_fd, text, sizeof text) <= 0 || !sample_parse_psi(text, values)) return;
  row_begin(&row, n->out, KIND_NODE_PSI, ts_ns);
  for (int i = 0; i < 4; i++) row_u(&row, values[i]);
  row_end(&row);
}

/* Sum of the lines that begin with key; ABSENT when there is none. allocstall is one line per zone. */
static uint64_t vmstat_sum(const char *key) {
  uint64_t sum = ABSENT, value;
  for (const char *at = text; (at = line_after(at, key)) != NULL;) {
    while (*at != ' ' && *at != '\n' && *at != '\0') at++;
    if (*at == ' ' && (at++, parse_u64(&at, &value))) sum = sum == ABSENT ? value : sum + value;
    at = strchr(at, '\n');
    if (at == NULL) break;
    at++;
  }
  return sum;
}

static void sample_vmstat(struct node *n, uint64_t ts_ns) {
  /* pgscan_direct_throttle begins like pgscan_direct: the space belongs to the key */
  static const char *const key[27] = {"oom_kill ", "pgscan_kswapd ", "pgscan_direct ", "pgsteal_kswapd ", "pgsteal_direct ", "allocstall", "pswpin ", "pswpout ",
                                      "pgfault ", "pgmajfault ", "workingset_refault_anon ", "workingset_refault_file ", "pgscan_direct_throttle ", "pageoutrun ", "slabs_scanned ",
                                      "compact_stall ", "compact_fail ", "compact_success ", "compact_daemon_wake ", "thp_fault_alloc ", "thp_fault_fallback ", "thp_collapse_alloc ", "thp_split_page ",
                                      "nr_kernel_stack ", "nr_page_table_pages ", "nr_unevictable ", "nr_mlock "};
  struct row row;
  /* more than a page once its numbers have grown: without the end, the last ones would be missing */
  if (n->vmstat_fd < 0 || read_fd_whole(n->vmstat_fd, text, sizeof text) <= 0) return;
  row_begin(&row, n->out, KIND_NODE_VMSTAT, ts_ns);
  for (int i = 0; i < LENGTH_OF(key); i++) {
    const char *at = line_after(text, key[i]);
    uint64_t value = ABSENT;
    if (i == 5) value = vmstat_sum(key[i]);
    else if (at != NULL) parse_u64(&at, &value);
    row_u(&row, value);
  }
  row_end(&row);
}

void node_sample(struct node *n, uint64_t ts_ns) {
  sample_memory(n, ts_ns);
  sample_pressure(n, ts_ns);
  sample_vmstat(n, ts_ns);
}
