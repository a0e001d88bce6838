#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

// Exit statuses of the program. A test compares this table with the manual.
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
    std::string_view run;     // meaning for `holdfast run`
    std::string_view client;  // meaning for the other commands; `stop` has the exit status of `run`
};

inline constexpr std::array exit_codes = {
    ExitCodeRow{ExitCode::done, "in the final stop every worker released its work or exited in time",
                "the request was carried out"},
    ExitCodeRow{ExitCode::failed, "the first generation was not ready in time",
                "the request failed; the message says why"},
    ExitCodeRow{ExitCode::usage, "wrong usage; nothing was started", "wrong usage; nothing was requested"},
    ExitCodeRow{ExitCode::unclean_stop, "in the final stop a worker was killed, or cancelled with work left",
                "stop: the stopped supervisor ended with this status"},
    ExitCodeRow{ExitCode::unavailable, "a socket or the service name is not available", "no supervisor was found"},
    ExitCodeRow{ExitCode::internal_error, "a defect of holdfast itself", "a defect of holdfast itself"},
};

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace holdfast::cli
