#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::os {

// The environment of a process that is to be launched. Each key occurs once; a later entry replaces an earlier one.
class Environment {
  public:
    // `entry` is "KEY=VALUE"; an entry without '=' is ignored.
    void set(std::string entry);
    void set(std::string_view key, std::string_view value);
    std::optional<std::string_view> find(std::string_view key) const;
    std::vector<std::string> take() && { return std::move(entries_); }

  private:
    std::vector<std::string> entries_;
};

// The supervisor's environment without the variables that are addressed to the supervisor itself: LISTEN_*,
// NOTIFY_SOCKET, WATCHDOG_*, HOLDFAST_*.
Environment without_supervisor_variables(const std::vector<std::string>& base_environment);

}  // namespace holdfast::os
