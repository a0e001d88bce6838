#include "faults.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <utility>

namespace {

constexpr int listener_fd = 3;

using namespace std::string_literals;

const std::array malformed_messages{
    std::pair{"empty", ""s},
    std::pair{"no-equals", "READY=1\nnonsense \x1b[2J"s},
    std::pair{"nul", "STATUS=a\0b"s},
    std::pair{"overlong", "STATUS=" + std::string(70'000, 'x')},
    std::pair{"number", "X_HOLDFAST_IN_FLIGHT=many"s},
    std::pair{"negative", "EXTEND_TIMEOUT_USEC=-5"s},
    std::pair{"flag", "READY=yes"s},
    std::pair{"entry", "X_HOLDFAST_WAITING=request"s},
};

void send_malformed(const std::string& kind, const SupervisorChannel& channel) {
    for (const auto& [name, message] : malformed_messages) {
        if (kind == name || kind == "all") channel.send(message);
    }
}

void send_main_pid(const std::string& pid, const SupervisorChannel& channel) {
    if (pid == "self") {
        channel.send("MAINPID=" + std::to_string(::getpid()));
    } else if (pid == "child") {
        channel.send("MAINPID=" + std::to_string(start_grandchildren()));
    } else {
        channel.send("MAINPID=" + pid);
    }
}

void unlink_path() {
    sockaddr_un address{};
    socklen_t length = sizeof address;
    ::getsockname(listener_fd, reinterpret_cast<sockaddr*>(&address), &length);
    if (address.sun_family == AF_UNIX) ::unlink(address.sun_path);
}

void write_last_words(long bytes) {
    constexpr std::string_view line = "these are last words, and there are many of them\n";
    for (; bytes > 0; bytes -= static_cast<long>(line.size())) std::fwrite(line.data(), 1, line.size(), stderr);
}

[[noreturn]] void stay() {
    for (;;) ::pause();
}

}  // namespace

void inject_faults(const Options& options, const SupervisorChannel& channel) {
    if (options.has_grandchildren) start_grandchildren();
    for (const std::string& kind : options.malformed) send_malformed(kind, channel);
    for (const std::string& pid : options.main_pids) send_main_pid(pid, channel);
    if (options.descriptors > 0) {
        channel.send("STATUS=with descriptors",
                     std::vector<int>(static_cast<std::size_t>(options.descriptors), STDERR_FILENO));
    }
    if (options.shuts_listener_down) ::shutdown(listener_fd, SHUT_RD);
    if (options.backlog >= 0) ::listen(listener_fd, options.backlog);
    if (options.unlinks_path) unlink_path();
    if (options.last_words > 0) write_last_words(options.last_words);
}

int start_grandchildren() {
    const pid_t in_group = ::fork();
    if (in_group == 0) stay();
    if (::fork() == 0) {
        ::setsid();
        stay();
    }
    const pid_t intermediate = ::fork();
    if (intermediate == 0) {
        if (::fork() == 0) stay();
        ::_exit(0);
    }
    ::waitpid(intermediate, nullptr, 0);
    return in_group;
}

void clear_nonblock() { ::fcntl(listener_fd, F_SETFL, ::fcntl(listener_fd, F_GETFL) & ~O_NONBLOCK); }

void flood(const SupervisorChannel& channel) {
    const std::string message = "STATUS=" + std::string(3000, '\x1b');
    for (int sent = 0; sent < 100 && channel.send(message); ++sent) continue;  // limited, so that timers can run
}
