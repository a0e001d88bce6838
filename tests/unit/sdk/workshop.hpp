#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <holdfast/worker.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "examples/http_text.hpp"

namespace holdfast::testing {

// What the handlers of the adapters' tests work with. Each adapter has a "kind", a small server with the routes of
// http_text.hpp and with
//   GET /work    uses the tool until the test says that the work is over, then answers "OK"
//   POST /pauses (event loops) reads slowly, see stream_kinds.hpp
//   GET /stay    a session "stay" with its own deadline `stay_period`, which does not leave
// Each connection serves one request. Thread-safe.
class Workshop {
  public:
    // A use of the tool.
    class Use {
      public:
        explicit Use(Workshop& shop) : shop_(&shop) { ++shop.users_; }
        Use(Use&& other) noexcept : shop_(std::exchange(other.shop_, nullptr)) {}
        ~Use() { end(); }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;

        void end() {
            if (shop_ != nullptr) --std::exchange(shop_, nullptr)->users_;
        }

      private:
        Workshop* shop_;
    };

    static constexpr std::chrono::milliseconds stay_period{200};

    void end_work() {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
        changed_.notify_all();
    }
    bool is_over() const {
        const std::lock_guard lock(mutex_);
        return is_over_;
    }
    // Uses the tool until the work is over.
    void work() {
        const Use use(*this);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return is_over_; });
    }

    int users() const { return users_; }

    // Closes the tool, when no request is left.
    void close() { users_at_close_ = users_.load(); }
    // How many used the tool when it was closed; -1: it was not closed.
    int users_at_close() const { return users_at_close_; }

    static void stay(Session& session) {
        session.set_name("stay");
        session.set_leave_within(stay_period);
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool is_over_ = false;
    std::atomic<int> users_ = 0;
    std::atomic<int> users_at_close_ = -1;
};

// The limits of a kind's server, where its library has them.
struct TransferLimits {
    std::chrono::milliseconds period{30'000};
    std::size_t min_rate = 100;
};

// What a kind is run with: run() serves on the calling thread until the worker has released everything.
struct Setup {
    Worker& worker;
    Listener listener;
    Workshop& shop;
    TransferLimits limits;
    std::function<void()> on_ready;  // to be called when the server is set up
};

// The whole response to a request with a body of `received_bytes`. The connection ends after it.
inline std::string response_to(std::string_view target, std::size_t received_bytes) {
    const http_text::Body body = http_text::body_for(target, received_bytes);
    return http_text::response_head("200 OK", body.size(), "test", http_text::Says::close) + body.text +
           std::string(body.filler_bytes, 'x');
}

inline std::string path_of(std::string_view target) { return std::string(target.substr(0, target.find('?'))); }

}  // namespace holdfast::testing
