#include "runtime/output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <future>
#include <string>
#include <system_error>
#include <vector>

#include "os/unique_fd.hpp"
#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader.reset(ends[0]);
        writer.reset(ends[1]);
    }
    // Everything up to the end of file.
    std::string read_all() const {
        std::string text;
        std::array<char, 65536> buffer{};
        while (true) {
            const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
            if (got <= 0) return text;
            text.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    os::UniqueFd reader, writer;
};

TEST(Output, WritesInOrder) {
    Pipe pipe;
    Output output(pipe.writer.get());
    output.write("one\n");
    output.write("two\n");
    output.flush(std::chrono::seconds{60});
    pipe.writer.reset();
    EXPECT_EQ(pipe.read_all(), "one\ntwo\n");
}

TEST(Output, DropsAndCountsWhatAStoppedReaderDoesNotTake) {
    Pipe pipe;
    Output output(pipe.writer.get());
    const std::string line(1023, 'x');
    // Far more than fits in the pipe and the queue: a write that blocked would never return.
    for (int count = 0; count < 4096; ++count) output.write(line + "\n");
    auto reading = std::async(std::launch::async, [&] { return pipe.read_all(); });
    output.flush(std::chrono::seconds{60});
    output.write("the end\n");
    output.flush(std::chrono::seconds{60});
    pipe.writer.reset();
    const std::string text = reading.get();
    EXPECT_LT(text.size(), std::size_t{2} * Output::max_queued_bytes);
    EXPECT_THAT(text, StartsWith(line));
    EXPECT_THAT(text, HasSubstr(" bytes of output were dropped: the reader was too slow\n"));
    EXPECT_THAT(text, EndsWith("the end\n"));
}

// A socket that keeps what each write(2) wrote apart.
struct PacketSocket {
    PacketSocket() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
        reader.reset(ends[0]);
        writer.reset(ends[1]);
    }
    // Until a further write blocks.
    void fill() const {
        const std::string filling(1024, 'f');
        while (::send(writer.get(), filling.data(), filling.size(), MSG_DONTWAIT) > 0) {
        }
    }
    // What was written beside that, packet by packet, up to the end of file.
    std::vector<std::string> read_all() const {
        std::vector<std::string> packets;
        std::string buffer(1 << 20, '\0');
        while (true) {
            const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
            if (got <= 0) return packets;
            if (buffer.front() != 'f') packets.push_back(buffer.substr(0, static_cast<std::size_t>(got)));
        }
    }
    os::UniqueFd reader, writer;
};

TEST(Output, WritesABurstOfLinesInBatches) {
    PacketSocket socket;
    socket.fill();
    Output output(socket.writer.get());
    std::string expected;
    for (int count = 0; count < 100; ++count) {
        const std::string line = std::to_string(count) + std::string(1021, 'x') + "\n";
        output.write(line);
        expected += line;
    }
    auto reading = std::async(std::launch::async, [&] { return socket.read_all(); });
    output.flush(std::chrono::seconds{60});
    ASSERT_EQ(::shutdown(socket.writer.get(), SHUT_WR), 0);
    const auto packets = reading.get();
    std::string text;
    for (const auto& packet : packets) {
        EXPECT_LE(packet.size(), 16U * 1024U);
        text += packet;
    }
    EXPECT_LE(packets.size(), 10U);
    EXPECT_EQ(text, expected);
}

TEST(Output, ThrowsIfNoThreadCanBeStarted) {
    run_in_thread([] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        EXPECT_THROW(Output(STDERR_FILENO), std::system_error);
    });
}

TEST(Output, ReservesHalfOfItsQueueForTheSupervisor) {
    Pipe pipe;
    Output output(pipe.writer.get());
    for (int count = 0; count < 4096; ++count) output.write(std::string(1024, 'x'), Output::Source::worker);
    output.write("ours\n");
    auto reading = std::async(std::launch::async, [&] { return pipe.read_all(); });
    output.flush(std::chrono::seconds{60});
    pipe.writer.reset();
    EXPECT_THAT(reading.get(), HasSubstr("ours\n"));
}

TEST(Output, EndsAlthoughTheReaderHasStopped) {
    ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);  // as the supervisor does
    Pipe pipe;
    {
        Output output(pipe.writer.get());
        for (int count = 0; count < 200; ++count) output.write(std::string(4096, 'x'));
    }
    // The detached thread is still in write(2) and uses the writing end: only the reading end may be closed.
    static_cast<void>(pipe.writer.release());
}

}  // namespace
}  // namespace holdfast::runtime
