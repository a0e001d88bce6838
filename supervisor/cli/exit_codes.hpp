#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

// What the program's exit status means. The manual's table is compared with this one by a test.
enum class ExitCode {
    done = 0,
    not_done = 1,
    usage = 2,
    cut_short = 3,
    not_had = 4,
    defect = 70,
};

struct ExitCodeRow {
    ExitCode code;
    std::string_view run;     // of `holdfast run`
    std::string_view client;  // of the other commands; `stop` returns what `run` will
};

inline constexpr std::array exit_codes = {
    ExitCodeRow{ExitCode::done, "every worker of the final stop released or exited in time", "what was asked is so"},
    ExitCodeRow{ExitCode::not_done, "the first generation was not ready in time", "it is not, the text says why"},
    ExitCodeRow{ExitCode::usage, "wrong usage, nothing was started", "wrong usage, nothing was asked"},
    ExitCodeRow{ExitCode::cut_short, "in the final stop a worker was killed, or cancelled with work left",
                "the same, of the run that was stopped"},
    ExitCodeRow{ExitCode::not_had, "a socket or the name could not be had", "no supervisor was found"},
    ExitCodeRow{ExitCode::defect, "a defect of holdfast itself", "a defect of holdfast itself"},
};

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace holdfast::cli
