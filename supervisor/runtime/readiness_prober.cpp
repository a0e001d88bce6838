#include "runtime/readiness_prober.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "base/address.hpp"
#include "os/connect.hpp"
#include "os/errno_error.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/http_status.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;
using Answer = core::ProbeAnswered::Answer;

constexpr std::size_t max_response_bytes = 1024;

// "no response within 1.0 s"
std::string timeout_text() {
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(core::probe_timeout).count() / 100;
    return "no response within " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// A lower-case clause such as "connection refused", to be embedded in a sentence.
std::string error_text(int error_number) {
    if (error_number == EAGAIN) return "its accept queue is full";
    std::string text = os::errno_text(error_number);
    if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') text.front() += 'a' - 'A';
    return text;
}

// The target of an address of --ready-when. The wildcard address means the loopback address.
Result<os::SocketAddress> target_of(const std::string& address) {
    const auto parsed = parse_listen_address(address);
    if (!parsed) return parsed.error();
    if (parsed->family == Family::unix_path) return os::unix_address(parsed->path);
    if (parsed->family == Family::unix_abstract) return os::abstract_address(parsed->path);
    if (parsed->family != Family::inet) return error("cannot connect to " + address + ": not an address", EINVAL);
    return os::internet_address(parsed->host.empty() ? "127.0.0.1" : parsed->host, parsed->port);
}

std::string request_for(const core::ReadyProbe& probe) {
    const bool has_host = probe.where == core::ReadyProbe::Where::address && !probe.address.starts_with("unix:");
    const bool is_whole = has_host && !probe.address.starts_with(':') && probe.address.find(':') != std::string::npos;
    return "GET " + probe.path + " HTTP/1.1\r\nHost: " + (is_whole ? probe.address : "localhost") +
           "\r\nUser-Agent: holdfast-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

struct ReadinessProber::ProbeAttempt {
    ProbeAttempt(boost::asio::io_context& io, WorkerId about, std::uint64_t serial)
        : worker(about), number(serial), deadline(io) {}

    WorkerId worker;
    std::uint64_t number;
    std::string request;  // empty: a successful connection is enough
    Descriptor socket;
    boost::asio::steady_timer deadline;
    std::array<char, max_response_bytes> answer{};
    std::size_t read = 0;
};

ReadinessProber::ReadinessProber(boost::asio::io_context& io, EventQueue& event_queue)
    : io_(io), event_queue_(event_queue) {}
ReadinessProber::~ReadinessProber() = default;

void ReadinessProber::probe(const Worker& worker) {
    const auto attempt = std::make_shared<ProbeAttempt>(io_, worker.id, ++last_number_);
    attempts_.emplace(attempt->number, attempt);
    if (!worker.probe) return answer(attempt->number, Answer::good, {});
    const bool is_private = worker.probe->where == core::ReadyProbe::Where::private_listener;
    if (is_private && !worker.probe_listener) {
        return answer(attempt->number, Answer::bad, "it has no probe listener");
    }
    const auto target =
        is_private ? Result<os::SocketAddress>(worker.probe_listener->address()) : target_of(worker.probe->address);
    if (!target) return answer(attempt->number, Answer::bad, target.error().text);
    auto socket = os::begin_connect(*target);
    if (!socket) return answer(attempt->number, Answer::bad, error_text(socket.error().code));
    if (const int failed = wait_for(attempt->socket, io_, socket->get())) {
        return answer(attempt->number, Answer::bad, error_text(failed));
    }
    static_cast<void>(socket->release());
    if (worker.probe->how == core::ReadyProbe::How::http) attempt->request = request_for(*worker.probe);
    set_deadline(attempt);
    await_connection(attempt);
}

void ReadinessProber::forget(WorkerId worker) {
    std::erase_if(attempts_, [worker](const auto& entry) { return entry.second->worker == worker; });
}

void ReadinessProber::set_deadline(const std::shared_ptr<ProbeAttempt>& attempt) {
    attempt->deadline.expires_after(core::probe_timeout);
    attempt->deadline.async_wait([this, number = attempt->number](boost::system::error_code failed) {
        if (!failed) answer(number, Answer::bad, timeout_text());
    });
}

// Handlers keep a weak reference: an attempt that was answered or forgotten no longer exists, nor do its socket and
// timer.
void ReadinessProber::await_connection(const std::shared_ptr<ProbeAttempt>& attempt) {
    attempt->socket->async_wait(stream_descriptor::wait_write,
                                [this, weak = std::weak_ptr(attempt)](boost::system::error_code failed) {
                                    if (const auto locked = weak.lock(); locked && !failed) connected(locked);
                                });
}

void ReadinessProber::connected(const std::shared_ptr<ProbeAttempt>& attempt) {
    const int fd = attempt->socket->native_handle();
    if (const int failed = os::connect_outcome(fd)) return answer(attempt->number, Answer::bad, error_text(failed));
    if (attempt->request.empty()) return answer(attempt->number, Answer::good, {});
    // The send buffer of a new socket is large enough for the whole request.
    const auto sent = ::send(fd, attempt->request.data(), attempt->request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return answer(attempt->number, Answer::bad, error_text(errno));
    await_answer(attempt);
}

void ReadinessProber::await_answer(const std::shared_ptr<ProbeAttempt>& attempt) {
    attempt->socket->async_wait(stream_descriptor::wait_read,
                                [this, weak = std::weak_ptr(attempt)](boost::system::error_code failed) {
                                    if (const auto locked = weak.lock(); locked && !failed) read_answer(locked);
                                });
}

void ReadinessProber::read_answer(const std::shared_ptr<ProbeAttempt>& attempt) {
    auto& buffer = attempt->answer;
    const auto got = ::recv(attempt->socket->native_handle(), buffer.data() + attempt->read,
                            buffer.size() - attempt->read, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return await_answer(attempt);
    if (got < 0) return answer(attempt->number, Answer::bad, error_text(errno));
    attempt->read += static_cast<std::size_t>(got);
    const auto status = read_http_status({buffer.data(), attempt->read});
    if (status.reading == HttpStatus::Reading::not_http) {
        return answer(attempt->number, Answer::bad, "its response is not HTTP");
    }
    if (status.reading == HttpStatus::Reading::known) {
        const bool is_good = status.code >= 200 && status.code < 400;
        return answer(attempt->number, is_good ? Answer::good : Answer::bad,
                      is_good ? "" : "HTTP " + std::to_string(status.code));
    }
    if (got > 0) return await_answer(attempt);
    answer(attempt->number, Answer::bad,
           attempt->read == 0 ? "it closed the connection without a response" : "its response is not HTTP");
}

void ReadinessProber::answer(std::uint64_t number, Answer answer, std::string text) {
    const auto found = attempts_.find(number);
    if (found == attempts_.end()) return;
    event_queue_.push(core::ProbeAnswered{found->second->worker, answer, std::move(text)});
    attempts_.erase(found);
}

}  // namespace holdfast::runtime
