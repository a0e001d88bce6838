// Measures the time from the write of a command to the callback in the SDK, and the round trip of a packet over a bare
// socketpair, both between two processes, in rounds of one run. Prints the medians in nanoseconds.

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <holdfast/worker.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "wire/wire.hpp"

namespace {

using namespace holdfast;

constexpr int rounds = 40;
constexpr int commands_per_round = 50;

std::int64_t now_nanoseconds() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// This end of a packet socket, and the process at the other end.
struct Peer {
    int fd = -1;
    pid_t pid = -1;
};

template <typename Program>
Peer start_peer(Program program) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) {
        fail("cannot create a socketpair");
    }
    const pid_t pid = ::fork();
    if (pid < 0) {
        fail("cannot fork");
    }
    if (pid == 0) {
        ::close(ends[0]);
        ::_exit(program(ends[1]));
    }
    ::close(ends[1]);
    return {ends[0], pid};
}

void end_peer(const Peer& peer) {
    ::kill(peer.pid, SIGKILL);
    ::waitpid(peer.pid, nullptr, 0);
    ::close(peer.fd);
}

int echo(int fd) {
    std::array<char, max_message_bytes> packet{};
    for (;;) {
        const ssize_t length = ::read(fd, packet.data(), packet.size());
        if (length <= 0 || ::write(fd, packet.data(), static_cast<std::size_t>(length)) != length) {
            return 0;
        }
    }
}

int serve(int fd, std::int64_t* called_at) {
    struct stat control {};
    if (::fstat(fd, &control) != 0) {
        fail("cannot stat the control pipe");
    }
    ::setenv("HOLDFAST_CONTROL_FD", std::to_string(fd).c_str(), 1);
    ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(control.st_ino).c_str(), 1);
    Worker worker;
    worker.on_pause([called_at] { *called_at = now_nanoseconds(); });
    worker.ready();
    return worker.wait();
}

void send(int fd, std::string_view packet) {
    if (::write(fd, packet.data(), packet.size()) != static_cast<ssize_t>(packet.size())) {
        fail("cannot write a command");
    }
}

// Reads reports until one has the expected value of X_HOLDFAST_ACCEPTING.
void wait_until_accepting(int fd, bool expected) {
    std::array<char, max_message_bytes> packet{};
    for (;;) {
        const ssize_t length = ::read(fd, packet.data(), packet.size());
        if (length <= 0) {
            fail("cannot read a report: the worker has exited");
        }
        const auto said = wire::decode_report({packet.data(), static_cast<std::size_t>(length)}, 0);
        const auto* report = std::get_if<Report>(&said);
        if (report != nullptr && report->accepting == expected) {
            return;
        }
    }
}

std::int64_t round_trip(int fd, std::string_view packet) {
    std::array<char, max_message_bytes> answer{};
    const std::int64_t began = now_nanoseconds();
    send(fd, packet);
    if (::read(fd, answer.data(), answer.size()) <= 0) {
        fail("cannot read the echo: the process has exited");
    }
    return now_nanoseconds() - began;
}

std::int64_t command_to_callback(int fd, std::string_view pause, std::string_view run, const std::int64_t* called_at) {
    const std::int64_t written = now_nanoseconds();
    send(fd, pause);
    wait_until_accepting(fd, false);
    const std::int64_t took = *called_at - written;
    send(fd, run);
    wait_until_accepting(fd, true);
    return took;
}

std::int64_t median(std::vector<std::int64_t> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void measure() {
    void* shared = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        fail("cannot map a page");
    }
    auto* called_at = static_cast<std::int64_t*>(shared);
    const Peer bare = start_peer(echo);
    const Peer worker = start_peer([&](int fd) { return serve(fd, called_at); });
    const std::int64_t deadline = now_nanoseconds() / 1000 + 3'600'000'000;
    const std::string pause = wire::encode(Command{Stage::pause, deadline, deadline, Reason::restart});
    const std::string run = wire::encode(Command{Stage::run, {}, {}, Reason::rollback});

    std::vector<std::int64_t> raw;
    std::vector<std::int64_t> commanded;
    for (int round = 0; round < rounds; ++round) {
        for (int count = 0; count < commands_per_round; ++count) {
            raw.push_back(round_trip(bare.fd, pause));
        }
        for (int count = 0; count < commands_per_round; ++count) {
            commanded.push_back(command_to_callback(worker.fd, pause, run, called_at));
        }
    }
    end_peer(worker);
    end_peer(bare);
    std::printf("raw_round_trip %lld\ncommand_to_callback %lld\n", static_cast<long long>(median(std::move(raw))),
                static_cast<long long>(median(std::move(commanded))));
}

}  // namespace

int main() {
    try {
        measure();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "command_latency: %s\n", error.what());
        return 1;
    }
}
