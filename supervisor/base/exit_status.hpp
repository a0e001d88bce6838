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

// How a process ended: with an exit status or by a signal.
using ExitStatus = std::variant<ExitedWith, KilledBy>;

// "exited with status 3", "was killed by signal 9 (SIGKILL)", "…, core dumped".
std::string describe(const ExitStatus& status);

// "SIGTERM"; "signal 64" for a signal without a name.
std::string signal_name(int signal);

}  // namespace holdfast
