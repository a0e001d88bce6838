#include "http_response.hpp"

#include <gtest/gtest.h>

namespace holdfast::test {
namespace {

using State = ResponseParser::State;

struct Case {
    std::string bytes;
    State expected;
};

class Responses : public testing::TestWithParam<Case> {};

// Byte by byte and at once: the result must not depend on how the bytes are split.
TEST_P(Responses, AreParsedTheSameHoweverTheyAreSplit) {
    ResponseParser at_once, in_bytes;
    EXPECT_EQ(at_once.feed(GetParam().bytes), GetParam().expected);
    for (const char byte : GetParam().bytes) in_bytes.feed(std::string_view(&byte, 1));
    EXPECT_EQ(in_bytes.feed(""), GetParam().expected);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

INSTANTIATE_TEST_SUITE_P(
    Http, Responses,
    testing::Values(Case{ok + "Content-Length: 2\r\n\r\nOK", State::complete},
                    Case{ok + "Content-Length: 0\r\n\r\n", State::complete},
                    Case{"HTTP/1.1 204 No Content\r\n\r\n", State::complete},
                    Case{"HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx", State::complete},
                    Case{ok + "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
                         State::complete},
                    Case{ok + "Content-Length: 2\r\n\r\nO", State::incomplete},
                    Case{ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n", State::incomplete},
                    Case{ok + "\r\nOK", State::incomplete}, Case{ok + "Content-Length: 2\r\n\r\nOK!", State::malformed},
                    Case{ok + "Content-Length: 2x\r\n\r\n", State::malformed},
                    Case{ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n", State::malformed},
                    Case{ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", State::malformed},
                    Case{ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", State::malformed},
                    Case{ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nOK\r\n", State::malformed},
                    Case{ok + "no colon\r\n\r\n", State::malformed}, Case{"HTTP/1.1 2000 OK\r\n\r\n", State::malformed},
                    Case{"OK", State::malformed}));

TEST(ResponseParser, KeepsTheConnectionIfTheHeadersSaySo) {
    const auto keeps = [](const std::string& head) {
        ResponseParser parser;
        EXPECT_EQ(parser.feed(head + "Content-Length: 0\r\n\r\n"), State::complete);
        return parser.keeps_connection();
    };
    EXPECT_TRUE(keeps(ok));
    EXPECT_FALSE(keeps(ok + "Connection: close\r\n"));
    EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\n"));
    EXPECT_TRUE(keeps("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"));
}

TEST(ResponseParser, EndsABodyWithoutLengthAtTheEndOfTheStream) {
    ResponseParser parser;
    parser.feed(ok + "\r\nsome text");
    EXPECT_EQ(parser.end_of_stream(), State::complete);
    EXPECT_FALSE(parser.keeps_connection());
}

}  // namespace
}  // namespace holdfast::test
