#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/listener.hpp"
#include "os/runtime_directory.hpp"
#include "os/service_manager.hpp"
#include "os/signals.hpp"
#include "os/unique_fd.hpp"
#include "os/worker_records.hpp"

namespace holdfast::runtime {

// Everything that is acquired before the first launch. The destructor removes the files that it created.
struct StartupResources {
    StartupResources() = default;
    StartupResources(StartupResources&&) = default;
    ~StartupResources();

    std::optional<os::RuntimeDirectory> directory;  // empty: no API, abstract notify sockets
    std::optional<os::WorkerRecords> records;
    os::UniqueFd api_socket;
    std::vector<os::Listener> admin;  // owns the descriptors until they are released, and the paths until the end
    std::optional<os::Signals> signals;
    std::optional<os::ServiceManager> manager;
    os::SighupDisposition sighup = os::SighupDisposition::handled;
    std::vector<std::string> environment;      // of the supervisor at its start
    std::optional<ResourceLimit> descriptors;  // its limit of open files at its start
};

}  // namespace holdfast::runtime
