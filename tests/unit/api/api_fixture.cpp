#include "api_fixture.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace holdfast::api {
namespace {

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

}  // namespace

ListeningDirectory::ListeningDirectory() {
    std::string pattern = "/tmp/holdfast-api-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
}

ListeningDirectory::~ListeningDirectory() { std::filesystem::remove_all(path_); }

int ListeningDirectory::listen(int backlog) const {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(socket_path());
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
    EXPECT_EQ(::listen(fd, backlog), 0);
    return fd;
}

RawClient::RawClient(const std::string& socket_path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(socket_path);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
}

void RawClient::send(std::string_view bytes) const {
    ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // no check: the server may have closed the connection
}

void RawClient::finish_sending() const { ::shutdown(fd_, SHUT_WR); }

void RawClient::hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void RawClient::read() {
    char bytes[4096];
    for (;;) {
        const ssize_t got = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) received_.append(bytes, static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
        if (got <= 0) return;
    }
}

const std::string& RawClient::received() {
    read();
    return received_;
}

bool RawClient::is_ended() {
    read();
    return ended_;
}

bool RawClient::is_answered() {
    const std::string& text = received();
    const std::size_t body = text.find("\r\n\r\n");
    const std::size_t length = text.find("Content-Length: ");
    if (body == text.npos || length == text.npos) return false;
    return text.size() >= body + 4 + std::stoul(text.substr(length + 16));
}

bool RawClient::is_cut_off() const {
    pollfd state{.fd = fd_, .events = 0, .revents = 0};
    ::poll(&state, 1, 0);
    return (state.revents & POLLHUP) != 0;
}

void ServerTest::start(Limits limits) {
    server_ = std::make_unique<Server>(io_.get_executor(), directory_.listen(), ::getuid(), backend(), limits);
}

Backend ServerTest::backend() {
    return {
        .ask =
            [this](core::Request request, auto answer) {
                requests_.push_back({std::move(request), std::move(answer)});
            },
        .snapshot = [this] { return status_; },
        .reload =
            [this](std::string asked_by, auto answer) {
                reloads_.push_back({std::move(asked_by), std::move(answer)});
            },
        .preview_reload = [this] { return reload_preview_; },
        .history = [this] { return history_; },
        .last_output = [this] { return last_output_; },
        .follow_events = [this](std::function<void(std::string_view)> on_event) -> std::shared_ptr<void> {
            const auto position = subscribers_.insert(subscribers_.end(), std::move(on_event));
            return {nullptr, [this, position](std::nullptr_t) { subscribers_.erase(position); }};
        },
    };
}

void ServerTest::emit(std::string_view event) {
    for (const auto& on_event : std::list(subscribers_)) on_event(event);
}

void ServerTest::run_until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), limit) << "the condition was not met within 5 s";
        io_.restart();
        io_.run_one_for(std::chrono::milliseconds(5));
    }
}

std::string ServerTest::answer_to(std::string_view request) {
    RawClient client = connect();
    client.send(request);
    run_until([&] { return client.is_answered() || client.is_ended(); });
    return client.received();
}

RawClient ServerTest::ask(std::string_view request) const {
    RawClient client = connect();
    client.send(request);
    return client;
}

std::size_t ServerTest::handlers_run_within(std::chrono::milliseconds time) {
    io_.restart();
    return io_.run_for(time);
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

}  // namespace holdfast::api
