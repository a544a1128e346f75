/* test_fork.c: a node that is out of memory or of processes refuses children: the bridge lives on without them, and loses no descriptor. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detail.h"
#include "test.h"
#include "tracer.h"

static struct stream stream;

static int open_files(void) {
  int count = 0;
  for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* In a process of its own, which may not have children. */
static void try_without_children(void) {
  static struct detail_reader d;
  static struct tracer tracer;
  static const struct line_sink sink;
  struct rlimit none = {0, 0};
  if (getuid() == 0) CHECK(setresuid(65534, 65534, 65534) == 0);
  CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
  stream_init(&stream, 0, -1);
  CHECK(tracer_init(&tracer, &stream, &sink) == 0);
  int before = open_files();
  detail_start(&d, &stream);
  CHECK(!detail_is_idle(&d) && open_files() == before);
  tracer_start(&tracer, &(struct tracer_options){.bpftrace = "/nowhere", .script = "/nowhere"});
  CHECK(tracer.is_over && tracer.pid == 0 && open_files() == before);
  test_take(&stream);
  CHECK(test_count(KIND_NOTICE) == 1 && test_is_text(&test_find(KIND_TRACER, 0)->field[0], "refused"));
}

/* It is tried again and again: no try may keep a pipe. */
static void a_fork_that_fails_leaves_no_descriptor(void) {
  int status;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    try_without_children();
    _exit(0);
  }
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
  event_init();
  a_fork_that_fails_leaves_no_descriptor();
  return test_done("fork");
}
