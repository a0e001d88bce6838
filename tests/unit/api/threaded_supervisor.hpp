#pragma once

#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "api/server/server.hpp"

namespace holdfast::api {

// A supervisor that runs in its own thread, for tests of blocking clients. Set the callbacks before begin(); they are
// called on that thread.
class ThreadedSupervisor {
  public:
    using Respond = std::function<void(core::Outcome)>;

    // By default every request is answered at once.
    std::function<void(const core::Request&, Respond)> on_request = [](const core::Request&, const Respond& answer) {
        answer({});
    };
    std::function<void(core::Status&)> on_snapshot = [](core::Status&) {};
    std::function<void()> on_follow = [] {};

    void begin(int listening_fd, Limits limits = {}) {
        server_ = std::make_unique<Server>(io_.get_executor(), listening_fd, ::getuid(), backend(), limits);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~ThreadedSupervisor() {
        end();
        guard_.reset();
        if (thread_.joinable()) thread_.join();
    }

    // Thread-safe.
    void emit(std::string event) {
        boost::asio::post(io_, [this, event = std::move(event)] {
            for (const auto& on_event : std::list(subscribers_)) on_event(event);
        });
    }
    void post(std::function<void()> act) { boost::asio::post(io_, std::move(act)); }
    void post_after(std::chrono::milliseconds time, std::function<void()> act) {
        const auto timer = std::make_shared<boost::asio::steady_timer>(io_, time);
        timer->async_wait([timer, act = std::move(act)](const boost::system::error_code&) { act(); });
    }
    void end() {
        boost::asio::post(io_, [this] { server_.reset(); });
    }

  private:
    Backend backend() {
        Backend supervisor;
        supervisor.ask = [this](const core::Request& request, Respond answer) {
            on_request(request, std::move(answer));
        };
        supervisor.snapshot = [this] {
            core::Status status;
            status.name = "web";
            on_snapshot(status);
            return status;
        };
        supervisor.follow_events = [this](std::function<void(std::string_view)> on_event) -> std::shared_ptr<void> {
            const auto position = subscribers_.insert(subscribers_.end(), std::move(on_event));
            boost::asio::post(io_, [this] { on_follow(); });
            return {nullptr, [this, position](std::nullptr_t) { subscribers_.erase(position); }};
        };
        return supervisor;
    }

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
    std::list<std::function<void(std::string_view)>> subscribers_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

// An eventfd: becomes readable when notify() is called.
class EventFd {
  public:
    EventFd();
    ~EventFd();
    EventFd(const EventFd&) = delete;
    EventFd& operator=(const EventFd&) = delete;
    int fd() const { return fd_; }
    void notify() const;

  private:
    int fd_ = -1;
};

}  // namespace holdfast::api
