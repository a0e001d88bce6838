#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "core/action.hpp"

namespace holdfast::runtime {

// What a generation was launched from, for the history. Empty: not known.
struct ProgramFacts {
    std::string program;        // the executable's path
    std::string build_id;       // of the executable
    std::string configuration;  // its hash
};

// One line of the history, with its end: {"time":"…Z","generation":3,"event":"ready","worker":"3.0","text":"…"}. Texts
// are cut at 1 KiB. Empty fields are left out.
std::string history_line(std::string_view time, const core::Record& record, const ProgramFacts& facts);

// The generation that a line tells of; nothing for one that is no whole line of a history. `line` has no end.
std::optional<Generation> generation_in(std::string_view line);

}  // namespace holdfast::runtime
