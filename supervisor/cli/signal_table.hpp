#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

// Descriptions of the signals to `holdfast run`; core/signal_requests.hpp implements them. Tests compare the two, and
// this table with the manual.
struct SignalRow {
    std::string_view signal;
    std::string_view effect;
};

inline constexpr std::array signal_table = {
    SignalRow{"SIGTERM", "stop; a further one, at least 1 s later, skips to the next stage"},
    SignalRow{"SIGINT", "the same as SIGTERM"},
    SignalRow{"SIGQUIT", "stop without lame duck"},
    SignalRow{"SIGHUP", "restart, after reading --config again; stop if the controlling terminal hung up"},
    SignalRow{"SIGTTIN", "add one worker"},
    SignalRow{"SIGTTOU", "remove one worker"},
};

}  // namespace holdfast::cli
