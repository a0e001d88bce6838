#include "os/environment.hpp"

#include <algorithm>

#include "base/sdk_variables.hpp"

namespace holdfast::os {
namespace {

bool has_key(std::string_view entry, std::string_view key) {
    return entry.size() > key.size() && entry.starts_with(key) && entry[key.size()] == '=';
}

bool is_supervisor_variable(std::string_view entry) {
    if (is_sdk_variable(entry.substr(0, entry.find('=')))) return false;
    return entry.starts_with("LISTEN_") || entry.starts_with("WATCHDOG_") || entry.starts_with("HOLDFAST_") ||
           has_key(entry, "NOTIFY_SOCKET");
}

}  // namespace

void Environment::set(std::string entry) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) return;
    const std::string_view key = std::string_view(entry).substr(0, equals);
    const auto former =
        std::find_if(entries_.begin(), entries_.end(), [&](const std::string& known) { return has_key(known, key); });
    if (former == entries_.end()) {
        entries_.push_back(std::move(entry));
    } else {
        *former = std::move(entry);
    }
}

void Environment::set(std::string_view key, std::string_view value) { set(std::string(key).append("=").append(value)); }

std::optional<std::string_view> Environment::find(std::string_view key) const {
    for (const std::string& entry : entries_) {
        if (has_key(entry, key)) return std::string_view(entry).substr(key.size() + 1);
    }
    return std::nullopt;
}

Environment without_supervisor_variables(const std::vector<std::string>& base_environment) {
    Environment environment;
    for (const std::string& entry : base_environment) {
        if (!is_supervisor_variable(entry)) environment.set(entry);
    }
    return environment;
}

}  // namespace holdfast::os
