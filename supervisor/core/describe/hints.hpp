#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/exit_status.hpp"
#include "core/worker_state.hpp"

namespace holdfast::core {

// Common mistakes, recognised by what they leave behind. Each is a part of a sentence that says what to do, or empty.

// A program that was launched and puts itself into the background.
std::string hint_for_main_exit(const ExitStatus& status, WorkerState state);

// Something that a worker wrote before it ended, launched with these listeners from descriptor 3 on.
std::string hint_for_last_words(const std::vector<std::string>& last_words, const std::vector<std::string>& listeners);

// A launch that failed at `stage`.
std::string hint_for_launch(std::string_view stage, int error_number);

}  // namespace holdfast::core
