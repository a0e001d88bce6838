#include <cerrno>

#include "api/client.hpp"
#include "api/event_reader.hpp"
#include "api/giving_up.hpp"

namespace holdfast::api {

Result<void> follow_events(const Service& service, const std::function<Hear(const EventView&)>& hear, int give_up_fd) {
    boost::asio::io_context io{1};
    Result<void> outcome;
    const GivingUp giving_up(io, give_up_fd, [&] {
        outcome = error("nobody follows the events any more", EINTR);
        io.stop();
    });
    const auto reader = std::make_shared<EventReader>(io, socket_of(service.directory));
    reader->start(
        [&](Result<void> begun) {
            outcome = std::move(begun);
            if (!outcome) io.stop();
        },
        [&](const EventView& event) {
            if (hear(event) == Hear::on) return;
            reader->close();
            io.stop();
        },
        [&] { io.stop(); });
    io.run();
    return outcome;
}

}  // namespace holdfast::api
