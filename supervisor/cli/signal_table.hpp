#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

// What the signals to `holdfast run` do, in words; core/signal_requests.hpp is what they do. A test compares both with
// the manual.
struct SignalRow {
    std::string_view signal;
    std::string_view effect;
};

inline constexpr std::array signal_table = {
    SignalRow{"SIGTERM", "stop; a further one, 1 s later or more, skips to the next stage"},
    SignalRow{"SIGINT", "the same as SIGTERM"},
    SignalRow{"SIGQUIT", "stop without lame duck"},
    SignalRow{"SIGHUP", "restart, --config is read again before; stop where the controlling terminal hung up"},
    SignalRow{"SIGTTIN", "one worker more"},
    SignalRow{"SIGTTOU", "one worker fewer"},
};

}  // namespace holdfast::cli
