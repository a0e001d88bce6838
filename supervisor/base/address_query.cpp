#include "base/address_query.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/internet_address.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace holdfast {
namespace {

Result<bool> parse_switch(std::string_view value) {
    constexpr std::array<std::string_view, 5> on{"", "1", "true", "yes", "on"};
    constexpr std::array<std::string_view, 4> off{"0", "false", "no", "off"};
    if (is_one_of(value, on)) return true;
    if (is_one_of(value, off)) return false;
    return error(in_quotes(value) + " is neither yes nor no");
}

Result<void> set_backlog(ListenAddress& address, std::string_view value) {
    const auto number = parse_count(value, 1, 2147483647);
    if (!number) return number.error();
    address.backlog = static_cast<int>(*number);
    return {};
}

Result<void> set_v6only(ListenAddress& address, std::string_view value) {
    const auto answer = parse_switch(value);
    if (!answer) return answer.error();
    if (is_ipv4(address.host)) return error("the address is IPv4");
    address.v6only = *answer;
    return {};
}

Result<void> set_nonblock(ListenAddress& address, std::string_view value) {
    const auto answer = parse_switch(value);
    if (!answer) return answer.error();
    address.nonblock = *answer;
    return {};
}

Result<void> set_mode(ListenAddress& address, std::string_view value) {
    std::uint32_t mode = 0;
    const bool is_octal = !value.empty() && value.size() <= 4 &&
                          std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '7'; });
    for (const char c : value) mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
    if (!is_octal || mode > 0777) return error(in_quotes(value) + " is not an octal mode from 0 to 0777, such as 0660");
    address.mode = mode;
    return {};
}

Result<void> set_word(std::string& word, std::string_view value) {
    if (value.empty()) return error("a name or a number is missing");
    word = value;
    return {};
}

Result<void> set_user(ListenAddress& address, std::string_view value) { return set_word(address.user, value); }
Result<void> set_group(ListenAddress& address, std::string_view value) { return set_word(address.group, value); }

enum class For { every, internet, path };

struct QueryKey {
    std::string_view word;
    For what;
    Result<void> (*set)(ListenAddress&, std::string_view);
};
constexpr std::array query_keys{
    QueryKey{"backlog", For::every, set_backlog}, QueryKey{"v6only", For::internet, set_v6only},
    QueryKey{"mode", For::path, set_mode},        QueryKey{"user", For::path, set_user},
    QueryKey{"group", For::path, set_group},      QueryKey{"nonblock", For::every, set_nonblock}};
constexpr std::array<std::string_view, 10> later_keys{"reuseport", "defer-accept", "fastopen", "nodelay", "keepalive",
                                                      "mark",      "device",       "freebind", "rcvbuf",  "sndbuf"};

std::string accepted_keys() {
    std::string list;
    for (const QueryKey& key : query_keys) list.append(list.empty() ? "" : ", ").append(key.word);
    return "the keys are " + list;
}

Error unknown_key(std::string_view word) {
    if (is_one_of(word, later_keys)) {
        return error("the key " + in_quotes(word) + " is not part of this version; " + accepted_keys());
    }
    std::vector<std::string_view> words(later_keys.begin(), later_keys.end());
    for (const QueryKey& key : query_keys) words.push_back(key.word);
    const auto meant = nearest(word, words);
    return error("there is no key " + in_quotes(word) + (meant ? ", did you mean " + in_quotes(*meant) + "? " : "; ") +
                 accepted_keys());
}

bool applies(For what, const ListenAddress& address) {
    switch (what) {
        case For::every:
            return address.family != Family::systemd;
        case For::internet:
            return address.family == Family::inet;
        case For::path:
            return address.family == Family::unix_path;
    }
    return false;
}

Result<void> set_key(ListenAddress& address, std::string_view word, std::string_view value) {
    const auto key = std::find_if(query_keys.begin(), query_keys.end(),
                                  [word](const QueryKey& candidate) { return candidate.word == word; });
    if (key == query_keys.end()) return unknown_key(word);
    if (!applies(key->what, address)) {
        const std::string_view of = key->what == For::path       ? "unix paths"
                                    : key->what == For::internet ? "IPv6 addresses"
                                                                 : "single sockets";
        return error("the key " + in_quotes(word) + " only applies to " + std::string(of));
    }
    const auto done = key->set(address, value);
    if (!done) return error(std::string(word) + ": " + done.error().text);
    return {};
}

}  // namespace

Result<void> apply_query(ListenAddress& address, std::string_view query) {
    std::vector<std::string_view> seen;
    while (true) {
        const std::size_t next = query.find('&');
        const std::string_view pair = query.substr(0, next);
        const std::size_t equals = pair.find('=');
        const std::string_view word = pair.substr(0, equals);
        if (std::find(seen.begin(), seen.end(), word) != seen.end()) {
            return error("the key " + in_quotes(word) + " is given twice");
        }
        seen.push_back(word);
        auto done = set_key(address, word, equals == pair.npos ? "" : pair.substr(equals + 1));
        if (!done) return done;
        if (next == query.npos) return {};
        query.remove_prefix(next + 1);
    }
}

}  // namespace holdfast
