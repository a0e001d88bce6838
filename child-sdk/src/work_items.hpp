#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/message.hpp>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace holdfast {

class StageMachine;

// The state of one item of work. Guarded by the StageMachine's mutex, as is WorkItems.
struct WorkState : std::enable_shared_from_this<WorkState> {
    enum class State {
        held,
        claimed,       // will not be handed back; held until release()
        handing_back,  // its hand_back function is running
        gone
    };
    std::shared_ptr<StageMachine> stage_machine;
    std::string name;
    std::chrono::steady_clock::time_point since;
    std::function<void()> hand_back;
    State state = State::held;
    std::list<WorkState*>::iterator self;
};

// The items of work that are held, oldest first. Not synchronised: the owner holds a lock.
class WorkItems {
  public:
    using Clock = std::chrono::steady_clock;

    void add(WorkState& item);

    // Returns false if the item is being or was handed back: it will be done elsewhere.
    bool claim(WorkState& item);

    // Releases a claimed item. Does nothing for others.
    void release(WorkState& item);

    // Return the items whose hand_back must be called, without a lock, followed by end_hand_back(). They stay held
    // until then.
    using Due = std::vector<std::shared_ptr<WorkState>>;
    [[nodiscard]] Due begin_hand_back(WorkState& item);
    [[nodiscard]] Due begin_hand_back_all();
    enum class HandBack { done, failed };
    void end_hand_back(WorkState& item, HandBack result);

    std::uint64_t count() const { return held_.size(); }
    std::uint64_t handed_back() const { return handed_back_; }
    std::uint64_t lost() const { return lost_; }  // their hand_back failed
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    void remove(WorkState& item);

    std::list<WorkState*> held_;
    std::uint64_t handed_back_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace holdfast
