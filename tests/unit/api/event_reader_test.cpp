#include "api/client/event_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "api/client/client.hpp"
#include "api_fixture.hpp"

namespace holdfast::api {
namespace {

using testing::ElementsAre;

constexpr std::string_view header = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

enum class Pieces { whole, single_bytes };

// The texts of the events that a client receives from a stream that arrives in these pieces and then ends.
std::vector<std::string> read_events(const std::string& stream, Pieces pieces) {
    const ListeningDirectory directory;
    const int listening = directory.listen();
    std::thread server([&] {
        const int fd = ::accept(listening, nullptr, nullptr);
        char request[512];
        EXPECT_GT(::recv(fd, request, sizeof request, 0), 0);
        const std::size_t step = pieces == Pieces::whole ? stream.size() : 1;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            ::send(fd, stream.data() + at, step, MSG_NOSIGNAL);
        }
        ::close(fd);
    });
    std::vector<std::string> texts;
    const auto followed = follow_events({directory.path(), {}, {}}, [&](const EventView& event) {
        texts.push_back(event.text);
        return Continue::yes;
    });
    EXPECT_TRUE(followed) << followed.error().text;
    server.join();
    ::close(listening);
    return texts;
}

TEST(EventReader, ReassemblesLinesFromPieces) {
    const std::string stream = std::string(header) + ": hello\n\ndata: {\"text\":\"a\"}\n\ndata: {\"text\":\"b\"}\n\n";
    EXPECT_THAT(read_events(stream, Pieces::whole), ElementsAre("a", "b"));
    EXPECT_THAT(read_events(stream, Pieces::single_bytes), ElementsAre("a", "b"));
}

TEST(EventReader, IgnoresUnknownFieldsAndInvalidJson) {
    const std::string stream = std::string(header) +
                               "id: 7\n: comment\nretry: 1\ndata: no JSON\n\ndata: [1]\n\ndata: {\"text\":\"a\"}\n\n"
                               "data: {\"text\":\"cut off";
    EXPECT_THAT(read_events(stream, Pieces::whole), ElementsAre("a"));
}

TEST(EventReader, DiscardsLinesThatAreTooLong) {
    const std::string stream =
        std::string(header) + "data: {\"text\":\"" + std::string(8 << 20, 'x') + "\"}\n\ndata: {\"text\":\"a\"}\n\n";
    EXPECT_THAT(read_events(stream, Pieces::whole), ElementsAre("a"));
}

}  // namespace
}  // namespace holdfast::api
