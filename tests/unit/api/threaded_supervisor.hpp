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

#include "api/server.hpp"

namespace holdfast::api {

// A supervisor in a thread of its own, for clients that block. What a test sets is set before it begins; everything of
// it happens in its thread.
class ThreadedSupervisor {
  public:
    using Answer = std::function<void(core::Outcome)>;

    // By default everything is answered at once.
    std::function<void(const core::Request&, Answer)> asked = [](const core::Request&, const Answer& answer) {
        answer({});
    };
    std::function<void(core::Status&)> looked_at = [](core::Status&) {};
    std::function<void()> followed = [] {};

    void begin(int listening_fd, Limits limits = {}) {
        server_ = std::make_unique<Server>(io_.get_executor(), listening_fd, ::getuid(), supervised(), limits);
        thread_ = std::thread([this] { io_.run(); });
    }
    ~ThreadedSupervisor() {
        end();
        guard_.reset();
        if (thread_.joinable()) thread_.join();
    }

    // These may be called from anywhere.
    void tell(std::string event) {
        boost::asio::post(io_, [this, event = std::move(event)] {
            for (const auto& hear : std::list(listeners_)) hear(event);
        });
    }
    void later(std::function<void()> act) { boost::asio::post(io_, std::move(act)); }
    void after(std::chrono::milliseconds time, std::function<void()> act) {
        const auto timer = std::make_shared<boost::asio::steady_timer>(io_, time);
        timer->async_wait([timer, act = std::move(act)](const boost::system::error_code&) { act(); });
    }
    void end() {
        boost::asio::post(io_, [this] { server_.reset(); });
    }

  private:
    Supervised supervised() {
        Supervised supervisor;
        supervisor.ask = [this](const core::Request& request, Answer answer) { asked(request, std::move(answer)); };
        supervisor.snapshot = [this] {
            core::Status status;
            status.name = "web";
            looked_at(status);
            return status;
        };
        supervisor.follow_events = [this](std::function<void(std::string_view)> hear) -> std::shared_ptr<void> {
            const auto place = listeners_.insert(listeners_.end(), std::move(hear));
            boost::asio::post(io_, [this] { followed(); });
            return {nullptr, [this, place](std::nullptr_t) { listeners_.erase(place); }};
        };
        return supervisor;
    }

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
    std::list<std::function<void(std::string_view)>> listeners_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

// A descriptor that gets readable when the test says so.
class Bell {
  public:
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    int fd() const { return fd_; }
    void ring() const;

  private:
    int fd_ = -1;
};

}  // namespace holdfast::api
