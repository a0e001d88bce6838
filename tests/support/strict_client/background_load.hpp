#pragma once

#include <cstdint>
#include <thread>

#include "strict_client.hpp"

namespace holdfast::test {

// Runs a load on its own thread. The destructor stops it.
class BackgroundLoad {
  public:
    explicit BackgroundLoad(LoadOptions options);
    ~BackgroundLoad();
    BackgroundLoad(const BackgroundLoad&) = delete;
    BackgroundLoad& operator=(const BackgroundLoad&) = delete;

    std::uint64_t succeeded() const { return progress_.succeeded(); }
    std::uint64_t failed() const { return progress_.failed(); }
    // Waits until `count` further requests have succeeded; throws after 30 s.
    void wait_for_more(std::uint64_t count);
    // Waits until `count` requests have been sent in total; throws after 30 s.
    void wait_for_sent(std::uint64_t count);
    LoadReport stop();
    // Waits until the load ends by itself, after its duration or its number of requests.
    LoadReport wait_for_end();

  private:
    LoadProgress progress_;
    int stop_fd_ = -1;
    LoadReport report_;
    std::thread thread_;
};

}  // namespace holdfast::test
