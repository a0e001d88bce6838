#pragma once

#include <cstdint>
#include <thread>

#include "strict_client.hpp"

namespace holdfast::test {

// A load on a thread of its own; stopped at the latest when it is destroyed.
class BackgroundLoad {
  public:
    explicit BackgroundLoad(LoadOptions options);
    ~BackgroundLoad();
    BackgroundLoad(const BackgroundLoad&) = delete;
    BackgroundLoad& operator=(const BackgroundLoad&) = delete;

    std::uint64_t succeeded() const { return progress_.succeeded(); }
    std::uint64_t failed() const { return progress_.failed(); }
    // Waits until `count` more requests than now have succeeded; throws after 30 s.
    void wait_for_more(std::uint64_t count);
    // Waits until `count` requests in all have been sent; throws after 30 s.
    void wait_for_sent(std::uint64_t count);
    LoadReport stop();
    // Waits for the load's own end: its duration, its number of requests.
    LoadReport wait_for_end();

  private:
    LoadProgress progress_;
    int stop_fd_ = -1;
    LoadReport report_;
    std::thread thread_;
};

}  // namespace holdfast::test
