#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/machine_facts.hpp"
#include "core/configuration.hpp"

namespace holdfast::core {

// How much something matters: all is well; good to know; may bite; does not work.
enum class Weight { fine, note, warning, wrong };

struct Finding {
    Weight weight = Weight::fine;
    std::string text;
    std::string remedy;  // empty where nothing is to be done
};

// What the machine is asked for.
struct Patient {
    Configuration configuration;  // defaults where none is known
    int workers = 1;              // that run, or should
};

// What this machine offers and lacks, for this service. Pure.
std::vector<Finding> examine(const MachineFacts& facts, const Patient& patient);

// How long a stop can take.
Duration longest_stop(const Policy& policy);

}  // namespace holdfast::core
