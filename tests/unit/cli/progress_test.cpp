#include "cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/live_block.hpp"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

api::WorkerView worker(const std::string& name, std::uint64_t generation, const std::string& state) {
    api::WorkerView view;
    view.worker = name;
    view.generation = generation;
    view.state = state;
    return view;
}

// A restart after the commit: one old worker has ended, one drains; one new worker has settled, one has not.
api::ServiceView restart() {
    api::ServiceView service;
    service.name = "web";
    service.phase = "rolling_out";
    service.target = 2;
    service.generation = 2;
    service.change = api::ChangeView{"restart to generation 2", "somebody", "taking over", "", std::nullopt, 0};
    auto draining = worker("1.1", 1, "drain");
    draining.deadline_s = 18;
    draining.waiting = {{"request", "GET /report", 12}, {"request", "GET /", 1}};
    draining.held = {{"request", 3}};
    auto settled = worker("2.0", 2, "ready");
    settled.settled = true;
    auto unsettled = worker("2.1", 2, "ready");
    unsettled.since_s = 0.4;
    service.workers = {draining, settled, unsettled};
    return service;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

TEST(Progress, ShowsABarAndALineForEachWorkerThatItWaitsFor) {
    EXPECT_EQ(render_progress(restart(), 2, 80, Colour::no),
              "web: restart to generation 2: taking over\n"
              "[####################....................] 2 of 4\n"
              "  1.1  drain: 3 requests, oldest GET /report 12s, at most 18s more\n"
              "  2.1  ready 0.4s, not settled yet\n");
}

TEST(Progress, OmitsOldWorkersThatStillServe) {
    auto service = restart();
    service.workers = {worker("1.0", 1, "ready")};
    EXPECT_EQ(lines_of(render_progress(service, 1, 80, Colour::no)).size(), 2U);
    service.workers[0].why_leaving = "restart";
    EXPECT_THAT(render_progress(service, 1, 80, Colour::no), HasSubstr("  1.0  ready\n"));
}

TEST(Progress, UsesColoursOnlyIfEnabled) {
    EXPECT_THAT(render_progress(restart(), 2, 80, Colour::yes), HasSubstr("\x1b[32m####"));
    EXPECT_THAT(render_progress(restart(), 2, 80, Colour::no), Not(HasSubstr("\x1b")));
    EXPECT_EQ(wanted_colour("", "xterm"), Colour::yes);
    EXPECT_EQ(wanted_colour("1", "xterm"), Colour::no);
    EXPECT_EQ(wanted_colour("", "dumb"), Colour::no);
    EXPECT_EQ(wanted_colour("", ""), Colour::no);
}

TEST(Progress, FitsTheTerminal) {
    auto service = restart();
    service.workers[0].waiting[0].name = "GET /ä" + std::string(300, 'x');
    for (const int width : {20, 33, 40, 200}) {
        for (const std::string& line : lines_of(render_progress(service, 2, width, Colour::no))) {
            const auto columns =
                std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
            EXPECT_LE(columns, std::max(width - 1, 20)) << line;
        }
    }
    EXPECT_EQ(fit("äöü", 3), "äöü");
    EXPECT_EQ(fit("äöüx", 3), "äö…");
}

TEST(Progress, ShowsAtMostEightLinesOfWorkers) {
    auto service = restart();
    service.workers.assign(20, worker("1.1", 1, "drain"));
    const auto lines = lines_of(render_progress(service, 20, 80, Colour::no));
    EXPECT_EQ(lines.size(), 2U + 8U);
    EXPECT_EQ(lines.back(), "  and 13 more");
}

TEST(Progress, CountsEndedWorkersDuringAStop) {
    auto service = restart();
    service.phase = "stopping";
    service.workers.resize(1);
    EXPECT_EQ(tally(service, 3).total, 3);
    EXPECT_EQ(tally(service, 3).done, 2);
    service.workers.clear();
    EXPECT_EQ(tally(service, 3).done, 3);
    EXPECT_EQ(tally(service, 0).total, 0);
    EXPECT_THAT(render_progress(service, 0, 80, Colour::no), HasSubstr("0 of 0"));
}

TEST(Progress, ShowsWhyAWorkerIsNotReady) {
    auto service = restart();
    service.workers = {worker("2.0", 2, "starting")};
    service.workers[0].since_s = 4;
    service.workers[0].probe = "HTTP 500";
    service.workers[0].deadline_s = 56;
    service.change->failure = "worker 2.1 exited with status 3";
    const std::string text = render_progress(service, 2, 80, Colour::no);
    EXPECT_THAT(text, HasSubstr("  2.0  starting 4.0s, the last probe said HTTP 500, at most 56s more\n"));
    EXPECT_THAT(text, HasSubstr("  worker 2.1 exited with status 3\n"));
}

TEST(Progress, RendersAnEventWithoutControlCharacters) {
    api::EventView event;
    event.text = "worker 1.0 said \x1b[2J\n";
    EXPECT_EQ(render_event(event), "worker 1.0 said ?[2J?");
    event.text.clear();
    event.event = "worker_ready";
    event.worker = "1.0";
    EXPECT_EQ(render_event(event), "1.0: worker_ready");
}

TEST(LiveBlock, IsUpdatedInPlaceAndErased) {
    std::ostringstream terminal;
    LiveBlock block(terminal);
    block.show("a\nb\n");
    EXPECT_EQ(terminal.str(), "a\nb\n");
    block.show("a\nb\n");
    EXPECT_EQ(terminal.str(), "a\nb\n") << "it was written again without a change";
    block.show("c\n");
    EXPECT_EQ(terminal.str(), "a\nb\n\r\x1b[2A\x1b[Jc\n");
    terminal.str("");
    block.clear();
    EXPECT_EQ(terminal.str(), "\r\x1b[1A\x1b[J");
    block.clear();
    EXPECT_EQ(terminal.str(), "\r\x1b[1A\x1b[J");
}

}  // namespace
}  // namespace holdfast::cli
