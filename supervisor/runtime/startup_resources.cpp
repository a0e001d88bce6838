#include "runtime/startup_resources.hpp"

#include "os/api_socket.hpp"

namespace holdfast::runtime {

StartupResources::~StartupResources() {
    if (!directory) return;
    os::remove_api_socket(*directory);
    if (records) records->remove_folder(*directory);
    directory->remove();
}

}  // namespace holdfast::runtime
