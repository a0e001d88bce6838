#pragma once

#include <string_view>

namespace holdfast::core {

enum class WorkerState { starting, ready, paused, lame_duck, draining, cancelling, killed, gone };

std::string_view to_string(WorkerState state);

}  // namespace holdfast::core
