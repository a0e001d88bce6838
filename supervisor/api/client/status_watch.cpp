#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <memory>

#include "api/client/cancel_on_readable.hpp"
#include "api/client/event_reader.hpp"
#include "api/client/http_call.hpp"
#include "api/client/status_poller.hpp"

namespace holdfast::api {
namespace {

using boost::system::error_code;

constexpr Duration changing_interval = std::chrono::seconds(1);

bool is_changing(const ServiceView& service) {
    return service.change ||
           std::ranges::any_of(service.workers, [](const WorkerView& worker) { return !worker.why_leaving.empty(); });
}

// Runs an event loop that polls the status until the supervisor ends.
class StatusWatch {
  public:
    StatusWatch(const Service& service, const ProgressCallbacks& callbacks)
        : callbacks_(callbacks),
          poller_(io_, service.directory),
          events_(std::make_shared<EventReader>(io_, socket_of(service.directory))) {}

    Result<void> run() {
        events_->start([this](Result<void> begun) { begin(std::move(begun)); },
                       [this](const EventView& event) { handle_event(event); }, [this] { io_.stop(); });
        if (callbacks_.on_tick) schedule_tick();
        io_.run();
        return std::move(outcome_);
    }

  private:
    void begin(Result<void> begun) {
        outcome_ = std::move(begun);
        if (!outcome_) return io_.stop();
        request_poll();
    }

    void handle_event(const EventView& event) {
        if (callbacks_.on_event) callbacks_.on_event(event);
        request_poll();
    }

    // Polls now, or as soon as the current poll is done and `poll_interval` has passed since it began.
    void request_poll() {
        if (!callbacks_.on_status && !callbacks_.on_service) return;
        if (throttle_ == Throttle::on || poller_.is_under_way()) {
            poll_requested_ = PollRequested::yes;
        } else {
            poll();
        }
    }

    void poll() {
        poll_requested_ = PollRequested::no;
        throttle();
        poller_.poll([this](const Result<Service>& seen) {
            if (seen && callbacks_.on_status) callbacks_.on_status(seen->status);
            if (seen && callbacks_.on_service) callbacks_.on_service(*seen);
            // After a failed poll it is unknown whether a change is under way: poll again.
            if (!seen || is_changing(seen->status)) schedule_poll();
            if (poll_requested_ == PollRequested::yes) request_poll();
        });
    }

    void throttle() {
        throttle_ = Throttle::on;
        throttle_timer_.expires_after(callbacks_.poll_interval);
        throttle_timer_.async_wait([this](const error_code& aborted) {
            if (aborted) return;
            throttle_ = Throttle::off;
            if (poll_requested_ == PollRequested::yes) request_poll();
        });
    }

    void schedule_poll() {
        poll_timer_.expires_after(changing_interval);
        poll_timer_.async_wait([this](const error_code& aborted) {
            if (!aborted) request_poll();
        });
    }

    void schedule_tick() {
        tick_timer_.expires_after(callbacks_.poll_interval);
        tick_timer_.async_wait([this](const error_code& aborted) {
            if (aborted) return;
            callbacks_.on_tick();
            schedule_tick();
        });
    }

    void cancel() {
        outcome_ = error("stopped watching the status", EINTR);
        io_.stop();
    }

    enum class Throttle { off, on };
    enum class PollRequested { no, yes };

    const ProgressCallbacks& callbacks_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer throttle_timer_{io_}, poll_timer_{io_}, tick_timer_{io_};
    CancelOnReadable cancel_on_readable_{io_, callbacks_.cancel_fd, [this] { cancel(); }};
    StatusPoller poller_;
    std::shared_ptr<EventReader> events_;
    Throttle throttle_ = Throttle::off;
    PollRequested poll_requested_ = PollRequested::no;
    Result<void> outcome_;
};

}  // namespace

Result<void> watch_status(const Service& service, const ProgressCallbacks& callbacks) {
    return StatusWatch(service, callbacks).run();
}

}  // namespace holdfast::api
