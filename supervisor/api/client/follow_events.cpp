#include <cerrno>

#include "api/client/cancel_on_readable.hpp"
#include "api/client/client.hpp"
#include "api/client/event_reader.hpp"

namespace holdfast::api {

Result<void> follow_events(const Service& service, const std::function<Continue(const EventView&)>& on_event,
                           int cancel_fd) {
    boost::asio::io_context io{1};
    Result<void> outcome;
    const CancelOnReadable cancel_on_readable(io, cancel_fd, [&] {
        outcome = error("stopped following the events", EINTR);
        io.stop();
    });
    const auto reader = std::make_shared<EventReader>(io, socket_of(service.directory));
    reader->start(
        [&](Result<void> begun) {
            outcome = std::move(begun);
            if (!outcome) io.stop();
        },
        [&](const EventView& event) {
            if (on_event(event) == Continue::yes) return;
            reader->close();
            io.stop();
        },
        [&] { io.stop(); });
    io.run();
    return outcome;
}

}  // namespace holdfast::api
