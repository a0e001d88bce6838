#pragma once

#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "api/server/server.hpp"

namespace holdfast::api {

// A supervisor that runs in its own thread and answers every request with the same outcome.
class StubSupervisor {
  public:
    StubSupervisor(const std::string& name, int listening_fd, core::Outcome outcome = {})
        : server_(std::make_unique<Server>(io_.get_executor(), listening_fd, ::getuid(),
                                           backend(name, std::move(outcome)))),
          thread_([this] { io_.run(); }) {}
    ~StubSupervisor() {
        boost::asio::post(io_, [this] { server_.reset(); });
        guard_.reset();
        thread_.join();
    }
    // The last request. Read it only after the request was answered.
    const core::Request& asked() const { return asked_; }
    const std::string& reloaded_by() const { return reloaded_by_; }

  private:
    Backend backend(const std::string& name, const core::Outcome& outcome) {
        Backend supervisor;
        supervisor.ask = [this, outcome](const core::Request& request, const auto& answer) {
            asked_ = request;
            answer(outcome);
        };
        supervisor.snapshot = [name] {
            core::Status status;
            status.name = name;
            status.pid = static_cast<int>(std::hash<std::string>{}(name) % 30'000);
            status.workers.emplace_back().generation = Generation{1};
            return status;
        };
        supervisor.reload = [this](const std::string& asked_by, const auto& answer) {
            reloaded_by_ = asked_by;
            answer({core::Outcome::Result::done, "nothing has changed", {}, 0});
        };
        supervisor.preview_reload = [] {
            return core::Outcome{core::Outcome::Result::done, "adds the listener admin", {}, 0};
        };
        supervisor.history = [] { return std::vector<std::string>{R"({"event":"started"})", R"({"event":"done"})"}; };
        supervisor.last_output = [] {
            return std::vector<core::LastOutput>{{"1.0", 7, core::LastOutput::Of::ended, {"bye"}},
                                                 {"2.0", 8, core::LastOutput::Of::living, {"hello"}}};
        };
        return supervisor;
    }

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io_.get_executor()};
    core::Request asked_;
    std::string reloaded_by_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

}  // namespace holdfast::api
