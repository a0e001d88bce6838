#include "api/server/route.hpp"

#include <array>
#include <charconv>

#include "api/server/change_body.hpp"
#include "api/server/quoting.hpp"

namespace holdfast::api {
namespace {

Rejection reject(std::string text) { return {400, std::move(text)}; }

// Rejects a query string on a path that takes none.
std::optional<Rejection> refuse_query(std::string_view query) {
    if (query.empty()) return std::nullopt;
    return reject("unknown query " + quote_shortened(query) + "; this path takes no query");
}

// The name in "worker=1.0". It consists of digits and a dot, so percent-decoding is not needed.
std::optional<std::string> read_worker(std::string_view query) {
    constexpr std::string_view key = "worker=";
    if (!query.starts_with(key)) return std::nullopt;
    query.remove_prefix(key.size());
    const bool is_name =
        !query.empty() && query.size() <= 40 && query.find_first_not_of("0123456789.") == std::string_view::npos;
    return is_name ? std::optional<std::string>(query) : std::nullopt;
}

std::optional<ChangeWanted::Wait> read_wait(std::string_view query) {
    if (query.empty() || query == "wait=yes") return ChangeWanted::Wait::for_outcome;
    if (query == "wait=no") return ChangeWanted::Wait::no;
    return std::nullopt;
}

template <class Wanted>
Route get_plain(std::string_view query) {
    if (auto wrong = refuse_query(query)) return std::move(*wrong);
    return Wanted{};
}

Route get_history(std::string_view query) {
    if (query.empty()) return HistoryWanted{};
    constexpr std::string_view key = "limit=";
    std::size_t limit = 0;
    if (query.starts_with(key)) {
        const char* end = query.data() + query.size();
        const auto [stopped, failure] = std::from_chars(query.data() + key.size(), end, limit);
        if (failure == std::errc{} && stopped == end) return HistoryWanted{limit};
    }
    return reject("unknown query " + quote_shortened(query) + "; expected limit=N, a number of lines");
}

Route get_logs(std::string_view query) {
    if (query.empty()) return LogsWanted{};
    if (auto worker = read_worker(query)) return LogsWanted{std::move(*worker)};
    return reject("unknown query " + quote_shortened(query) + "; expected the name of a worker, like worker=1.0");
}

Route get_why(std::string_view query) {
    if (auto worker = read_worker(query)) return WhyWanted{std::move(*worker)};
    return reject("the query must name a worker, like worker=1.0");
}

struct GetRow {
    std::string_view path;
    Route (*read)(std::string_view query);
};
constexpr std::array gets = {GetRow{"/v1/status", get_plain<StatusWanted>},
                             GetRow{"/v1/reload", get_plain<ReloadPreviewWanted>},
                             GetRow{"/v1/history", get_history},
                             GetRow{"/v1/logs", get_logs},
                             GetRow{"/v1/why", get_why},
                             GetRow{"/v1/events", get_plain<EventsWanted>}};

Route post_reload(std::string_view body, ChangeWanted::Wait wait) {
    if (auto wrong = refuse_members(body)) return reject(std::move(*wrong));
    return ReloadWanted{wait};
}

template <class What>
Route post_plain(std::string_view body, ChangeWanted::Wait wait) {
    if (auto wrong = refuse_members(body)) return reject(std::move(*wrong));
    return ChangeWanted{{What{}, {}}, wait};
}

Route post_scale(std::string_view body, ChangeWanted::Wait wait) {
    auto scale = read_scale(body);
    if (auto* wrong = std::get_if<std::string>(&scale)) return reject(std::move(*wrong));
    return ChangeWanted{{std::get<core::Scale>(scale), {}}, wait};
}

struct PostRow {
    std::string_view path;
    Route (*read)(std::string_view body, ChangeWanted::Wait wait);
};
constexpr std::array posts = {PostRow{"/v1/restart", post_plain<core::Restart>},
                              PostRow{"/v1/stop", post_plain<core::Stop>},
                              PostRow{"/v1/scale", post_scale},
                              PostRow{"/v1/reload", post_reload},
                              PostRow{"/v1/rollback", post_plain<core::Rollback>},
                              PostRow{"/v1/undo", post_plain<core::Undo>},
                              PostRow{"/v1/pause", post_plain<core::Pause>},
                              PostRow{"/v1/resume", post_plain<core::Resume>}};

template <class Rows>
auto find_row(const Rows& rows, std::string_view path) -> decltype(rows.data()) {
    for (const auto& row : rows) {
        if (row.path == path) return &row;
    }
    return nullptr;
}

Route post(const PostRow& row, std::string_view query, std::string_view body) {
    const auto wait = read_wait(query);
    if (!wait) return reject("unknown query " + quote_shortened(query) + "; expected wait=yes or wait=no");
    return row.read(body, *wait);
}

Rejection not_found(std::string_view path) {
    std::string known;
    for (const GetRow& row : gets) known += (known.empty() ? "GET " : ", ") + std::string(row.path);
    known += "; POST ";
    for (const PostRow& row : posts) known += (&row == &posts.front() ? "" : ", ") + std::string(row.path);
    return {404, "unknown path " + shortened(path) + "; the paths are: " + known};
}

}  // namespace

Route find_route(std::string_view method, std::string_view target, std::string_view body) {
    const std::size_t mark = target.find('?');
    const std::string_view path = target.substr(0, mark);
    const std::string_view query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    const GetRow* get_row = find_row(gets, path);
    const PostRow* post_row = find_row(posts, path);
    if (get_row == nullptr && post_row == nullptr) return not_found(path);
    if (get_row != nullptr && method == "GET") return get_row->read(query);
    if (post_row != nullptr && method == "POST") return post(*post_row, query, body);
    const std::string allowed = get_row == nullptr ? "POST" : post_row == nullptr ? "GET" : "GET, POST";
    return Rejection{405, std::string(path) + " takes " + allowed + ", not " + shortened(method), allowed};
}

std::string describe(const Peer& peer) {
    return "uid " + std::to_string(peer.uid) + ", pid " + std::to_string(peer.pid) + " over the API";
}

}  // namespace holdfast::api
