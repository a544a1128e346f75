/* options.h: the bridge's command line. */
#ifndef OOMSCOPE_OPTIONS_H
#define OOMSCOPE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
  const char *bpftrace, *script, *lines;      /* NULL: not given */
  const char *selftest;                       /* names joined by commas, "" for none */
  const char *memcg_root;                     /* NULL: found in mountinfo */
  int memcg_version;
  uint64_t stall_ns, sample_ms, slow_ms, keyframe_ms, ring_bytes, max_memcgs, max_processes;
  uint64_t budget_centi;                      /* of sampling: per cent of one core, times 100 */
  bool no_kmsg, no_psi, no_memcg, numa, dump_schema, helper_errors;
};

extern const char options_usage[];

/* False, after one line on stderr, when the arguments are wrong. */
bool options_parse(struct options *o, int argc, char **argv);

#endif
