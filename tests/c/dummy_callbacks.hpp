#pragma once

#include <holdfast.h>
#include <unistd.h>

#include <cstdint>

namespace holdfast::testing {

// Callbacks that succeed and do nothing.
inline int do_nothing(void*) { return 0; }
inline int do_nothing_in_stage(int64_t, void*) { return 0; }
inline int return_at_once(holdfast_stop*, void*) { return 0; }
inline int ignore_connection(int fd, holdfast_session* connection, void*) {
    ::close(fd);
    return holdfast_end_session(&connection);
}

}  // namespace holdfast::testing
