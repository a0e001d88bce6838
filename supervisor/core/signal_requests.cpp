#include "core/signal_requests.hpp"

namespace holdfast::core {
namespace {

// Numbers of signal(7). They are the same on all architectures of Debian except MIPS, where the last two differ.
constexpr int hang_up = 1, interrupt = 2, quit = 3, terminate = 15, tty_input = 21, tty_output = 22;

}  // namespace

std::optional<Request> request_for(int signal) {
    switch (signal) {
        case terminate:
        case interrupt:
            return Request{Stop{}, {}};
        case quit:
            return Request{Stop{LameDuck::skipped}, {}};
        case hang_up:
            return Request{Restart{}, {}};
        case tty_input:
            return Request{ScaleBy{1}, {}};
        case tty_output:
            return Request{ScaleBy{-1}, {}};
        default:
            return std::nullopt;
    }
}

}  // namespace holdfast::core
