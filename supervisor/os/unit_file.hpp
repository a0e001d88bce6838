#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/machine_facts.hpp"

namespace holdfast::os {

// The systemd unit of a cgroup: "web.service" for "/system.slice/web.service". Returns the innermost one; empty if
// there is none.
std::string unit_of_cgroup(std::string_view cgroup);

// Parses a time span of systemd.time(7): "90", "1min 30s", "infinity" (Duration::max()).
std::optional<Duration> parse_time_span(std::string_view text);

// Reads the relevant settings from the text of one unit file. Later settings replace earlier ones, as with drop-ins.
void read_unit_file(std::string_view text, MachineFacts& facts);

// Reads the unit of facts.cgroup and its settings from the directories that systemd searches. Does not see settings
// that were changed at runtime (systemctl set-property).
void read_unit(MachineFacts& facts);

}  // namespace holdfast::os
