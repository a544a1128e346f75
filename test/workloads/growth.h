/* Ways to take memory: what a process shows as its own, and what no process shows. Each call takes about one step. */
#pragma once
#include "common.h"
#include <sys/socket.h>
#include <sys/syscall.h>

/* All memory from now on comes from this NUMA node (MPOL_BIND of linux/mempolicy.h), or from nowhere. */
static inline void bind_to_node(unsigned long node) {
  unsigned long nodes = 1UL << node;
  if (syscall(SYS_set_mempolicy, 2, &nodes, 8 * sizeof nodes) < 0) die("set_mempolicy");
}

static void take_anonymous(size_t bytes) { touch_new(bytes); }

static int growing = -1;

static inline void open_growing(const char *path) {
  growing = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (growing < 0) die(path);
}

/* Written and never synced: on tmpfs it is shared memory, on a disk it is dirty page cache. */
static void take_file(size_t bytes) {
  static char part[64 << 10];
  for (size_t done = 0; done < bytes; done += sizeof part)
    if (write(growing, part, sizeof part) != (ssize_t)sizeof part) die("growing file");
}

/* One pair of sockets filled with single bytes that nobody reads: each is a socket buffer in slab memory (unix_stream_sendmsg). */
static void take_sockets(size_t bytes) {
  int pair[2];
  (void)bytes;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) die("socketpair");
  while (send(pair[0], "", 1, MSG_DONTWAIT) == 1) continue;
  if (errno != EAGAIN) die("send");
}

/* It has nothing and does nothing, until its parent is gone. */
static void idle_child(void) {
  static int life[2] = {-1, -1};
  char end;
  if (life[0] < 0 && pipe(life) < 0) die("pipe");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child > 0) return;
  close(life[1]);
  while (read(life[0], &end, 1) == 1) continue;
  _exit(0);
}

/* Page tables and a kernel stack, and hardly a page of its own. */
static void take_child(size_t bytes) {
  (void)bytes;
  idle_child();
}
