#include "api/client.hpp"
#include "api/event_reader.hpp"

namespace holdfast::api {

Result<void> follow_events(const Service& service, const std::function<Hear(const EventView&)>& hear) {
    boost::asio::io_context io{1};
    Result<void> outcome;
    const auto reader = std::make_shared<EventReader>(io, socket_of(service.directory));
    reader->start([&](Result<void> begun) { outcome = std::move(begun); },
                  [&](const EventView& event) {
                      if (hear(event) == Hear::enough) reader->close();
                  });
    io.run();
    return outcome;
}

}  // namespace holdfast::api
