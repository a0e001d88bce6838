#pragma once

#include <chrono>
#include <cstdint>
#include <holdfast/message.hpp>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace holdfast {

class StageMachine;

// One session. Its members but the stop source are guarded by the StageMachine's mutex; so is Sessions.
struct SessionState {
    std::shared_ptr<StageMachine> stage_machine;
    std::string name;
    std::chrono::steady_clock::time_point since;
    std::optional<std::chrono::milliseconds> leave_within;
    std::optional<std::chrono::steady_clock::time_point> notified_at;  // that it has to leave
    bool is_expired = false;                                           // the cancel came: its own time is over
    std::stop_source stop;
    std::list<SessionState*>::iterator self;
};

// The sessions that are held, the oldest first. Not synchronised: its owner is.
class Sessions {
  public:
    using Clock = std::chrono::steady_clock;

    void add(SessionState& session);
    void remove(SessionState& session);

    // All that were not told before. The caller requests the stops, without a lock: they run functions of the program.
    [[nodiscard]] std::vector<std::stop_source> mark_notified(Clock::time_point now);

    // The cancel: their time is over, those that come later included.
    void expire_all();

    std::uint64_t count() const { return held_.size(); }

    // Whether the drain has to wait for one: it is held, and its own time to leave is not over.
    bool blocks_drain(Clock::time_point now) const;

    // When the next one becomes overdue.
    std::optional<Clock::time_point> next_overdue(Clock::time_point now) const;

    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    std::list<SessionState*> held_;
    bool all_expired_ = false;
};

}  // namespace holdfast
