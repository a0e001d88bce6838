#include "core/signal_requests.hpp"

#include <csignal>

namespace holdfast::core {

std::optional<Request> request_for(int signal) {
    switch (signal) {
        case SIGTERM:
        case SIGINT:
            return Request{Stop{}, {}};
        case SIGQUIT:
            return Request{Stop{LameDuck::skipped}, {}};
        case SIGHUP:
            return Request{Restart{}, {}};
        case SIGTTIN:
            return Request{ScaleBy{1}, {}};
        case SIGTTOU:
            return Request{ScaleBy{-1}, {}};
        default:
            return std::nullopt;
    }
}

}  // namespace holdfast::core
