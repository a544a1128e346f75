/* TCP connections to ourselves that nobody reads from: memory of sockets (mem_cgroup_charge_skmem). */
#pragma once
#include "common.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* A fresh machine has its loopback interface down. */
static inline void raise_loopback(int fd) {
  struct ifreq interface = {.ifr_name = "lo"};
  if (ioctl(fd, SIOCGIFFLAGS, &interface) < 0) die("lo");
  interface.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &interface) < 0) die("lo up");
}

/* The kernel doubles it. */
static inline int stream_socket(int buffer_bytes) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_bytes, sizeof buffer_bytes) < 0) die("socket");
  return fd;
}

/* Full in one direction: what the receiver does not read, and what the sender could not send. */
static inline void fill_connections(long count, int buffer_bytes) {
  static char part[64 << 10];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (count == 0) return;
  int listener = stream_socket(buffer_bytes);
  raise_loopback(listener);
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 8) < 0 || getsockname(listener, (struct sockaddr *)&address, &size) < 0) die("listen");
  for (long i = 0; i < count; i++) {
    int sender = stream_socket(buffer_bytes);
    if (connect(sender, (struct sockaddr *)&address, sizeof address) < 0 || accept(listener, NULL, NULL) < 0) die("connect");
    while (send(sender, part, sizeof part, MSG_DONTWAIT) > 0) continue;
    if (errno != EAGAIN) die("send");
  }
}
