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

// 0 when somebody answers, else why nobody does. A full queue (EAGAIN) and another type (EPROTOTYPE) are life.
Result<int> knock(const std::string& path) {
    const auto address = unix_address(path);
    if (!address) return address.error();
    const UniqueFd client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!client) return errno_error("make a socket");
    return ::connect(client.get(), address->get(), address->length) == 0 ? 0 : errno;
}

Error held(const std::string& path) {
    ListenAddress address;
    address.family = Family::unix_path;
    address.path = path;
    const std::string holders = describe(find_holders(address));
    return error("a live server answers there" + (holders.empty() ? "" : ": " + holders), EADDRINUSE);
}

}  // namespace

Result<void> remove_stale_socket(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return errno_error("look at " + path);
    }
    if (!S_ISSOCK(status.st_mode)) return error("a file that is no socket stands there, and is left alone", EADDRINUSE);
    const auto answer = knock(path);
    if (!answer) return answer.error();
    if (*answer == EACCES || *answer == EPERM) return errno_error("see whether somebody listens there", *answer);
    if (*answer != ECONNREFUSED && *answer != ENOENT) return held(path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("remove the stale socket there");
    return {};
}

}  // namespace holdfast::os
