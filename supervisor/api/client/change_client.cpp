#include "api/client/change_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <memory>
#include <optional>

#include "api/client/cancel_on_readable.hpp"
#include "api/client/change_http.hpp"
#include "api/client/event_reader.hpp"
#include "api/client/http_call.hpp"
#include "api/client/http_exchange.hpp"
#include "api/client/status_poller.hpp"

namespace holdfast::api {
namespace {

// Runs an event loop until the outcome arrives. The change, the event stream and each status poll have a connection of
// their own.
class ChangeClient {
  public:
    ChangeClient(const Service& service, const ChangeRequest& request, const ProgressCallbacks& callbacks)
        : path_(socket_of(service.directory)),
          request_(request),
          callbacks_(callbacks),
          poller_(io_, service.directory) {}

    Result<ChangeOutcome> run() {
        if (callbacks_.on_event) {
            follow_events();
        } else {
            send();
        }
        if (callbacks_.on_tick || callbacks_.on_status || callbacks_.on_service) schedule_tick();
        io_.run();
        return std::move(*outcome_);
    }

  private:
    enum class Sent { not_yet, yes };

    // The change is sent only when the event stream is open: otherwise its first events could be missed.
    void follow_events() {
        events_ = std::make_shared<EventReader>(io_, path_);
        events_->start([this](const Result<void>&) { send(); },
                       [this](const EventView& event) { callbacks_.on_event(event); });
    }

    void send() {
        sent_ = Sent::yes;
        auto request = std::make_shared<HttpExchange>(io_, path_);
        request->start("POST", target_of(request_), body_of(request_), std::nullopt, [this](Result<Reply> reply) {
            outcome_ = reply ? parse_outcome(std::move(reply->body)) : Result<ChangeOutcome>(reply.error());
            drain_events();
        });
    }

    // Events that the server wrote before the outcome have arrived: they are read before the loop ends.
    void drain_events() {
        timer_.cancel();
        if (events_) events_->drain();
        io_.stop();
    }

    void cancel() {
        outcome_ = sent_ == Sent::yes
                       ? error("stopped waiting for the outcome: the change continues", EINTR)
                       : error("cancelled before the change was requested: nothing has changed", ECANCELED);
        io_.stop();
    }

    void schedule_tick() {
        timer_.expires_after(callbacks_.poll_interval);
        timer_.async_wait([this](const boost::system::error_code& aborted) {
            if (aborted) return;
            if (callbacks_.on_tick) callbacks_.on_tick();
            if ((callbacks_.on_status || callbacks_.on_service) && !poller_.is_under_way()) poll();
            schedule_tick();
        });
    }

    void poll() {
        poller_.poll([this](const Result<Service>& seen) {
            if (seen && callbacks_.on_status) callbacks_.on_status(seen->status);
            if (seen && callbacks_.on_service) callbacks_.on_service(*seen);
        });
    }

    std::string path_;
    const ChangeRequest& request_;
    const ProgressCallbacks& callbacks_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
    CancelOnReadable cancel_on_readable_{io_, callbacks_.cancel_fd, [this] { cancel(); }};
    StatusPoller poller_;
    std::shared_ptr<EventReader> events_;
    Sent sent_ = Sent::not_yet;
    std::optional<Result<ChangeOutcome>> outcome_;
};

}  // namespace

Result<ChangeOutcome> perform_change(const Service& service, const ChangeRequest& request,
                                     const ProgressCallbacks& callbacks) {
    return ChangeClient(service, request, callbacks).run();
}

}  // namespace holdfast::api
