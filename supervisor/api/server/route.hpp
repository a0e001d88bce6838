#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/request.hpp"

namespace holdfast::api {

struct StatusWanted {};
struct ReloadPreviewWanted {};  // what a reload would change
struct HistoryWanted {
    std::optional<std::size_t> limit;  // at most this many lines, the newest ones
};
struct LogsWanted {
    std::string worker;  // "1.0"; empty: all workers
};
struct WhyWanted {
    std::string worker;
};
struct EventsWanted {};

struct ChangeWanted {
    enum class Wait { for_outcome, no };
    core::Request request;  // asked_by is empty; the handler fills it in
    Wait wait = Wait::for_outcome;
};
// Carries no core::Request, because only runtime/ can read the configuration file.
struct ReloadWanted {
    ChangeWanted::Wait wait = ChangeWanted::Wait::for_outcome;
};

// The request was not understood. `text` says why, and what would be accepted.
struct Rejection {
    int http_status = 400;
    std::string text;
    std::string allow{};  // Allow header of a 405: the supported methods
};

using Route = std::variant<StatusWanted, ReloadPreviewWanted, HistoryWanted, LogsWanted, WhyWanted, EventsWanted,
                           ChangeWanted, ReloadWanted, Rejection>;

// Maps an HTTP request to what it asks for. Pure.
Route find_route(std::string_view method, std::string_view target, std::string_view body);

// Credentials of the connecting process, from SO_PEERCRED.
struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
};

// Only the supervisor's own user and root may send requests.
constexpr bool is_authorized(uid_t peer, uid_t ours) { return peer == ours || peer == 0; }

// "uid 1000, pid 3101 over the API"
std::string describe(const Peer& peer);

}  // namespace holdfast::api
