#include "environment.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "period.hpp"

namespace holdfast {

namespace {

constexpr int first_listener_fd = 3;

std::optional<std::uint64_t> number_from(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return std::nullopt;
    std::uint64_t value = 0;
    const char* last = text + std::strlen(text);
    const auto [end, failure] = std::from_chars(text, last, value);
    if (end == text || end != last || failure != std::errc{}) return std::nullopt;
    return value;
}

int option_of(int fd, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// Checks the inode: an ancestor may have closed the descriptor and opened something else with its number.
bool is_control_pipe(int fd, std::uint64_t inode) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == inode &&
           option_of(fd, SO_DOMAIN) == AF_UNIX && option_of(fd, SO_TYPE) == SOCK_SEQPACKET;
}

UniqueFd take_control() {
    const auto fd = number_from("HOLDFAST_CONTROL_FD");
    const auto inode = number_from("HOLDFAST_CONTROL_INODE");
    if (!fd || !inode || *fd > INT_MAX || !is_control_pipe(static_cast<int>(*fd), *inode)) return {};
    ::unsetenv("HOLDFAST_CONTROL_FD");
    ::unsetenv("HOLDFAST_CONTROL_INODE");
    ::fcntl(static_cast<int>(*fd), F_SETFD, FD_CLOEXEC);
    return UniqueFd(static_cast<int>(*fd));
}

std::string next_name(std::string_view& names) {
    const std::size_t end = std::min(names.find(':'), names.size());
    std::string name(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
    return name;
}

// The numbers in HOLDFAST_BOUND_FDS: "3,4".
std::vector<int> bound_fds() {
    const char* text = std::getenv("HOLDFAST_BOUND_FDS");
    std::string_view rest = text == nullptr ? "" : text;
    std::vector<int> fds;
    while (!rest.empty()) {
        int fd = -1;
        const std::size_t end = std::min(rest.find(','), rest.size());
        const auto [last, failure] = std::from_chars(rest.data(), rest.data() + end, fd);
        if (failure == std::errc{} && last == rest.data() + end) fds.push_back(fd);
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return fds;
}

std::vector<InheritedListener> take_listeners() {
    std::vector<InheritedListener> listeners;
    const char* names = std::getenv("LISTEN_FDNAMES");
    std::string_view rest = names == nullptr ? "" : names;
    const int count = static_cast<int>(std::min<std::uint64_t>(number_from("LISTEN_FDS").value_or(0), 4096));
    for (int fd = first_listener_fd; fd < first_listener_fd + count; ++fd) {
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) break;  // fewer are open than announced
        listeners.push_back(
            {.fd = UniqueFd(fd), .name = next_name(rest), .address = address_of(fd), .may_shut_down = false});
    }
    for (const char* variable : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) ::unsetenv(variable);
    return listeners;
}

// WATCHDOG_PID is not checked, for the same reason as LISTEN_PID in take_environment().
std::chrono::microseconds watchdog_period() {
    constexpr std::uint64_t most = std::chrono::microseconds(longest_period).count();
    const std::uint64_t period = std::min(number_from("WATCHDOG_USEC").value_or(0), most);
    return std::chrono::microseconds(static_cast<std::int64_t>(period));
}

}  // namespace

StartEnvironment take_environment() {
    StartEnvironment environment{.control = take_control(), .listeners = {}, .watchdog = {}};
    // Behind a wrapper LISTEN_PID is the pid of the wrapper; a process with the control pipe is the worker in any case.
    if (environment.control || number_from("LISTEN_PID") == static_cast<std::uint64_t>(::getpid())) {
        environment.listeners = take_listeners();
    }
    if (!environment.control) return environment;
    environment.watchdog = watchdog_period();
    const std::vector<int> bound = bound_fds();
    ::unsetenv("HOLDFAST_BOUND_FDS");
    for (InheritedListener& listener : environment.listeners) {
        listener.may_shut_down = std::ranges::find(bound, listener.fd.get()) != bound.end();
    }
    return environment;
}

std::chrono::milliseconds duration_from(const char* variable, std::chrono::milliseconds otherwise) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return bounded(otherwise);
    std::uint64_t count = 0;
    const std::string_view whole = text;
    constexpr std::uint64_t most = longest_period.count();  // in any unit; bounded() limits the product
    if (whole == "0") return {};                            // needs no unit
    const auto [end, failure] = std::from_chars(text, text + whole.size(), count);
    if (failure == std::errc::result_out_of_range) count = UINT64_MAX;
    const std::string_view unit = whole.substr(static_cast<std::size_t>(end - text));
    for (const auto& [name, factor] : {std::pair{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}) {
        if (end != text && unit == name)
            return bounded(std::chrono::milliseconds(static_cast<std::int64_t>(std::min(count, most)) * factor));
    }
    throw std::invalid_argument(std::string(variable) + " takes a duration (500ms, 30s, 5m, 1h), not \"" + text + "\"");
}

}  // namespace holdfast
