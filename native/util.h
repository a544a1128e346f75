/* util.h: clocks, numbers, file reading and memory that every part of the bridge shares; no state but the seal on memory. */
#ifndef OOMSCOPE_UTIL_H
#define OOMSCOPE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define LENGTH_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* CLOCK_MONOTONIC, the clock of bpftrace's nsecs. */
uint64_t now_ns(void);
uint64_t clock_read_ns(int clock_id);

/* Zeroed memory for the life of the process; NULL when there is none, or after reserve_seal(): nothing is allocated in the loop. */
void *reserve(size_t bytes);
void reserve_seal(void);

/* Reads decimal digits at *at and moves past them; false when there is none or the number does not fit. */
bool parse_u64(const char **at, uint64_t *value);
/* Reads a whole small file into text, NUL-terminated. Returns its length or -errno. */
ssize_t read_fd(int fd, char *text, size_t capacity);
/* The same of a file that gives at most a page a read (seq_file with many records, as /proc/vmstat): until its end. */
ssize_t read_fd_whole(int fd, char *text, size_t capacity);
ssize_t read_path(const char *path, char *text, size_t capacity);

struct line_reader {
  char *text;                 /* room for the longest line; a longer one is left out */
  size_t capacity;
  void (*line)(void *context, const char *line);
  void *context;
};
/* Reads a file of any length from its beginning, line by line; /proc/zoneinfo grows with the CPUs. Nothing when fd < 0. */
void read_lines(int fd, const struct line_reader *reader);
/* 0 or -errno. */
int write_at(int dir_fd, const char *path, const char *text);

/* Replaces control characters by spaces, in place: the text will meet a terminal. */
void text_clean(char *text, size_t length);
/* The first line of text that begins with key; points behind the key. NULL when there is none. */
const char *line_after(const char *text, const char *key);

#endif
