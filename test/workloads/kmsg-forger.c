/* kmsg-forger: writes each line of its stdin to /dev/kmsg as kernel facility; the kernel files it under `user` whatever we ask for (devkmsg_write). */
#include "common.h"

int main(void) {
  int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
  if (fd < 0) die("/dev/kmsg");
  char line[900], record[912];
  while (fgets(line, sizeof line, stdin) != NULL) {
    int length = snprintf(record, sizeof record, "<4>%s", line);
    if (write(fd, record, (size_t)length) < 0) die("/dev/kmsg");
  }
  say("forged", getpid());
  return 0;
}
