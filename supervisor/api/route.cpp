#include "api/route.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <optional>

#include "core/policy.hpp"

namespace holdfast::api {
namespace {

using Change = std::variant<core::Request, Rejection>;

Rejection reject(std::string text, int http_status = 400) { return {http_status, std::move(text), {}}; }

// The body as an object; an empty one if there is none.
std::variant<boost::json::object, Rejection> read_object(std::string_view body, std::string_view example) {
    if (body.empty()) return boost::json::object{};
    boost::json::error_code failure;
    boost::json::parse_options options;
    options.max_depth = 4;
    const boost::json::value value = boost::json::parse({body.data(), body.size()}, failure, {}, options);
    if (failure) return reject("the body is no JSON: " + failure.message() + "; it looks like " + std::string(example));
    if (!value.is_object()) return reject("the body is no JSON object; it looks like " + std::string(example));
    return value.get_object();
}

Change read_nothing(std::string_view body, core::Request request) {
    auto object = read_object(body, "{}");
    if (auto* wrong = std::get_if<Rejection>(&object)) return std::move(*wrong);
    const auto& members = std::get<boost::json::object>(object);
    if (members.empty()) return request;
    return reject("this request takes no \"" + std::string(members.begin()->key()) + "\", its body is empty");
}

Change read_restart(std::string_view body) { return read_nothing(body, {core::Restart{}, {}}); }
Change read_stop(std::string_view body) { return read_nothing(body, {core::Stop{}, {}}); }

Change read_scale(std::string_view body) {
    const std::string taken = "a number from 0 to " + std::to_string(core::max_workers);
    auto object = read_object(body, R"({"workers": 4})");
    if (auto* wrong = std::get_if<Rejection>(&object)) return std::move(*wrong);
    const auto& members = std::get<boost::json::object>(object);
    for (const auto& member : members) {
        if (member.key() != "workers") {
            return reject("unknown key \"" + std::string(member.key()) + R"(", the body looks like {"workers": 4})");
        }
    }
    const boost::json::value* workers = members.if_contains("workers");
    if (workers == nullptr) return reject(R"("workers" is missing: the body looks like {"workers": 4})");
    if (!workers->is_int64() || workers->get_int64() < 0 || workers->get_int64() > core::max_workers) {
        return reject("\"workers\" takes " + taken);
    }
    return core::Request{core::Scale{static_cast<int>(workers->get_int64())}, {}};
}

struct ChangeRow {
    std::string_view path;
    Change (*read)(std::string_view body);
};
constexpr std::array changes = {ChangeRow{"/v1/restart", read_restart}, ChangeRow{"/v1/stop", read_stop},
                                ChangeRow{"/v1/scale", read_scale}};

std::optional<ChangeWanted::Wait> read_wait(std::string_view query) {
    if (query.empty() || query == "wait=yes") return ChangeWanted::Wait::for_outcome;
    if (query == "wait=no") return ChangeWanted::Wait::no;
    return std::nullopt;
}

Rejection wrong_method(std::string_view method, std::string_view path, std::string_view allowed) {
    return {405, std::string(path) + " takes " + std::string(allowed) + ", not " + std::string(method),
            std::string(allowed)};
}

}  // namespace

Route find_route(std::string_view method, std::string_view target, std::string_view body) {
    const std::size_t mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    const std::string_view query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    if (path == "/v1/status") {
        if (method == "GET") return StatusWanted{};
        return wrong_method(method, path, "GET");
    }
    for (const ChangeRow& row : changes) {
        if (row.path != path) continue;
        if (method != "POST") return wrong_method(method, path, "POST");
        const auto wait = read_wait(query);
        if (!wait) return reject("unknown query \"" + std::string(query) + "\": it takes wait=yes or wait=no");
        Change change = row.read(body);
        if (auto* wrong = std::get_if<Rejection>(&change)) return std::move(*wrong);
        return ChangeWanted{std::get<core::Request>(std::move(change)), *wait};
    }
    return reject("there is no " + std::string(path) +
                      ": GET /v1/status, POST /v1/restart, POST /v1/stop and POST /v1/scale exist",
                  404);
}

std::string describe(const Peer& peer) {
    return "uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid) + " over the API";
}

}  // namespace holdfast::api
