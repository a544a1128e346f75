/* stat.c: memory.stat of either version → the fields of memcg_stat. */
#include "stat.h"

#include <string.h>

#include "event.h"
#include "util.h"

#define LINES_MAX 256

/* Fields of memcg_stat as each version names them; v1's "file" is "cache", which includes shmem as v2's does. */
static const char *const stat_key[2][STAT_VALUES] = {
  {"total_rss", "total_cache", "total_shmem", "total_mapped_file", "total_dirty", "total_writeback", "total_inactive_anon", "total_active_anon",
   "total_inactive_file", "total_active_file", "total_unevictable", "total_rss_huge", NULL, NULL, NULL, NULL, NULL, NULL, "total_pgfault",
   "total_pgmajfault", "total_workingset_refault_anon", "total_workingset_refault_file", NULL, NULL, "total_swapcached", NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
  {"anon", "file", "shmem", "file_mapped", "file_dirty", "file_writeback", "inactive_anon", "active_anon", "inactive_file", "active_file",
   "unevictable", "anon_thp", "slab_reclaimable", "slab_unreclaimable", "kernel", "kernel_stack", "pagetables", "sock", "pgfault", "pgmajfault",
   "workingset_refault_anon", "workingset_refault_file", "pgscan", "pgsteal", "swapcached", "percpu", "vmalloc", "sec_pagetables", "zswap",
   "zswapped", "file_thp", "shmem_thp", "pgscan_kswapd", "pgscan_direct", "pgsteal_kswapd", "pgsteal_direct", "pgrefill", "workingset_activate_anon",
   "workingset_activate_file", "workingset_restore_anon", "workingset_restore_file", "thp_fault_alloc", "thp_collapse_alloc", "pswpin", "pswpout",
   "zswpin", "zswpout"},
};

/* What a line meant last time: a kernel prints them in one order. */
struct hint {
  uint32_t hash;       /* of the key */
  int8_t field;        /* -1: not ours */
  bool is_known;
};

/* FNV-1a of the line up to its space. */
static uint32_t key_hash(const char *key, size_t *length) {
  uint32_t h = 0x811c9dc5u;
  const char *at = key;
  for (; *at != ' ' && *at != '\n' && *at != '\0'; at++) h = (h ^ (unsigned char)*at) * 0x01000193u;
  *length = (size_t)(at - key);
  return h;
}

static int field_of(const char *key, size_t length, int version) {
  const char *const *keys = stat_key[version - 1];
  for (int i = 0; i < STAT_VALUES; i++)
    if (keys[i] != NULL && strlen(keys[i]) == length && memcmp(keys[i], key, length) == 0) return i;
  return -1;
}

void stat_parse(const char *text, int version, uint64_t values[STAT_VALUES]) {
  static struct hint hints[2][LINES_MAX];
  for (int i = 0; i < STAT_VALUES; i++) values[i] = ABSENT;
  for (int line = 0; *text != '\0' && line < LINES_MAX; line++) {
    struct hint *hint = &hints[version - 1][line];
    size_t length;
    uint32_t hash = key_hash(text, &length);
    if (!hint->is_known || hint->hash != hash) *hint = (struct hint){.hash = hash, .field = (int8_t)field_of(text, length, version), .is_known = true};
    const char *at = text + length;
    if (hint->field >= 0 && *at == ' ') {
      at++;
      parse_u64(&at, &values[hint->field]);
    }
    text = strchr(at, '\n');
    if (text == NULL) return;
    text++;
  }
}
