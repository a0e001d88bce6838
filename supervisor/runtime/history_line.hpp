#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "core/action.hpp"

namespace holdfast::runtime {

// What a generation was launched from, for the history. Empty fields are not known.
struct ProgramFacts {
    std::string program;        // path of the executable
    std::string build_id;       // of the executable
    std::string configuration;  // hash of the configuration
};

// Formats one line of the history, including the newline:
// {"time":"…Z","generation":3,"event":"ready","worker":"3.0","text":"…"}. Texts are truncated to 1 KiB. Empty fields
// are omitted.
std::string history_line(std::string_view time, const core::Record& record, const ProgramFacts& facts);

// The generation in a line of the history; nullopt if the line is incomplete or malformed. `line` has no newline.
std::optional<Generation> generation_in(std::string_view line);

}  // namespace holdfast::runtime
