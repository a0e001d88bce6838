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

// The state of one session. The StageMachine's mutex guards all members except the stop source, and Sessions as well.
struct SessionState {
    std::shared_ptr<StageMachine> stage_machine;
    std::string name;
    std::chrono::steady_clock::time_point since;
    std::optional<std::chrono::milliseconds> leave_within;
    std::optional<std::chrono::steady_clock::time_point> notified_at;  // when it was asked to leave
    bool is_expired = false;                                           // the cancel came: its own period is over
    std::stop_source stop;
    std::list<SessionState*>::iterator self;
};

// The open sessions, oldest first. Not synchronised: the owner holds a lock.
class Sessions {
  public:
    using Clock = std::chrono::steady_clock;

    void add(SessionState& session);
    void remove(SessionState& session);

    // Marks all sessions that have not been asked to leave yet, and returns their stop sources. The caller requests the
    // stops without holding a lock, because they run functions of the program.
    [[nodiscard]] std::vector<std::stop_source> mark_notified(Clock::time_point now);

    // Called at the cancel: ends the period of all sessions, including later ones.
    void expire_all();

    std::uint64_t count() const { return held_.size(); }

    // Whether the drain must wait for a session: one is open and its period to leave is not over.
    bool blocks_drain(Clock::time_point now) const;

    // When the next session becomes overdue.
    std::optional<Clock::time_point> next_overdue(Clock::time_point now) const;

    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    std::list<SessionState*> held_;
    bool all_expired_ = false;
};

}  // namespace holdfast
