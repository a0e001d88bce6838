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

// One item of work. Guarded by the StageMachine's mutex; so is WorkItems.
struct WorkState : std::enable_shared_from_this<WorkState> {
    enum class State {
        held,
        claimed,       // the program commits it, and holds it until it lets go
        handing_back,  // its function runs
        gone
    };
    std::shared_ptr<StageMachine> stage_machine;
    std::string name;
    std::chrono::steady_clock::time_point since;
    std::function<void()> hand_back;
    State state = State::held;
    std::list<WorkState*>::iterator self;
};

// The items of work that are held, the oldest first. Not synchronised: its owner is.
class WorkItems {
  public:
    using Clock = std::chrono::steady_clock;

    void add(WorkState& item);

    // False: it is going back, or has gone; somebody else will do it.
    bool claim(WorkState& item);

    // Lets go of an item that was claimed; of any other nothing happens.
    void release(WorkState& item);

    // Those of which hand_back has to be called, without a lock, and then end_hand_back(): until then they are held.
    using Due = std::vector<std::shared_ptr<WorkState>>;
    [[nodiscard]] Due begin_hand_back(WorkState& item);
    [[nodiscard]] Due begin_hand_back_all();
    void end_hand_back(WorkState& item);

    std::uint64_t count() const { return held_.size(); }
    std::uint64_t handed_back() const { return handed_back_; }
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    void remove(WorkState& item);

    std::list<WorkState*> held_;
    std::uint64_t handed_back_ = 0;
};

}  // namespace holdfast
