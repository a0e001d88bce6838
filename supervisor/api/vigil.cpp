#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <memory>

#include "api/event_reader.hpp"
#include "api/giving_up.hpp"
#include "api/http_call.hpp"
#include "api/looking.hpp"

namespace holdfast::api {
namespace {

using boost::system::error_code;

constexpr Duration while_it_moves = std::chrono::seconds(1);

bool moves(const ServiceView& service) {
    return service.change ||
           std::ranges::any_of(service.workers, [](const WorkerView& worker) { return !worker.why_leaving.empty(); });
}

// One look after another in a loop that ends with the supervisor.
class Vigil {
  public:
    Vigil(const Service& service, const Ears& ears)
        : ears_(ears),
          looking_(io_, service.directory),
          events_(std::make_shared<EventReader>(io_, socket_of(service.directory))) {}

    Result<void> run() {
        events_->start([this](Result<void> begun) { begin(std::move(begun)); },
                       [this](const EventView& event) { hear(event); }, [this] { io_.stop(); });
        if (ears_.tick) wait_for_tick();
        io_.run();
        return std::move(outcome_);
    }

  private:
    void begin(Result<void> begun) {
        outcome_ = std::move(begun);
        if (!outcome_) return io_.stop();
        want_a_look();
    }

    void hear(const EventView& event) {
        if (ears_.event) ears_.event(event);
        want_a_look();
    }

    // At once, or when the last one is done and long enough ago.
    void want_a_look() {
        if (!ears_.status && !ears_.look) return;
        if (pace_ == Pace::resting || looking_.is_under_way()) {
            wanted_ = Wanted::yes;
        } else {
            look();
        }
    }

    void look() {
        wanted_ = Wanted::no;
        rest();
        looking_.look([this](const Result<Service>& seen) {
            if (seen && ears_.status) ears_.status(seen->status);
            if (seen && ears_.look) ears_.look(*seen);
            // A look that failed says nothing about what moves.
            if (!seen || moves(seen->status)) look_again_later();
            if (wanted_ == Wanted::yes) want_a_look();
        });
    }

    void rest() {
        pace_ = Pace::resting;
        resting_.expires_after(ears_.look_every);
        resting_.async_wait([this](const error_code& aborted) {
            if (aborted) return;
            pace_ = Pace::free;
            if (wanted_ == Wanted::yes) want_a_look();
        });
    }

    void look_again_later() {
        moving_.expires_after(while_it_moves);
        moving_.async_wait([this](const error_code& aborted) {
            if (!aborted) want_a_look();
        });
    }

    void wait_for_tick() {
        ticking_.expires_after(ears_.look_every);
        ticking_.async_wait([this](const error_code& aborted) {
            if (aborted) return;
            ears_.tick();
            wait_for_tick();
        });
    }

    void give_up() {
        outcome_ = error("nobody watches any more", EINTR);
        io_.stop();
    }

    enum class Pace { free, resting };
    enum class Wanted { no, yes };

    const Ears& ears_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer resting_{io_}, moving_{io_}, ticking_{io_};
    GivingUp giving_up_{io_, ears_.give_up_fd, [this] { give_up(); }};
    Looking looking_;
    std::shared_ptr<EventReader> events_;
    Pace pace_ = Pace::free;
    Wanted wanted_ = Wanted::no;
    Result<void> outcome_;
};

}  // namespace

Result<void> watch(const Service& service, const Ears& ears) { return Vigil(service, ears).run(); }

}  // namespace holdfast::api
