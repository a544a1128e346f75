/* stat.h: memory.stat of either version → the fields of memcg_stat. */
#ifndef OOMSCOPE_STAT_H
#define OOMSCOPE_STAT_H

#include <stdint.h>

/* Fields of memcg_stat behind memcgId. */
#define STAT_VALUES 47

/* ABSENT where the version, or the kernel, has none. */
void stat_parse(const char *text, int version, uint64_t values[STAT_VALUES]);

#endif
