#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::os {

// The environment of a process to be: each key once, a later entry wins.
class Environment {
  public:
    // `entry` is "KEY=VALUE"; one without '=' is dropped.
    void set(std::string entry);
    void set(std::string_view key, std::string_view value);
    std::optional<std::string_view> find(std::string_view key) const;
    std::vector<std::string> take() && { return std::move(entries_); }

  private:
    std::vector<std::string> entries_;
};

// The supervisor's environment without what was meant for the supervisor alone: LISTEN_*, NOTIFY_SOCKET, WATCHDOG_*,
// HOLDFAST_*.
Environment without_own_handles(const std::vector<std::string>& base_environment);

}  // namespace holdfast::os
