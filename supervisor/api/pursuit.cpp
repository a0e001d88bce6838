#include "api/pursuit.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <memory>
#include <optional>

#include "api/changes.hpp"
#include "api/event_reader.hpp"
#include "api/exchange.hpp"
#include "api/giving_up.hpp"
#include "api/http_call.hpp"
#include "api/looking.hpp"

namespace holdfast::api {
namespace {

// The change, its events and the looks at the status, each on a connection of its own, in one loop that ends with the
// answer.
class Pursuit {
  public:
    Pursuit(const Service& service, const Wish& wish, const Ears& ears)
        : path_(socket_of(service.directory)), wish_(wish), ears_(ears), looking_(io_, service.directory) {}

    Result<Answer> run() {
        if (ears_.event) {
            follow();
        } else {
            ask();
        }
        if (ears_.tick || ears_.status || ears_.look) wait_for_tick();
        io_.run();
        return std::move(*answer_);
    }

  private:
    enum class Asked { not_yet, yes };

    // What begins to be heard after the change was asked for might lack its first events.
    void follow() {
        events_ = std::make_shared<EventReader>(io_, path_);
        events_->start([this](const Result<void>&) { ask(); }, [this](const EventView& event) { ears_.event(event); });
    }

    void ask() {
        asked_ = Asked::yes;
        auto request = std::make_shared<Exchange>(io_, path_);
        request->start("POST", target_of(wish_), body_of(wish_), std::nullopt, [this](Result<Reply> reply) {
            answer_ = reply ? read_answer(std::move(reply->body)) : Result<Answer>(reply.error());
            hear_the_rest();
        });
    }

    // Events that left before the answer did have arrived: they are read before the loop ends.
    void hear_the_rest() {
        timer_.cancel();
        if (events_) events_->drain();
        io_.stop();
    }

    void give_up() {
        answer_ = asked_ == Asked::yes
                      ? error("nobody waits for the outcome any more: what was asked for goes on", EINTR)
                      : error("given up before it was asked for: nothing has changed", ECANCELED);
        io_.stop();
    }

    void wait_for_tick() {
        timer_.expires_after(ears_.look_every);
        timer_.async_wait([this](const boost::system::error_code& aborted) {
            if (aborted) return;
            if (ears_.tick) ears_.tick();
            if ((ears_.status || ears_.look) && !looking_.is_under_way()) look();
            wait_for_tick();
        });
    }

    void look() {
        looking_.look([this](const Result<Service>& seen) {
            if (seen && ears_.status) ears_.status(seen->status);
            if (seen && ears_.look) ears_.look(*seen);
        });
    }

    std::string path_;
    const Wish& wish_;
    const Ears& ears_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
    GivingUp giving_up_{io_, ears_.give_up_fd, [this] { give_up(); }};
    Looking looking_;
    std::shared_ptr<EventReader> events_;
    Asked asked_ = Asked::not_yet;
    std::optional<Result<Answer>> answer_;
};

}  // namespace

Result<Answer> pursue(const Service& service, const Wish& wish, const Ears& ears) {
    return Pursuit(service, wish, ears).run();
}

}  // namespace holdfast::api
