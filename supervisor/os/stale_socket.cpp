#include "os/stale_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/address.hpp"
#include "os/errno_error.hpp"
#include "os/socket_address.hpp"
#include "os/socket_holder.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {
namespace {

// Returns 0 if a server listens on the path, otherwise the errno of connect(). EAGAIN (full queue) and EPROTOTYPE
// (another socket type) also mean that the socket is alive.
Result<int> try_connect(const std::string& path) {
    const auto address = unix_address(path);
    if (!address) return address.error();
    const UniqueFd client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!client) return errno_error("create a socket");
    return ::connect(client.get(), address->get(), address->length) == 0 ? 0 : errno;
}

Error held(const std::string& path) {
    ListenAddress address;
    address.family = Family::unix_path;
    address.path = path;
    const std::string holders = describe(find_holders(address));
    return error("another server is listening on this path" + (holders.empty() ? "" : ": " + holders), EADDRINUSE);
}

}  // namespace

Result<void> remove_stale_socket(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return errno_error("stat " + path);
    }
    if (!S_ISSOCK(status.st_mode)) return error("the path exists and is not a socket", EADDRINUSE);
    const auto answer = try_connect(path);
    if (!answer) return answer.error();
    if (*answer == EACCES || *answer == EPERM) return errno_error("check whether a server is listening there", *answer);
    if (*answer != ECONNREFUSED && *answer != ENOENT) return held(path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("remove the stale socket");
    return {};
}

}  // namespace holdfast::os
