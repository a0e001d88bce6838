#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "address.hpp"
#include "unique_fd.hpp"

namespace holdfast {

// A listening socket that this process inherited.
struct InheritedListener {
    UniqueFd fd;
    std::string name;
    Address address;
    bool may_shut_down = false;  // the supervisor bound it, and nobody else uses it
};

// What this process inherited from its supervisor. Checks that it is meant for this process, and removes the variables
// so that child processes do not use them. (WATCHDOG_USEC stays for programs that read it themselves; WATCHDOG_PID
// protects it.) All descriptors are close-on-exec.
struct StartEnvironment {
    UniqueFd control;  // empty: no supervisor
    std::vector<InheritedListener> listeners;
    std::chrono::microseconds watchdog{};  // the supervisor's watchdog timeout; 0: none
};

// Changes the environment: call it before there are other threads.
StartEnvironment take_environment();

// Reads a duration such as "500ms", "30s", "5m", "1h", "0" from a variable; `otherwise` if it is not set. The result is
// bounded(). Throws std::invalid_argument, naming the variable.
std::chrono::milliseconds duration_from(const char* variable, std::chrono::milliseconds otherwise);

}  // namespace holdfast
