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
    std::optional<std::size_t> limit;  // the newest so many
};
struct LogsWanted {
    std::string worker;  // "1.0"; empty: of all
};
struct WhyWanted {
    std::string worker;
};
struct EventsWanted {};

struct ChangeWanted {
    enum class Wait { for_outcome, no };
    core::Request request;  // asked_by is still empty
    Wait wait = Wait::for_outcome;
};
// No core::Request yet: only runtime/ can read the configuration again.
struct ReloadWanted {
    ChangeWanted::Wait wait = ChangeWanted::Wait::for_outcome;
};

// The request was not understood. `text` says why and what would be.
struct Rejection {
    int http_status = 400;
    std::string text;
    std::string allow{};  // with 405: the methods that exist
};

using Route = std::variant<StatusWanted, ReloadPreviewWanted, HistoryWanted, LogsWanted, WhyWanted, EventsWanted,
                           ChangeWanted, ReloadWanted, Rejection>;

// What an HTTP request means. Pure.
Route find_route(std::string_view method, std::string_view target, std::string_view body);

// Who is at the other end, as the kernel says it.
struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
};

// The supervisor's own user and root may ask; nobody else.
constexpr bool is_authorized(uid_t peer, uid_t ours) { return peer == ours || peer == 0; }

// "uid 1000, pid 3101 over the API"
std::string describe(const Peer& peer);

}  // namespace holdfast::api
