#pragma once

#include <string>
#include <variant>

namespace holdfast {

struct ExitedWith {
    int code = 0;
    friend bool operator==(ExitedWith, ExitedWith) = default;
};

struct KilledBy {
    int signal = 0;
    bool dumped_core = false;
    friend bool operator==(KilledBy, KilledBy) = default;
};

// How a process ended. A code and a signal of the same number stay apart.
using ExitStatus = std::variant<ExitedWith, KilledBy>;

// "exited with status 3", "was killed by signal 9 (SIGKILL)", with ", core dumped" where it is true.
std::string describe(const ExitStatus& status);

// "SIGTERM"; "signal 64" for one without a name.
std::string signal_name(int signal);

}  // namespace holdfast
