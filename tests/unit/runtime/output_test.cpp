#include "runtime/output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <future>
#include <string>

#include "os/unique_fd.hpp"

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
    // Far more than the pipe and the queue hold: were a write to block, this would never end.
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

TEST(Output, LosesNoWordOfOursToAWorkersFlood) {
    Pipe pipe;
    Output output(pipe.writer.get());
    for (int count = 0; count < 4096; ++count) output.write(std::string(1024, 'x'), Output::Source::worker);
    output.write("ours\n");
    auto reading = std::async(std::launch::async, [&] { return pipe.read_all(); });
    output.flush(std::chrono::seconds{60});
    pipe.writer.reset();
    EXPECT_THAT(reading.get(), HasSubstr("ours\n"));
}

TEST(Output, EndsThoughTheReaderHasStopped) {
    ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);  // as the supervisor does
    Pipe pipe;
    {
        Output output(pipe.writer.get());
        for (int count = 0; count < 200; ++count) output.write(std::string(4096, 'x'));
    }
    // The thread that was let go still sits in write(2), and keeps the descriptor that it writes to: only the reader
    // goes.
    static_cast<void>(pipe.writer.release());
}

}  // namespace
}  // namespace holdfast::runtime
