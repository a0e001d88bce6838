#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/machine_facts.hpp"
#include "core/configuration.hpp"

namespace holdfast::core {

// How much something matters: all is well; good to know; may bite; does not work.
enum class Severity { ok, note, warning, wrong };

struct Finding {
    Severity severity = Severity::ok;
    std::string text;
    std::string remedy;  // empty where nothing is to be done
};

// What the machine is asked for.
struct CheckedService {
    Configuration configuration;  // defaults where none is known
    int workers = 1;              // that run, or should
};

// What this machine offers and lacks, for this service. Pure.
std::vector<Finding> check_machine(const MachineFacts& facts, const CheckedService& checked);

// How long a stop can take.
Duration longest_stop(const Policy& policy);

}  // namespace holdfast::core
