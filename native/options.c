/* options.c: the bridge's command line. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

const char options_usage[] =
  "usage: oomscope-bridge [--bpftrace PATH --script FILE | --lines FILE] [--helper-errors] [--stall-ns N] [--selftest a,b,c]\n"
  "         [--sample-ms 100] [--slow-ms 1000] [--budget-centi 200] [--keyframe-ms 10000] [--ring-bytes 16777216]\n"
  "         [--max-memcgs 16384] [--max-processes 8192] [--memcg-root DIR --memcg-version v1|v2] [--numa] [--no-kmsg] [--no-psi] [--no-memcg] | --dump-schema\n";

static const struct option long_options[] = {
  {"bpftrace", required_argument, NULL, 'b'}, {"script", required_argument, NULL, 's'}, {"lines", required_argument, NULL, 'l'},
  {"stall-ns", required_argument, NULL, 'n'}, {"selftest", required_argument, NULL, 't'}, {"sample-ms", required_argument, NULL, 'f'},
  {"slow-ms", required_argument, NULL, 'w'}, {"budget-centi", required_argument, NULL, 'c'},
  {"keyframe-ms", required_argument, NULL, 'k'}, {"ring-bytes", required_argument, NULL, 'r'},
  {"max-memcgs", required_argument, NULL, 'm'}, {"max-processes", required_argument, NULL, 'p'}, {"memcg-root", required_argument, NULL, 'd'}, {"memcg-version", required_argument, NULL, 'v'},
  {"no-kmsg", no_argument, NULL, 'K'}, {"no-psi", no_argument, NULL, 'P'}, {"no-memcg", no_argument, NULL, 'M'},
  {"numa", no_argument, NULL, 'N'}, {"helper-errors", no_argument, NULL, 'H'}, {"dump-schema", no_argument, NULL, 'D'}, {NULL, 0, NULL, 0},
};

/* A whole decimal number within bounds. */
static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *value) {
  return parse_u64(&text, value) && *text == '\0' && *value >= min && *value <= max;
}

static bool take(struct options *o, int option) {
  switch (option) {
    case 'b': o->bpftrace = optarg; return true;
    case 's': o->script = optarg; return true;
    case 'l': o->lines = optarg; return true;
    case 't': o->selftest = optarg; return true;
    case 'd': o->memcg_root = optarg; return true;
    case 'v': o->memcg_version = strcmp(optarg, "v1") == 0 ? 1 : strcmp(optarg, "v2") == 0 ? 2 : 0; return o->memcg_version != 0;
    case 'n': return number(optarg, 0, INT64_MAX, &o->stall_ns);
    case 'f': return number(optarg, 1, 60000, &o->sample_ms);
    case 'w': return number(optarg, 1, 600000, &o->slow_ms);
    case 'c': return number(optarg, 1, 10000, &o->budget_centi);
    case 'k': return number(optarg, 100, 3600000, &o->keyframe_ms);
    case 'r': return number(optarg, 1, 1ull << 32, &o->ring_bytes);
    case 'm': return number(optarg, 1, 1 << 20, &o->max_memcgs);
    case 'p': return number(optarg, 0, 1 << 20, &o->max_processes);
    case 'K': o->no_kmsg = true; return true;
    case 'P': o->no_psi = true; return true;
    case 'M': o->no_memcg = true; return true;
    case 'N': o->numa = true; return true;
    case 'H': o->helper_errors = true; return true;
    case 'D': o->dump_schema = true; return true;
    default: return false;
  }
}

bool options_parse(struct options *o, int argc, char **argv) {
  int option, position = -1;
  *o = (struct options){.bpftrace = "bpftrace", .selftest = "", .stall_ns = 10000000, .sample_ms = 100, .slow_ms = 1000, .budget_centi = 200,
                        .keyframe_ms = 10000, .ring_bytes = 16 << 20, .max_memcgs = 16384, .max_processes = 8192};
  while ((option = getopt_long(argc, argv, "", long_options, &position)) != -1) {
    if (option != '?' && take(o, option)) continue;
    if (option != '?') fprintf(stderr, "oomscope-bridge: --%s %s: not a value it takes\n", long_options[position].name, optarg);
    return false;
  }
  const char *wrong = optind < argc ? "unexpected argument"
    : o->lines != NULL && o->script != NULL ? "--lines and --script exclude each other"
    : (o->memcg_root == NULL) != (o->memcg_version == 0) ? "--memcg-root and --memcg-version need each other" : NULL;
  if (wrong != NULL) fprintf(stderr, "oomscope-bridge: %s\n", wrong);
  return wrong == NULL;
}
