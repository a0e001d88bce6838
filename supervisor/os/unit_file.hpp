#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/machine_facts.hpp"

namespace holdfast::os {

// The systemd unit of a control group: "web.service" of "/system.slice/web.service", the innermost; empty: none.
std::string unit_of_cgroup(std::string_view cgroup);

// A time span as systemd.time(7) has it: "90", "1min 30s", "infinity" (Duration::max()).
std::optional<Duration> parse_time_span(std::string_view text);

// Takes what facts need from the text of one unit file; what comes later wins, as with drop-ins.
void read_unit_file(std::string_view text, MachineFacts& facts);

// Unit and its settings of facts.cgroup, from the files where systemd looks for them. What runtime commands have set is
// not seen.
void read_unit(MachineFacts& facts);

}  // namespace holdfast::os
