#include "request_slot.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "request_registry_core.hpp"

namespace holdfast {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// Names of a repeated letter that is also the start time of the request, so that a mixture of two is detected.
std::vector<std::string> single_letter_names() {
    std::vector<std::string> names;
    for (char letter = 'a'; letter <= 'z'; ++letter) {
        names.emplace_back(max_name_bytes - static_cast<std::size_t>(letter - 'a') % 8, letter);
    }
    return names;
}

bool is_consistent(const RequestSlot::Shown& shown) {
    return shown.name.find_first_not_of(static_cast<char>(shown.since)) == std::string::npos;
}

TEST(RequestSlot, ReturnsARequestThatBeganBeforeTheLimit) {
    RequestRegistryCore core([] {});
    RequestSlot slot(core.acquire_pool());
    RequestSlot::Shown shown;
    EXPECT_FALSE(slot.read_if_before(never, shown));
    slot.write("GET /", 7);
    EXPECT_FALSE(slot.read_if_before(7, shown));
    EXPECT_TRUE(slot.read_if_before(8, shown));
    EXPECT_EQ(shown.name, "GET /");
    EXPECT_EQ(shown.since, 7);
    slot.clear();
    EXPECT_FALSE(slot.read_if_before(never, shown));
}

TEST(RequestSlot, CountsTheRequestsThatEnded) {
    RequestRegistryCore core([] {});
    RequestSlot slot(core.acquire_pool());
    EXPECT_EQ(slot.ended(), 0U);
    for (std::uint64_t begun = 1; begun < 1'000; ++begun) {
        slot.write(std::string(begun % (max_name_bytes + 1), 'a'), 7);
        EXPECT_EQ(slot.ended(), begun - 1);
        slot.clear();
        EXPECT_EQ(slot.ended(), begun);
    }
}

TEST(RequestSlot, NeverMixesTwoRequests) {
    RequestRegistryCore core([] {});
    RequestSlot slot(core.acquire_pool());
    const std::vector<std::string> names = single_letter_names();
    std::atomic<bool> is_over = false;
    std::atomic<int> written = 0;
    std::thread writer([&] {
        while (!is_over) {
            for (const std::string& name : names) {
                slot.write(name, name.front());
                slot.clear();
            }
            ++written;
        }
    });
    // Enough rounds of both threads to overlap, however they are scheduled.
    int mixed = 0;
    for (int read = 0; read < 20'000 || written < 1'000;) {
        RequestSlot::Shown shown;
        if (slot.read_if_before(never, shown)) {
            ++read;
            mixed += is_consistent(shown) ? 0 : 1;
        }
    }
    is_over = true;
    writer.join();
    EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace holdfast
