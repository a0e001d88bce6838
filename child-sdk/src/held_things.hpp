#pragma once

#include <chrono>
#include <cstdint>
#include <holdfast/message.hpp>
#include <list>
#include <string_view>
#include <vector>

namespace holdfast {

// The requests and sessions that are held, in the order in which they began. Not synchronised: its owner is.
class HeldThings {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Kind : std::uint8_t { request, session };

    struct Entry {
        Kind kind;
        std::uint8_t name_bytes;
        char name[max_name_bytes];
        Clock::time_point since;
        std::list<Entry>::iterator self;
    };

    // The pointer stays valid until remove(). Entries are used again: at rest nothing is allocated.
    Entry* add(Kind kind, std::string_view name, Clock::time_point now);
    void remove(Entry* entry);

    bool is_empty() const { return held_.empty(); }
    std::uint64_t requests() const { return requests_; }
    std::uint64_t served() const { return served_; }

    // The oldest, as many as a drain report takes.
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    std::list<Entry> held_;
    std::list<Entry> spare_;
    std::uint64_t requests_ = 0;
    std::uint64_t served_ = 0;
};

}  // namespace holdfast
