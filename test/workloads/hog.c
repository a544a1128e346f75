/*
 * hog: takes memory on command. Says `ready PID` when its first memory is touched, then obeys its stdin:
 * `g` grows step by step (`grown PID` at the end, if it lives), end of file ends it.
 * With --fork a child does all that; the parent says `child-signal N` when the child died and lives on. With --pidns that child is the
 * first process of a PID namespace, as in a container; --kids are idle processes below it; --connections hold unread data. How it grows: see growth.h.
 */
#include "common.h"
#include "connections.h"
#include "growth.h"
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

static const char text[] = "hog [--name BYTES] [--cgroup DIR] [--adj N] [--touch MIB] [--grow-to MIB] [--step KIB] [--step-ms MS] [--fork] [--thread] "
                           "[--pidns] [--kids N] [--connections N] [--lock] [--bind NODE] [--file PATH | --sockets | --forks]";

static struct {
  char *name, *cgroup;
  const char *adj;
  size_t touch_bytes, grow_bytes, step_bytes;
  useconds_t step_us;
  int in_child, in_thread, in_namespace, is_locked;
  long kids, connections;
  void (*take)(size_t bytes);
} options = {.step_bytes = 64 << 10, .take = take_anonymous};

static size_t mib(const char *number) { return strtoul(number, NULL, 10) << 20; }

static void read_options(int count, char **values) {
  static const struct option known[] = {{"name", 1, 0, 'n'}, {"cgroup", 1, 0, 'c'},  {"adj", 1, 0, 'a'},  {"touch", 1, 0, 't'}, {"grow-to", 1, 0, 'g'}, {"step", 1, 0, 's'},
                                        {"step-ms", 1, 0, 'm'}, {"fork", 0, 0, 'f'}, {"thread", 0, 0, 'T'}, {"pidns", 0, 0, 'p'}, {"kids", 1, 0, 'k'},  {"lock", 0, 0, 'l'},
                                        {"bind", 1, 0, 'b'},  {"file", 1, 0, 'F'},  {"connections", 1, 0, 'C'}, {"sockets", 0, 0, 'S'}, {"forks", 0, 0, 'K'}, {0, 0, 0, 0}};
  for (int option; (option = getopt_long(count, values, "", known, NULL)) != -1;) {
    switch (option) {
      case 'n': options.name = optarg; break;
      case 'c': options.cgroup = optarg; break;
      case 'a': options.adj = optarg; break;
      case 't': options.touch_bytes = mib(optarg); break;
      case 'g': options.grow_bytes = mib(optarg); break;
      case 's': options.step_bytes = strtoul(optarg, NULL, 10) << 10; break;
      case 'm': options.step_us = (useconds_t)strtoul(optarg, NULL, 10) * 1000; break;
      case 'f': options.in_child = 1; break;
      case 'T': options.in_thread = 1; break;
      case 'p': options.in_child = options.in_namespace = 1; break;
      case 'k': options.kids = strtol(optarg, NULL, 10); break;
      case 'C': options.connections = strtol(optarg, NULL, 10); break;
      case 'l': options.is_locked = 1; break;
      case 'b': bind_to_node(strtoul(optarg, NULL, 10)); break;
      case 'F': open_growing(optarg), options.take = take_file; break;
      case 'S': options.take = take_sockets; break;
      case 'K': options.take = take_child; break;
      default: usage(text);
    }
  }
  if (options.step_bytes == 0 || optind < count) usage(text);
}

static void grow(void) {
  for (size_t have = options.touch_bytes; have < options.grow_bytes; have += options.step_bytes) {
    options.take(options.step_bytes);
    if (options.step_us > 0) usleep(options.step_us);
  }
  say("grown", own_pid());
}

static void *obey(void *unused) {
  for (long i = 0; i < options.kids; i++) idle_child();
  fill_connections(options.connections, 1 << 20);
  /* Swap must not take what is locked: it is locked as it is touched. */
  if (options.is_locked && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) die("mlockall");
  /* Children would count it as theirs, too. */
  if (options.touch_bytes > 0 && madvise(touch_new(options.touch_bytes), options.touch_bytes, MADV_DONTFORK) < 0) die("MADV_DONTFORK");
  say("ready", own_pid());
  for (char command; read(STDIN_FILENO, &command, 1) == 1;)
    if (command == 'g') grow();
  exit(0);
  return unused;
}

/* The parent stays: a container whose first process lives on although a child was killed. */
static void wait_for_child(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child) die("waitpid");
  say("child-signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  for (char command; read(STDIN_FILENO, &command, 1) == 1;) continue;
  exit(0);
}

int main(int count, char **values) {
  read_options(count, values);
  if (options.cgroup != NULL) {
    unescape(options.cgroup);
    join_cgroup(options.cgroup);
  }
  if (options.adj != NULL) put("/proc/self", "oom_score_adj", options.adj);
  if (options.in_namespace && unshare(CLONE_NEWPID) < 0) die("CLONE_NEWPID");
  pid_t child = options.in_child ? fork() : 0;
  if (child < 0) die("fork");
  if (child > 0) wait_for_child(child);
  if (options.name != NULL) {
    unescape(options.name);
    if (prctl(PR_SET_NAME, options.name, 0, 0, 0) < 0) die("PR_SET_NAME");
  }
  if (!options.in_thread) obey(NULL);
  /* The leader is gone, a thread eats: the kernel then names a thread id as victim. */
  pthread_t thread;
  errno = pthread_create(&thread, NULL, obey, NULL);
  if (errno != 0) die("pthread_create");
  pthread_exit(NULL);
}
