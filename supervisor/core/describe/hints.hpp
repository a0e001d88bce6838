#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/exit_status.hpp"
#include "core/worker_state.hpp"

namespace holdfast::core {

// Recognises common mistakes. Each function returns a clause that names the mistake and the remedy, or an empty string.

// For a worker whose main process exited while other processes of it still run: a program that daemonizes.
std::string hint_for_main_exit(const ExitStatus& status, WorkerState state);

// For the last lines of standard error of a worker that inherited `listeners` from descriptor 3 on.
std::string hint_for_last_words(const std::vector<std::string>& last_words, const std::vector<std::string>& listeners);

// For a launch that failed at `stage`.
std::string hint_for_launch(std::string_view stage, int error_number);

}  // namespace holdfast::core
