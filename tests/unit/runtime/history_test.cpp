// The history of generations, across several supervisors.

#include "runtime/history.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace holdfast::runtime {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Duration long_enough = std::chrono::seconds{60};

core::Record record(std::uint64_t generation, std::string_view event, std::string text = {}) {
    return {Generation{generation}, event, {}, std::move(text)};
}

struct HistoryTest : ::testing::Test {
    HistoryTest() {
        std::string name = "/tmp/history-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directories = {name};
    }
    ~HistoryTest() override { std::filesystem::remove_all(directories.front()); }
    std::string path(const std::string& ending = "") const { return directories.front() + "/history.jsonl" + ending; }
    std::unique_ptr<History> open() { return std::make_unique<History>(io, log, directories); }

    std::vector<std::string> directories;
    boost::asio::io_context io;
    Output output{STDERR_FILENO};
    Log log{output, core::LogFormat::text, "web", "error"};
    std::vector<std::string> told;
    std::shared_ptr<void> following = log.follow([this](std::string_view line) { told.emplace_back(line); });
};

TEST_F(HistoryTest, LinesPersistAndGenerationNumbersContinue) {
    {
        const auto history = open();
        EXPECT_EQ(history->last_generation(), Generation{0});
        history->record(record(1, "started", "asked for by \"me\"\n"));
        history->record({Generation{2}, "worker_exited", "2.0", ""});
    }
    const auto history = open();
    EXPECT_EQ(history->last_generation(), Generation{2});
    EXPECT_THAT(history->lines(),
                ElementsAre(HasSubstr(R"(Z","generation":1,"event":"started","text":"asked for by \"me\")"),
                            EndsWith(R"(,"generation":2,"event":"worker_exited","worker":"2.0"})")));
}

TEST_F(HistoryTest, StartsRecordTheProgram) {
    const auto history = open();
    history->set_program_facts(Generation{1}, {"/srv/web", "abc", "def"});
    history->record(record(1, "prepared"));
    history->record(record(1, "ready"));
    EXPECT_THAT(
        history->lines(),
        ElementsAre(EndsWith(R"("event":"prepared","program":"/srv/web","build_id":"abc","configuration":"def"})"),
                    Not(HasSubstr("program"))));
}

// The program of the first generation is resolved with its first worker.
TEST_F(HistoryTest, TheFirstGenerationRecordsTheProgramWhenItIsReady) {
    const auto history = open();
    history->record(record(1, "started"));
    history->set_program_facts(Generation{1}, {"/srv/web", "abc", "def"});
    history->record(record(1, "ready"));
    EXPECT_THAT(history->lines(),
                ElementsAre(Not(HasSubstr("program")), HasSubstr(R"("event":"ready","program":"/srv/web")")));
}

TEST_F(HistoryTest, IncompleteAndForeignLinesAreSkipped) {
    {
        std::ofstream file(path());
        file << R"({"time":"t","generation":7,"event":"done"})"
             << "\n"
             << R"({"time":"t","generation":9,"event":"do)"
             << "\n"  // incomplete, terminated by the next writer
             << R"({"time":"t","generation":9,"event":"d","a":{}})"
             << "\n"  // not in our format
             << R"({"generation":9})"
             << "\n"
             << "{\"time\":\"t\",\"generation\":9,\"event\":\"\xff\"}\n"
             << "\n[1]\n"
             << R"({"time":"t","generation":9,"event":"done"})";  // incomplete at the end of the file
    }
    const auto history = open();
    EXPECT_EQ(history->last_generation(), Generation{7});
    EXPECT_THAT(history->lines(), ElementsAre(R"({"time":"t","generation":7,"event":"done"})"));
    history->record(record(8, "started"));
    history->flush(long_enough);
    std::ifstream file(path());
    std::string last;
    for (std::string line; std::getline(file, line);) last = line;
    EXPECT_THAT(last, EndsWith(R"("generation":8,"event":"started"})"));
}

TEST_F(HistoryTest, LinesAreBoundedInNumberAndSize) {
    {
        const auto history = open();
        const std::string text(5000, 'x');
        for (std::uint64_t number = 1; number <= 3000; ++number) {
            history->record(record(number, "done", text));
            if (number % 100 == 0) history->flush(long_enough);
        }
        EXPECT_EQ(history->lines().size(), History::max_lines);
    }
    EXPECT_LE(std::filesystem::file_size(path()), History::max_file_bytes);
    EXPECT_LE(std::filesystem::file_size(path(".1")), History::max_file_bytes);
    const auto again = open();
    EXPECT_EQ(again->last_generation(), Generation{3000});
    EXPECT_LT(again->lines().front().size(), 1200U);
}

// A file size limit cuts a write short like a full disk does.
TEST_F(HistoryTest, AFullDiskIsReportedOnceAndLeavesCompleteLines) {
    const auto history = open();
    history->record(record(1, "started"));
    history->flush(long_enough);
    rlimit former{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
    const rlimit full{std::filesystem::file_size(path()) + 20, former.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
    for (int count = 0; count < 5; ++count) history->record(record(2, "done"));
    history->flush(long_enough);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
    history->record(record(3, "done"));
    history->flush(long_enough);
    io.run();
    EXPECT_THAT(told, ElementsAre(HasSubstr("cannot write to history.jsonl: File too large; lines are left out"),
                                  HasSubstr("the history is written again; 5 lines are missing in it")));
    EXPECT_EQ(history->lines().size(), 7U) << "all lines must be in memory";
    std::ifstream file(path());
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    EXPECT_THAT(lines, ElementsAre(HasSubstr("\"generation\":1,"), HasSubstr("\"generation\":3,")));
}

TEST_F(HistoryTest, IsKeptInMemoryWithoutADirectory) {
    directories = {"/proc/none/such"};
    const auto history = open();
    directories = {"/tmp/history-none"};
    history->record(record(1, "started"));
    EXPECT_EQ(history->lines().size(), 1U);
    EXPECT_THAT(told, ElementsAre(HasSubstr("\"event\":\"history_not_kept\"")));
    EXPECT_THAT(told.front(), HasSubstr("set one with --state-dir"));
}

}  // namespace
}  // namespace holdfast::runtime
