#include "runtime/probing.hpp"

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

constexpr std::size_t most_read = 1024;

// "no answer within 1.0 s"
std::string silence() {
    const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(core::probe_timeout).count() / 100;
    return "no answer within " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// "connection refused": a clause, not a sentence.
std::string clause(int error_number) {
    if (error_number == EAGAIN) return "its queue is full: it does not accept";
    std::string text = os::errno_text(error_number);
    if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') text.front() += 'a' - 'A';
    return text;
}

// Where an address of --ready-when leads to. Every address means this machine's own.
Result<os::SocketAddress> place_of(const std::string& address) {
    const auto parsed = parse_listen_address(address);
    if (!parsed) return parsed.error();
    if (parsed->family == Family::unix_path) return os::unix_address(parsed->path);
    if (parsed->family == Family::unix_abstract) return os::abstract_address(parsed->path);
    if (parsed->family != Family::inet) return error("cannot connect to " + address + ": it is no address", EINVAL);
    return os::internet_address(parsed->host.empty() ? "127.0.0.1" : parsed->host, parsed->port);
}

std::string request_for(const core::ReadyProbe& probe) {
    const bool has_host = probe.where == core::ReadyProbe::Where::address && !probe.address.starts_with("unix:");
    const bool is_whole = has_host && !probe.address.starts_with(':') && probe.address.find(':') != std::string::npos;
    return "GET " + probe.path + " HTTP/1.1\r\nHost: " + (is_whole ? probe.address : "localhost") +
           "\r\nUser-Agent: holdfast-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

struct Probing::Question {
    Question(boost::asio::io_context& io, WorkerId about, std::uint64_t serial)
        : worker(about), number(serial), deadline(io) {}

    WorkerId worker;
    std::uint64_t number;
    std::string request;  // empty: that it connects is enough
    Descriptor socket;
    boost::asio::steady_timer deadline;
    std::array<char, most_read> answer{};
    std::size_t read = 0;
};

Probing::Probing(boost::asio::io_context& io, Pump& pump) : io_(io), pump_(pump) {}
Probing::~Probing() = default;

void Probing::probe(const Worker& worker) {
    const auto question = std::make_shared<Question>(io_, worker.id, ++last_number_);
    questions_.emplace(question->number, question);
    if (!worker.probe) return answer(question->number, Answer::good, {});
    const bool is_private = worker.probe->where == core::ReadyProbe::Where::private_listener;
    if (is_private && !worker.probe_listener) {
        return answer(question->number, Answer::bad, "it has no probe listener");
    }
    const auto place =
        is_private ? Result<os::SocketAddress>(worker.probe_listener->place()) : place_of(worker.probe->address);
    if (!place) return answer(question->number, Answer::bad, place.error().text);
    auto socket = os::begin_connect(*place);
    if (!socket) return answer(question->number, Answer::bad, clause(socket.error().code));
    if (const int failed = wait_for(question->socket, io_, socket->get())) {
        return answer(question->number, Answer::bad, clause(failed));
    }
    static_cast<void>(socket->release());
    if (worker.probe->how == core::ReadyProbe::How::http) question->request = request_for(*worker.probe);
    set_deadline(question);
    await_connection(question);
}

void Probing::forget(WorkerId worker) {
    std::erase_if(questions_, [worker](const auto& entry) { return entry.second->worker == worker; });
}

void Probing::set_deadline(const std::shared_ptr<Question>& question) {
    question->deadline.expires_after(core::probe_timeout);
    question->deadline.async_wait([this, number = question->number](boost::system::error_code failed) {
        if (!failed) answer(number, Answer::bad, silence());
    });
}

// Handlers hold the question weakly: one that was answered or forgotten is gone, with its socket and its timer.
void Probing::await_connection(const std::shared_ptr<Question>& question) {
    question->socket->async_wait(stream_descriptor::wait_write,
                                 [this, weak = std::weak_ptr(question)](boost::system::error_code failed) {
                                     if (const auto asked = weak.lock(); asked && !failed) connected(asked);
                                 });
}

void Probing::connected(const std::shared_ptr<Question>& question) {
    const int fd = question->socket->native_handle();
    if (const int failed = os::connect_outcome(fd)) return answer(question->number, Answer::bad, clause(failed));
    if (question->request.empty()) return answer(question->number, Answer::good, {});
    // A fresh socket takes the whole of it.
    const auto sent = ::send(fd, question->request.data(), question->request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return answer(question->number, Answer::bad, clause(errno));
    await_answer(question);
}

void Probing::await_answer(const std::shared_ptr<Question>& question) {
    question->socket->async_wait(stream_descriptor::wait_read,
                                 [this, weak = std::weak_ptr(question)](boost::system::error_code failed) {
                                     if (const auto asked = weak.lock(); asked && !failed) read_answer(asked);
                                 });
}

void Probing::read_answer(const std::shared_ptr<Question>& question) {
    auto& buffer = question->answer;
    const auto got = ::recv(question->socket->native_handle(), buffer.data() + question->read,
                            buffer.size() - question->read, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return await_answer(question);
    if (got < 0) return answer(question->number, Answer::bad, clause(errno));
    question->read += static_cast<std::size_t>(got);
    const auto status = read_http_status({buffer.data(), question->read});
    if (status.reading == HttpStatus::Reading::no_http) {
        return answer(question->number, Answer::bad, "its answer is no HTTP");
    }
    if (status.reading == HttpStatus::Reading::known) {
        const bool is_good = status.code >= 200 && status.code < 400;
        return answer(question->number, is_good ? Answer::good : Answer::bad,
                      is_good ? "" : "HTTP " + std::to_string(status.code));
    }
    if (got > 0) return await_answer(question);
    answer(question->number, Answer::bad,
           question->read == 0 ? "it closed the connection without an answer" : "its answer is no HTTP");
}

void Probing::answer(std::uint64_t number, Answer answer, std::string text) {
    const auto found = questions_.find(number);
    if (found == questions_.end()) return;
    pump_.push(core::ProbeAnswered{found->second->worker, answer, std::move(text)});
    questions_.erase(found);
}

}  // namespace holdfast::runtime
