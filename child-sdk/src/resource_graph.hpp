#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <holdfast/message.hpp>
#include <holdfast/resource.hpp>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

// Which resource may be closed next: pure, no thread, no clock, no lock. Its owner synchronises, and does the closing.
//
// Two relations hold a close back. A user does until it is released, whatever happens: nothing is ever closed under
// somebody who uses it. And resources of Order::last close in reverse order of their registration, after all that was
// registered later (of either order); that is a habit, not a use, so one whose close hangs or throws does not stop
// those before it, nor does what is held back by such a one; and where habit contradicts use, use wins.
class ResourceGraph {
  public:
    using Clock = std::chrono::steady_clock;
    using Id = std::uint32_t;
    enum class Order { free, last };

    Id add(std::string name, std::function<void()> close, Order order, Clock::time_point now);

    // Throws std::logic_error: a circle (named in the order of use: "a uses b uses a"), a resource that is being closed
    // or is closed. Changes nothing then. The same user again: nothing happens. `name_of_task` is not needed: tasks use
    // resources and are used by none, so they never are part of a circle.
    void use(Id resource, User user);

    void set_close_period(Id resource, std::chrono::milliseconds period);

    // What else is held at the moment. A task is named by the id in its User.
    struct ExternalUsers {
        bool requests = false;
        bool sessions = false;
        bool work = false;
        std::vector<std::uint32_t> tasks = {};  // that still run
    };

    // One that nothing holds back, of several the one registered last; none if there is none now.
    std::optional<Id> next(const ExternalUsers& held) const;

    // The close begins: the function to be called, once.
    std::function<void()> begin_close(Id resource, Clock::time_point now);
    enum class Outcome { closed, threw };
    void end_close(Id resource, Outcome outcome);

    // Closes that have just been found to take longer than their period: each is told once. They hold back their own
    // resources on, but not those that merely were registered earlier.
    std::vector<Id> take_overdue(Clock::time_point now);
    std::optional<Clock::time_point> next_deadline() const;  // when take_overdue() may find another one

    const std::string& name(Id resource) const { return nodes_.at(resource).name; }
    std::size_t open_count() const;  // not closed, those being closed included
    bool is_all_closed() const { return open_count() == 0; }

    // Those that are not closed, those being closed and then the next one first, as lines of a drain report: kind
    // "resource"; the name says what goes on: "db-pool", "db-pool (closing)", "db-pool (its close hangs)", "cache (used
    // by db-pool)". A resource whose close threw counts as closed, but is named: "db-pool (its close threw)". `most`
    // lines at most. Ages since the close began, or else since registration.
    void describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const;

  private:
    enum class State : std::uint8_t { open, closing, hanging, closed, threw };
    using States = std::vector<State>;  // apart from the nodes: describe() plays through what is to come

    struct Node {
        std::string name;
        std::function<void()> close;
        Order order = Order::free;
        std::vector<Id> users;             // other resources
        std::vector<User> external_users;  // requests, sessions, work, tasks
        Clock::time_point since;           // the registration, then the beginning of its close
        std::chrono::milliseconds period;
    };

    static bool is_over(State state) { return state == State::closed || state == State::threw; }
    void reject_cycle(Id resource, Id user) const;
    std::optional<Id> next(const States& states, const ExternalUsers& held) const;
    bool has_user(const States& states, Id id, const ExternalUsers& held) const;
    bool has_to_wait_for_later(const States& states, Id id) const;
    bool is_waited_for(const States& states, Id id) const;
    std::vector<bool> waiters_of(const States& states, Id id) const;
    std::vector<Id> report_order() const;
    std::string description(Id id) const;
    std::optional<Id> blocking_user(Id id) const;

    std::vector<Node> nodes_;
    States states_;
};

}  // namespace holdfast
