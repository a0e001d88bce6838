#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

// What the program's exit status means. The manual's table is compared with this one by a test.
enum class ExitCode {
    done = 0,
    failed = 1,
    usage = 2,
    unclean_stop = 3,
    unavailable = 4,
    internal_error = 70,
};

struct ExitCodeRow {
    ExitCode code;
    std::string_view run;     // of `holdfast run`
    std::string_view client;  // of the other commands; `stop` returns what `run` will
};

inline constexpr std::array exit_codes = {
    ExitCodeRow{ExitCode::done, "every worker of the final stop released or exited in time", "what was asked is so"},
    ExitCodeRow{ExitCode::failed, "the first generation was not ready in time", "it is not, the text says why"},
    ExitCodeRow{ExitCode::usage, "wrong usage, nothing was started", "wrong usage, nothing was asked"},
    ExitCodeRow{ExitCode::unclean_stop, "in the final stop a worker was killed, or cancelled with work left",
                "the same, of the run that was stopped"},
    ExitCodeRow{ExitCode::unavailable, "a socket or the name could not be had", "no supervisor was found"},
    ExitCodeRow{ExitCode::internal_error, "a defect of holdfast itself", "a defect of holdfast itself"},
};

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace holdfast::cli
