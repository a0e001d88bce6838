#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "core/request.hpp"

namespace holdfast::api {

struct StatusWanted {};

struct ChangeWanted {
    enum class Wait { for_outcome, no };
    core::Request request;  // asked_by is still empty
    Wait wait = Wait::for_outcome;
};

// The request was not understood. `text` says why and what would be.
struct Rejection {
    int http_status = 400;
    std::string text;
    std::string allow;  // with 405: the method that exists
};

using Route = std::variant<StatusWanted, ChangeWanted, Rejection>;

// What an HTTP request means. Pure.
Route find_route(std::string_view method, std::string_view target, std::string_view body);

// Who is at the other end, as the kernel says it.
struct Peer {
    uid_t uid = 0;
    pid_t pid = 0;
};

// The supervisor's own user and root may ask; nobody else.
constexpr bool may_ask(uid_t peer, uid_t ours) { return peer == ours || peer == 0; }

// "uid 1000, pid 3101 over the API"
std::string describe(const Peer& peer);

}  // namespace holdfast::api
