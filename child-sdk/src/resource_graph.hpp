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

// Decides which resource may be closed next. Pure: no thread, no clock, no lock. The owner synchronises access and runs
// the closes.
//
// Two relations delay a close. First, uses: a resource is closed only after all its users have been released, without
// exception. Second, order: resources of Order::last are closed in reverse order of registration, after all resources
// (of either order) that were registered later. The second relation is only a preference: a resource whose close hangs
// or throws does not delay resources registered before it, nor does a resource that waits for such a one. Where the two
// contradict each other, uses take precedence.
class ResourceGraph {
  public:
    using Clock = std::chrono::steady_clock;
    using Id = std::uint32_t;
    enum class Order { free, last };

    Id add(std::string name, std::function<void()> close, Order order, Clock::time_point now);

    // Adds a user. Throws std::logic_error and changes nothing if this would create a dependency cycle (the message
    // names it: "a uses b uses a") or if the close of the resource has begun. Adding a user twice has no effect. Tasks
    // use resources but are never used, so they cannot be part of a cycle.
    void use(Id resource, User user);

    void set_close_period(Id resource, std::chrono::milliseconds period);

    // Which other users are currently held. A task is identified by the id in its User.
    struct ExternalUsers {
        bool requests = false;
        bool sessions = false;
        bool work = false;
        std::vector<std::uint32_t> tasks = {};  // running tasks
        bool new_tasks = false;                 // whether a task may be started
    };

    // Returns a resource that may be closed now; of several, the one registered last.
    std::optional<Id> next(const ExternalUsers& held) const;

    // Whether the close of a resource has begun that is used by everything of this kind, so that no more may begin.
    bool is_closed_to(User::Kind kind) const;

    // Begins the close. Returns the function, which the caller must call once.
    std::function<void()> begin_close(Id resource, Clock::time_point now);
    enum class Outcome { closed, threw };
    void end_close(Id resource, Outcome outcome);

    // Returns closes that have exceeded their timeout since the last call; each is returned once. They continue to
    // delay the resources that they use, but no longer those that were registered earlier.
    std::vector<Id> take_overdue(Clock::time_point now);
    std::optional<Clock::time_point> next_deadline() const;  // when the next timeout passes

    const std::string& name(Id resource) const { return nodes_.at(resource).name; }
    std::size_t open_count() const;  // not closed, including those being closed
    bool is_all_closed() const { return open_count() == 0; }

    // Adds at most `most` entries to a drain report (kind "resource"): resources being closed first, then the next to
    // be closed. The name shows the state: "db-pool", "db-pool (closing)", "db-pool (its close hangs)", "cache (used by
    // db-pool)". A resource whose close threw counts as closed but is listed: "db-pool (its close threw)". The age
    // counts from the start of the close, or else from the registration.
    void describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const;

  private:
    enum class State : std::uint8_t { open, closing, hanging, closed, threw };
    using States =
        std::vector<State>;  // separate from the nodes, so that report_order() can simulate the closes to come

    struct Node {
        std::string name;
        std::function<void()> close;
        Order order = Order::free;
        std::vector<Id> users;             // other resources that use this one
        std::vector<User> external_users;  // requests, sessions, work, tasks
        Clock::time_point since;           // the registration, or the start of the close
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
