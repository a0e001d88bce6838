#include "operations.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <stdexcept>

#include "programs.hpp"

namespace holdfast::test {

RunOptions short_run(std::vector<std::string> command) {
    RunOptions options;
    options.options = {"--listen",       "127.0.0.1:0", "--workers",       "2",    "--settle", "100ms",
                       "--grace-period", "2s",          "--cancel-period", "500ms"};
    options.command = std::move(command);
    return options;
}

std::vector<std::string> all_listeners() { return {program("all-listeners")}; }

std::string wait_for_status(SupervisorProcess& run, const std::string& part,
                            const std::vector<std::string>& arguments) {
    const auto end = std::chrono::steady_clock::now() + test_timeout;
    std::string shown;
    while (std::chrono::steady_clock::now() < end) {
        shown = run.command("status", arguments).output;
        if (shown.find(part) != shown.npos) return shown;
    }
    throw std::runtime_error("the status never contained \"" + part + "\"; the last one:\n" + shown);
}

std::string send_and_receive(const std::string& address, const std::string& bytes) {
    const ServerAddress server = parse_server_address(address).value();
    const int client = ::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{std::chrono::duration_cast<std::chrono::seconds>(test_timeout).count(), 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::string answer;
    if (::connect(client, server.data(), server.length) == 0 &&
        ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size())) {
        std::array<char, 4096> part;
        for (ssize_t got = 0; (got = ::recv(client, part.data(), part.size(), 0)) > 0;) {
            answer.append(part.data(), static_cast<std::size_t>(got));
        }
    }
    ::close(client);
    return answer;
}

HttpAnswer http_get(const std::string& address, const std::string& target) {
    const std::string text =
        send_and_receive(address, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ")) return {};
    const std::size_t head = text.find("\r\n\r\n");
    return {text.substr(9, 3), head == text.npos ? "" : text.substr(head + 4)};
}

HttpAnswer wait_for_http(const std::string& address, const std::string& target, const std::string& status) {
    const auto end = std::chrono::steady_clock::now() + test_timeout;
    HttpAnswer answer;
    while (std::chrono::steady_clock::now() < end) {
        answer = http_get(address, target);
        if (answer.status == status) return answer;
    }
    throw std::runtime_error(target + " never returned " + status + ", last " + answer.status + ": " + answer.body);
}

std::string free_port() {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(probe);
    return std::to_string(ntohs(address.sin_port));
}

std::int64_t monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

LogPredicate at_or_after(std::int64_t mono_usec) {
    return [=](const LogEntry& entry) { return entry.mono_usec >= mono_usec; };
}

void expect_served(const std::string& address, int requests) {
    expect_flawless(BackgroundLoad(slow_load(address, requests, 0)).wait_for_end());
}

}  // namespace holdfast::test
