#include "health.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <holdfast/acceptor.hpp>
#include <system_error>
#include <utility>

#include "diagnostics.hpp"
#include "listener_shutdown.hpp"

namespace holdfast {

namespace {

constexpr std::size_t max_clients = 64;
constexpr std::size_t max_request_bytes = 8192;
constexpr std::chrono::seconds client_timeout{5};
constexpr std::chrono::milliseconds accept_retry_delay{100};  // after EMFILE and the like

std::string response(std::string_view status, std::string_view body) {
    std::string text = "HTTP/1.1 ";
    text += status;
    text += "\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: ";
    text += std::to_string(body.size()) + "\r\n\r\n";
    return text.append(body);
}

}  // namespace

Health::Health(std::string_view address, Poller& poller, std::function<bool()> is_ready)
    : poller_(poller), address_(parse_address(address)), is_ready_(std::move(is_ready)) {
    if (is_served(address_)) {
        bind_socket(address_, Sharing::with_others);
        return;
    }
    listen();
    poller_.add(listener_.get(), EPOLLIN, first_key);
    is_polled_ = true;
}

Health::~Health() {
    for (auto& [key, client] : clients_) poller_.remove(client.fd.get());
    if (is_polled_) poller_.remove(listener_.get());
}

void Health::listen() {
    listener_ = bind_listener(address_, Sharing::with_others);
    ::fcntl(listener_.get(), F_SETFL, O_NONBLOCK);
}

void Health::join() {
    const std::lock_guard lock(mutex_);
    if (listener_ || left_ != Left::no) return;
    try {
        listen();
    } catch (const std::system_error& failure) {
        log_error("cannot serve health probes: " + std::string(failure.what()) +
                  "; they are answered by the other workers only");
    }
}

void Health::accept_probes() {
    const std::lock_guard lock(mutex_);
    if (left_ == Left::no) answer_.reset();
    if (!listener_ || is_polled_) return;
    try {
        poller_.add(listener_.get(), EPOLLIN, first_key);
        is_polled_ = true;
    } catch (const std::system_error& failure) {
        log_error("cannot serve health probes: " + std::string(failure.what()));
        listener_.reset();
    }
}

// Who connects after the filter was attached is let in by another process, one second later: TCP repeats the SYN.
void Health::leave() {
    const bool is_ready = is_ready_();
    const std::lock_guard lock(mutex_);
    if (left_ != Left::no) return;
    left_ = listener_ ? Left::after_join : Left::before_join;
    if (!listener_) return;
    answer_ = is_ready;
    drop_new_connections(listener_.get());
    closes_at_ = Clock::now() + handshake_period;
}

bool Health::is_closing() {
    const std::lock_guard lock(mutex_);
    return closes_at_ && (listener_ || !clients_.empty());
}

void Health::come_back() {
    {
        const std::lock_guard lock(mutex_);
        const Left left = std::exchange(left_, Left::no);
        closes_at_.reset();
        if (left != Left::after_join) return;
        if (listener_) accept_new_connections(listener_.get());
    }
    join();
}

void Health::close_listener() {
    accept_all();
    if (std::exchange(is_polled_, false)) poller_.remove(listener_.get());
    listener_.reset();
    paused_until_.reset();
}

void Health::handle(const epoll_event& event) {
    const std::uint64_t key = event.data.u64;  // a copy: the struct is packed, and a reference to it is misaligned
    const std::lock_guard lock(mutex_);
    if (key == first_key) return accept_all();
    const auto client = clients_.find(key);
    if (client != clients_.end()) serve(client->first, client->second);
}

std::optional<Health::Clock::time_point> Health::close_expired(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (closes_at_ && *closes_at_ <= now) {
        if (listener_) close_listener();
        closes_at_.reset();
    }
    if (paused_until_ && *paused_until_ <= now) {
        paused_until_.reset();
        poller_.change(listener_.get(), EPOLLIN, first_key);
    }
    std::optional<Clock::time_point> next = closes_at_;
    if (paused_until_ && (!next || *paused_until_ < *next)) next = paused_until_;
    for (auto client = clients_.begin(); client != clients_.end();) {
        if (client->second.end <= now) {
            poller_.remove(client->second.fd.get());
            client = clients_.erase(client);
            continue;
        }
        if (!next || client->second.end < *next) next = client->second.end;
        ++client;
    }
    return next;
}

void Health::accept_all() {
    while (listener_) {
        UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd && accept_failed_for_long(errno)) return pause_accepting();
        if (!fd) return;
        // At the limit, the oldest connection is closed in favour of the new one.
        if (clients_.size() == max_clients) {
            poller_.remove(clients_.begin()->second.fd.get());
            clients_.erase(clients_.begin());
        }
        const std::uint64_t key = ++last_key_;
        try {
            poller_.add(fd.get(), EPOLLIN | EPOLLRDHUP, key);
        } catch (const std::system_error&) {
            continue;  // the kernel's limit on watches was reached; closes the connection
        }
        clients_.try_emplace(key, Client{std::move(fd), Clock::now() + client_timeout, {}, {}});
    }
}

// Connections are queued but cannot be accepted: stops polling the listener for a moment, to avoid a busy loop.
void Health::pause_accepting() {
    poller_.change(listener_.get(), 0, first_key);
    paused_until_ = Clock::now() + accept_retry_delay;
}

void Health::serve(std::uint64_t key, Client& client) {
    if (client.response.empty()) {
        if (!read_request(client)) return;
        client.response = response_to(client.request);
        // The response fits into any socket's send buffer. What cannot be sent at once is dropped.
        std::ignore =
            ::send(client.fd.get(), client.response.data(), client.response.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        ::shutdown(client.fd.get(), SHUT_WR);
        return;
    }
    std::array<char, 1024> rest;
    const ssize_t size = ::recv(client.fd.get(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR))) return;
    poller_.remove(client.fd.get());
    clients_.erase(key);
}

// Returns whether the request head is complete, or reading must end.
bool Health::read_request(Client& client) {
    std::array<char, 1024> bytes;
    const ssize_t size = ::recv(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return errno != EAGAIN && errno != EINTR;
    client.request.append(bytes.data(), static_cast<std::size_t>(size));
    return size == 0 || client.request.size() >= max_request_bytes ||
           client.request.find("\r\n\r\n") != std::string::npos;
}

std::string Health::response_to(std::string_view request) const {
    const std::string_view line = request.substr(0, request.find("\r\n"));
    const std::size_t method_end = line.find(' ');
    const std::size_t target_end = line.find(' ', method_end == line.npos ? line.size() : method_end + 1);
    if (target_end == line.npos || request.find("\r\n\r\n") == request.npos) {
        return response("400 Bad Request", "malformed request\n");
    }
    const std::string_view method = line.substr(0, method_end);
    std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
    target = target.substr(0, target.find('?'));
    if (method != "GET" && method != "HEAD") return response("405 Method Not Allowed", "");
    const bool is_live = target == "/livez";
    if (!is_live && target != "/readyz") return response("404 Not Found", "not found; use /livez or /readyz\n");
    const bool is_good = is_live || (answer_ ? *answer_ : is_ready_());
    const std::string_view body = method == "HEAD" ? "" : is_good ? "ok\n" : "not ready\n";
    return response(is_good ? "200 OK" : "503 Service Unavailable", body);
}

}  // namespace holdfast
