#include "os/api_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/runtime_paths.hpp"
#include "os/errno_error.hpp"
#include "os/socket_address.hpp"

namespace holdfast::os {

Result<UniqueFd> open_api_socket(const RuntimeDirectory& directory) {
    constexpr int backlog = 64;
    const std::string path = directory.path() + "/" + std::string(api_socket_file);
    const auto address = unix_address(path);
    if (!address) return address.error();
    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) return errno_error("create the API socket");
    remove_api_socket(directory);
    // bind() creates the file with the socket's mode, so other users cannot connect at any moment.
    if (::fchmod(fd.get(), 0600) != 0) return errno_error("set the mode of " + path);
    if (::bind(fd.get(), address->get(), address->length) != 0) return errno_error("bind " + path);
    if (::listen(fd.get(), backlog) != 0) return errno_error("listen on " + path);
    return fd;
}

void remove_api_socket(const RuntimeDirectory& directory) { ::unlinkat(directory.fd(), api_socket_file.data(), 0); }

}  // namespace holdfast::os
