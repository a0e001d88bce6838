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

class Conductor;

// One item of work. Guarded by the Conductor's mutex; so is Items.
struct WorkState {
    std::shared_ptr<Conductor> conductor;
    std::string name;
    std::chrono::steady_clock::time_point since;
    std::function<void()> hand_back;
    bool is_held = true;  // neither finished nor handed back
    std::list<WorkState*>::iterator self;
};

// What has to be called to put an item back, and what to call it in a complaint.
struct HandBack {
    std::string name;
    std::function<void()> function;
};

// The items of work that are held, the oldest first. Not synchronised: its owner is.
class Items {
  public:
    using Clock = std::chrono::steady_clock;

    void add(WorkState& item);

    // False: it is held no more, somebody else was quicker.
    bool finish(WorkState& item);

    // Takes the item, or all of them, out; the caller calls what is returned, without a lock.
    [[nodiscard]] std::vector<HandBack> hand_back(WorkState& item);
    [[nodiscard]] std::vector<HandBack> hand_back_all();

    std::uint64_t count() const { return held_.size(); }
    std::uint64_t handed_back() const { return handed_back_; }
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    std::list<WorkState*> held_;
    std::uint64_t handed_back_ = 0;
};

}  // namespace holdfast
