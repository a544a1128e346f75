/* runtime.h: which language runtime a process is, by its program; "" when nothing tells. */
#ifndef OOMSCOPE_RUNTIME_H
#define OOMSCOPE_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "detail.h"

/* go jvm node python ruby php dotnet erlang perl, or "". */
void runtime_of(int proc_fd, uint32_t pid, const char *exe, char runtime[DETAIL_RUNTIME]);
/* Does this file come from the Go linker? For the tests. */
bool runtime_is_go(int fd);

#endif
