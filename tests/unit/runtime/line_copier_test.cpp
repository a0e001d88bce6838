#include "runtime/line_copier.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace holdfast::runtime {
namespace {

// What is written for the given pieces of output, after the last one or after the end of the process.
enum class Process { runs, has_ended };
std::string copied(const std::vector<std::string>& pieces, Process process) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    {
        Output output(ends[1]);
        LineCopier lines;
        for (const std::string& piece : pieces) lines.copy(piece, output);
        if (process == Process::has_ended) lines.finish(output);
    }
    ::close(ends[1]);
    std::array<char, 16384> buffer{};
    std::string text;
    for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    return text;
}

TEST(LineCopier, CopiesCompleteLines) {
    EXPECT_EQ(copied({"on", "e\ntwo\nth", "ree"}, Process::runs), "one\ntwo\n");
    EXPECT_EQ(copied({"on", "e\ntwo\nth", "ree"}, Process::has_ended), "one\ntwo\nthree\n");
    EXPECT_EQ(copied({"one\n"}, Process::has_ended), "one\n");
    EXPECT_EQ(copied({}, Process::has_ended), "");
}

TEST(LineCopier, CopiesLongLinesInPieces) {
    const std::string half(LineCopier::max_line_bytes / 2, 'x');
    EXPECT_EQ(copied({half}, Process::runs), "");
    EXPECT_EQ(copied({half, half, "rest"}, Process::runs), half + half);
    EXPECT_EQ(copied({half, half, "rest"}, Process::has_ended), half + half + "rest\n");
}

}  // namespace
}  // namespace holdfast::runtime
