#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "address.hpp"
#include "unique_fd.hpp"

namespace holdfast {

// A listening socket that this process was started with.
struct InheritedListener {
    UniqueFd fd;
    std::string name;
    Address address;
};

// What a process was started with, checked to be meant for it, and then taken out of the environment, so that no child
// of it believes it was meant. (WATCHDOG_USEC stays, for a program that reads it itself; WATCHDOG_PID guards it.) All
// descriptors are close-on-exec.
struct StartEnvironment {
    UniqueFd control;  // none: no supervisor
    std::vector<InheritedListener> listeners;
    std::chrono::microseconds watchdog{};  // the longest silence that the supervisor takes for life; 0: any
};

// Changes the environment: before there are other threads.
StartEnvironment take_environment();

// A duration like "500ms", "30s", "5m", "1h", "0", bounded() like `otherwise`. Throws std::invalid_argument, naming the
// variable.
std::chrono::milliseconds duration_from(const char* variable, std::chrono::milliseconds otherwise);

}  // namespace holdfast
