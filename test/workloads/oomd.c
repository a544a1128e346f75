/*
 * oomd: ends a cgroup as systemd-oomd does, in its name and in the cgroup DIR: counts in the attribute user.oomd_ooms, sends SIGKILL to all
 * (cgroup.kill where the kernel has it, otherwise one by one), counts the dead in user.oomd_kill. Says `killed PID` (its own).
 */
#include "common.h"
#include <signal.h>
#include <sys/xattr.h>

static long kill_all(const char *cgroup) {
  char path[4096], line[32], kill_file[4096];
  snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
  snprintf(kill_file, sizeof kill_file, "%s/cgroup.kill", cgroup);
  int at_once = access(kill_file, W_OK) == 0;
  long dead = 0;
  FILE *list = fopen(path, "re");
  if (list == NULL) die(path);
  for (; fgets(line, sizeof line, list) != NULL; dead++)
    if (!at_once && kill((pid_t)strtol(line, NULL, 10), SIGKILL) < 0) die("kill");
  fclose(list);
  if (at_once) put(cgroup, "cgroup.kill", "1");
  return dead;
}

int main(int count, char **values) {
  char number[32];
  if (count != 3) usage("oomd DIR CGROUP");
  join_cgroup(values[1]);
  if (prctl(PR_SET_NAME, "systemd-oomd", 0, 0, 0) < 0) die("PR_SET_NAME");
  if (setxattr(values[2], "user.oomd_ooms", "1", 1, 0) < 0) die("user.oomd_ooms");
  snprintf(number, sizeof number, "%ld", kill_all(values[2]));
  if (setxattr(values[2], "user.oomd_kill", number, strlen(number), 0) < 0) die("user.oomd_kill");
  say("killed", getpid());
  return 0;
}
