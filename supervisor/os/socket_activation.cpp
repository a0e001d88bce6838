#include "os/socket_activation.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/parse.hpp"
#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t max_passed = 4096;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string take_first_name(std::string_view& names) {
    const std::size_t colon = names.find(':');
    const std::string first(names.substr(0, colon));
    names.remove_prefix(colon == names.npos ? names.size() : colon + 1);
    // The names that systemd gives to unnamed sockets.
    return first == "unknown" || first == "stored" ? "" : first;
}

Result<std::vector<PassedSocket>> adopt(std::uint64_t count, std::string_view names) {
    std::vector<PassedSocket> sockets;
    for (int fd = first_passed; fd < first_passed + static_cast<int>(count); ++fd) {
        const int flags = ::fcntl(fd, F_GETFD);
        if (flags < 0 || ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) {
            return errno_error("use descriptor " + std::to_string(fd) + " of LISTEN_FDS");
        }
        sockets.push_back({UniqueFd(fd), take_first_name(names)});
    }
    return sockets;
}

}  // namespace

Result<std::vector<PassedSocket>> take_passed_sockets() {
    const std::string count_text = variable("LISTEN_FDS");
    const std::string pid_text = variable("LISTEN_PID");
    const std::string names = variable("LISTEN_FDNAMES");
    for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(name);
    if (count_text.empty() || pid_text.empty()) return std::vector<PassedSocket>{};
    const auto pid = parse_count(pid_text);
    if (!pid) return error("cannot use the passed sockets: LISTEN_PID " + pid.error().text);
    // Addressed to one of our ancestors, which did not unset the variables.
    if (*pid != static_cast<std::uint64_t>(::getpid())) return std::vector<PassedSocket>{};
    const auto count = parse_count(count_text, 0, max_passed);
    if (!count) return error("cannot use the passed sockets: LISTEN_FDS " + count.error().text);
    return adopt(*count, names);
}

}  // namespace holdfast::os
