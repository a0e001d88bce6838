#include "runtime/event_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::runtime {
namespace {

using testing::ElementsAre;

std::string word(const core::Event& event) {
    if (const auto* said = std::get_if<core::Said>(&event)) return "said " + std::to_string(said->worker.value);
    if (const auto* exited = std::get_if<core::Exited>(&event)) return "exited " + std::to_string(exited->worker.value);
    if (std::holds_alternative<core::Asked>(event)) return "asked";
    if (std::holds_alternative<core::Elapsed>(event)) return "elapsed";
    return "?";
}

TEST(EventQueue, DeliversWorkersFirstThenOperatorsThenDeadlines) {
    boost::asio::io_context io;
    std::vector<std::string> delivered;
    EventQueue event_queue(io, [&](const core::Event& event) { delivered.push_back(word(event)); });
    event_queue.push(core::Elapsed{});
    event_queue.push(core::Asked{});
    event_queue.push(core::Said{WorkerId{1}, {}});
    event_queue.push(core::Exited{WorkerId{1}, {}, {}});
    event_queue.push(core::Said{WorkerId{2}, {}});
    io.run();
    EXPECT_THAT(delivered, ElementsAre("said 1", "exited 1", "said 2", "asked", "elapsed"));
}

TEST(EventQueue, DeliversEventsPushedDuringDeliveryLater) {
    boost::asio::io_context io;
    std::vector<std::string> delivered;
    EventQueue* reentered = nullptr;
    EventQueue event_queue(io, [&](const core::Event& event) {
        delivered.push_back(word(event));
        if (delivered.size() == 1) reentered->push(core::Said{WorkerId{3}, {}});
    });
    reentered = &event_queue;
    event_queue.push(core::Asked{});
    event_queue.push(core::Elapsed{});
    io.run();
    EXPECT_THAT(delivered, ElementsAre("asked", "elapsed", "said 3"));
}

}  // namespace
}  // namespace holdfast::runtime
