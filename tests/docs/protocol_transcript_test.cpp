// Checks the transcripts of child-sdk/PROTOCOL.md against the codec and the library.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <future>
#include <holdfast/worker.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "wire/wire.hpp"

namespace holdfast {
namespace {

struct Line {
    char sender = ' ';    // 'W', 'S', '(' for an event, ' ' for an explanation
    std::string content;  // unescaped
    int number = 0;
};

std::string unescape(const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "\\n") == 0) {
            bytes += '\n';
            ++i;
        } else if (text.compare(i, 2, "\\x") == 0) {
            bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
            i += 3;
        } else {
            bytes += text[i];
        }
    }
    return bytes;
}

// The lines between ```<fence> and ```.
std::vector<Line> block(const std::string& fence) {
    std::ifstream file(HOLDFAST_PROTOCOL);
    std::vector<Line> lines;
    bool inside = false;
    int number = 0;
    for (std::string text; std::getline(file, text);) {
        ++number;
        if (text.starts_with("```")) {
            inside = text == "```" + fence;
        } else if (inside && text.starts_with("   ")) {
            lines.push_back({' ', text.substr(3), number});
        } else if (inside && text.starts_with("(")) {
            lines.push_back({'(', text.substr(1, text.size() - 2), number});
        } else if (inside) {
            lines.push_back({text[0], unescape(text.substr(std::min<std::size_t>(3, text.size()))), number});
        }
    }
    EXPECT_FALSE(lines.empty()) << "no block ```" << fence << " in " << HOLDFAST_PROTOCOL;
    return lines;
}

// Why the codec rejects the line; empty if it is well-formed.
std::string decode_error(const Line& line) {
    const auto why = [](const auto& decoded) {
        const auto* malformed = std::get_if<wire::Malformed>(&decoded);
        return malformed == nullptr ? "" : malformed->why;
    };
    return line.sender == 'W' ? why(wire::decode_report(line.content, 0)) : why(wire::decode_command(line.content));
}

class ProtocolTranscript : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Of, ProtocolTranscript, testing::Values("transcript", "transcript-of-a-cancel"),
                         [](const auto& fence) { return fence.index == 0 ? "ADrain" : "ACancel"; });

TEST_P(ProtocolTranscript, IsEncodedLikeTheCodecEncodesIt) {
    for (const Line& line : block(GetParam())) {
        if (line.sender == '(') continue;
        ASSERT_EQ(decode_error(line), "") << "line " << line.number;
        const std::string again = line.sender == 'W'
                                      ? wire::encode(std::get<Report>(wire::decode_report(line.content, 0)))
                                      : wire::encode(std::get<Command>(wire::decode_command(line.content)));
        EXPECT_EQ(again, line.content) << "line " << line.number;
    }
}

TEST(ProtocolExamples, ShowWhatIsAccepted) {
    for (const Line& line : block("transcript-accepted")) EXPECT_EQ(decode_error(line), "") << "line " << line.number;
}

TEST(ProtocolExamples, ShowWhatIsMalformedAndWhy) {
    const std::vector<Line> lines = block("transcript-malformed");
    ASSERT_EQ(lines.size() % 2, 0U);
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        EXPECT_EQ(decode_error(lines[i]), lines[i + 1].content) << "line " << lines[i].number;
    }
}

// The message without values that differ from run to run.
std::string without_variable_values(Report report) {
    report.sdk = report.sdk.substr(0, report.sdk.find('/'));
    if (report.waiting) {
        for (Waiting& entry : *report.waiting) entry.age_usec = 0;
    }
    return wire::encode(report);
}

bool is_progress_report(const Report& report) {
    Report counts;
    counts.in_flight = report.in_flight;
    counts.served = report.served;
    counts.waiting = report.waiting;
    counts.held = report.held;
    counts.handed_back = report.handed_back;
    counts.lost = report.lost;
    return report == counts;
}

// The worker of the transcript and its supervisor, in one process.
class Replay {
  public:
    Replay() {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) std::abort();
        supervisor_fd_ = ends[0];
        struct stat status {};
        ::fstat(ends[1], &status);
        ::setenv("HOLDFAST_CONTROL_FD", std::to_string(ends[1]).c_str(), 1);
        ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(status.st_ino).c_str(), 1);
    }

    ~Replay() { ::close(supervisor_fd_); }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;

    void play(const Line& line) {
        if (line.sender == '(') return replay_event(line.content);
        if (line.sender == 'S') return send(line.content);
        EXPECT_EQ(next(), without_variable_values(std::get<Report>(wire::decode_report(line.content, 0))))
            << "line " << line.number;
    }

  private:
    void replay_event(const std::string& what) {
        if (what == "the worker starts") return start();
        if (what == "it serves") return worker_->ready();
        if (what == "a request arrives: GET /report") {
            request_ = worker_->begin_request("GET /report");
        } else if (what == "SIGTERM comes from elsewhere") {
            ::raise(SIGTERM);
        } else if (what == "the request is answered") {
            request_.end();
        } else if (what == "an item of work is taken from its queue: order 17") {
            work_ = worker_->hold_work("order 17", [] {});
        } else if (what == "the worker exits") {
            EXPECT_EQ(status_.get(), 0);
        } else if (what == "the worker exits: with status 3, the cancel found something held") {
            EXPECT_EQ(status_.get(), 3);
        } else {
            EXPECT_THAT(what, testing::AnyOf("the task ends, the resource is closed", "the task ends",
                                             "the item is handed back, the resource is closed"));
        }
    }

    void start() {
        worker_.emplace();
        worker_->accepts([] {}, [] {});
        worker_->start_task("consumer", [](const std::stop_token& stop) {
            std::mutex mutex;
            std::unique_lock lock(mutex);
            std::condition_variable_any().wait(lock, stop, [] { return false; });
        });
        worker_->close_last("database", [] {});
        status_ = std::async(std::launch::deferred, [this] { return worker_->wait(); });
    }

    void send(const std::string& bytes) const {
        EXPECT_EQ(::send(supervisor_fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    }

    // The next message that is not only a progress report. Empty if there is none in time, or if it is malformed.
    std::string next() const {
        for (;;) {
            std::array<char, max_message_bytes> buffer;
            pollfd readable{.fd = supervisor_fd_, .events = POLLIN, .revents = 0};
            if (::poll(&readable, 1, 20'000) <= 0) return {};
            const ssize_t size = ::recv(supervisor_fd_, buffer.data(), buffer.size(), 0);
            const std::string_view bytes(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
            const auto decoded = wire::decode_report(bytes, 0);
            const auto* report = std::get_if<Report>(&decoded);
            if (report == nullptr) return {};
            if (!is_progress_report(*report)) return without_variable_values(*report);
        }
    }

    int supervisor_fd_ = -1;
    std::optional<Worker> worker_;
    Request request_;
    Work work_;
    std::future<int> status_;
};

TEST_P(ProtocolTranscript, IsWhatTheLibrarySends) {
    Replay replay;
    for (const Line& line : block(GetParam())) replay.play(line);
}

}  // namespace
}  // namespace holdfast
