#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/machine_facts.hpp"
#include "core/configuration.hpp"

namespace holdfast::core {

// ok: no action needed; note: for information; warning: can cause problems; wrong: does not work.
enum class Severity { ok, note, warning, wrong };

struct Finding {
    Severity severity = Severity::ok;
    std::string text;
    std::string remedy;  // empty: no action needed
};

// The service that the machine is checked for.
struct CheckedService {
    Configuration configuration;  // defaults if unknown
    int workers = 1;              // number of workers, running or configured
};

// Checks what this machine provides for the service. A pure function.
std::vector<Finding> check_machine(const MachineFacts& facts, const CheckedService& checked);

// The number of open files that the supervisor needs during a restart, when two generations run at the same time.
std::uint64_t descriptors_needed(const Configuration& configuration, int workers);

// The maximum duration of a stop.
Duration longest_stop(const Policy& policy);

}  // namespace holdfast::core
