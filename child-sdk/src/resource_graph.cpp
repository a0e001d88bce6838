#include "resource_graph.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

constexpr std::chrono::hours max_close_period{24 * 365 * 100};  // keeps sums of times far below their overflow

bool is_held(const User& user, const ResourceGraph::ExternalUsers& held) {
    switch (user.kind()) {
        case User::Kind::requests:
            return held.requests;
        case User::Kind::sessions:
            return held.sessions;
        case User::Kind::work:
            return held.work;
        case User::Kind::tasks:
            return !held.tasks.empty() || held.new_tasks;
        case User::Kind::task:
            return std::find(held.tasks.begin(), held.tasks.end(), user.id()) != held.tasks.end();
        case User::Kind::resource:
            break;
    }
    return false;
}

bool is_anything_held(const ResourceGraph::ExternalUsers& held) {
    return held.requests || held.sessions || held.work || !held.tasks.empty() || held.new_tasks;
}

}  // namespace

ResourceGraph::Id ResourceGraph::add(std::string name, std::function<void()> close, Order order,
                                     Clock::time_point now) {
    nodes_.push_back({std::move(name), std::move(close), order, {}, {}, now, std::chrono::seconds(5)});
    states_.push_back(State::open);
    return static_cast<Id>(nodes_.size() - 1);
}

void ResourceGraph::use(Id resource, User user) {
    const std::string& name = nodes_.at(resource).name;
    const bool is_resource = user.kind() == User::Kind::resource;
    if (is_resource && user.id() >= nodes_.size()) {
        throw std::logic_error("cannot add a user to \"" + name + "\": there is no resource with the id " +
                               std::to_string(user.id()) + "; pass a value that Worker::resource returned");
    }
    if (states_[resource] != State::open) {
        throw std::logic_error("cannot add a user to \"" + name +
                               "\": its close has begun; declare the users before Worker::ready");
    }
    if (is_resource) {
        reject_cycle(resource, user.id());
        std::vector<Id>& users = nodes_[resource].users;
        if (std::find(users.begin(), users.end(), user.id()) == users.end()) {
            users.push_back(user.id());
        }
        return;
    }
    std::vector<User>& external_users = nodes_[resource].external_users;
    if (std::find(external_users.begin(), external_users.end(), user) == external_users.end()) {
        external_users.push_back(user);
    }
}

// Throws if `user` would close a dependency cycle: `resource` already uses it, directly or indirectly.
void ResourceGraph::reject_cycle(Id resource, Id user) const {
    std::vector<std::optional<Id>> used_via(nodes_.size());  // from `user` up to the resources that use it
    std::vector<Id> found{user};
    used_via[user] = user;
    while (!found.empty() && !used_via[resource]) {
        const Id used = found.back();
        found.pop_back();
        for (const Id one : nodes_[used].users) {
            if (!used_via[one]) {
                used_via[one] = used;
                found.push_back(one);
            }
        }
    }
    if (!used_via[resource]) {
        return;
    }
    std::string cycle = nodes_[user].name + " uses " + nodes_[resource].name;
    for (Id at = resource; at != user; at = *used_via[at]) {
        cycle += " uses " + nodes_[*used_via[at]].name;
    }
    throw std::logic_error("cannot let \"" + nodes_[resource].name + "\" be used by \"" + nodes_[user].name +
                           "\": this is a dependency cycle (" + cycle +
                           "), in which nothing could be closed; remove one use");
}

void ResourceGraph::set_close_period(Id resource, std::chrono::milliseconds period) {
    nodes_.at(resource).period = std::clamp<std::chrono::milliseconds>(period, {}, max_close_period);
}

std::optional<ResourceGraph::Id> ResourceGraph::next(const ExternalUsers& held) const { return next(states_, held); }

std::optional<ResourceGraph::Id> ResourceGraph::next(const States& states, const ExternalUsers& held) const {
    for (Id id = static_cast<Id>(nodes_.size()); id-- > 0;) {
        if (states[id] == State::open && !has_user(states, id, held) && !has_to_wait_for_later(states, id)) {
            return id;
        }
    }
    return std::nullopt;
}

bool ResourceGraph::has_user(const States& states, Id id, const ExternalUsers& held) const {
    const Node& node = nodes_[id];
    if (node.order == Order::last && is_anything_held(held)) {
        return true;
    }
    return std::any_of(node.external_users.begin(), node.external_users.end(),
                       [&](const User& user) { return is_held(user, held); }) ||
           std::any_of(node.users.begin(), node.users.end(), [&](Id user) { return !is_over(states[user]); });
}

bool ResourceGraph::has_to_wait_for_later(const States& states, Id id) const {
    if (nodes_[id].order == Order::free) {
        return false;
    }
    std::optional<std::vector<bool>> waiting;  // computed lazily: expensive and rarely needed
    for (Id later = id + 1; later < nodes_.size(); ++later) {
        if (is_waited_for(states, later)) {
            if (!waiting) {
                waiting = waiters_of(states, id);
            }
            if (!(*waiting)[later]) {
                return true;
            }
        }
    }
    return false;
}

// Whether resources that were registered earlier wait for it: not if it hangs, nor if a resource that hangs uses it.
bool ResourceGraph::is_waited_for(const States& states, Id id) const {
    if (is_over(states[id])) {
        return false;
    }
    std::vector<bool> seen(nodes_.size());
    std::vector<Id> found{id};
    while (!found.empty()) {
        const Id at = found.back();
        found.pop_back();
        if (states[at] == State::hanging) {
            return false;
        }
        for (const Id user : nodes_[at].users) {
            if (!seen[user] && !is_over(states[user])) {
                seen[user] = true;
                found.push_back(user);
            }
        }
    }
    return true;
}

std::vector<bool> ResourceGraph::waiters_of(const States& states, Id id) const {
    std::vector<bool> waiting(nodes_.size());
    std::vector<Id> found{id};
    while (!found.empty()) {
        const Id at = found.back();
        found.pop_back();
        for (Id one = 0; one < nodes_.size(); ++one) {
            if (waiting[one] || states[one] != State::open) {
                continue;
            }
            const std::vector<Id>& users = nodes_[one].users;
            const bool is_used = std::find(users.begin(), users.end(), at) != users.end();
            if (is_used || (nodes_[one].order == Order::last && one < at && is_waited_for(states, at))) {
                waiting[one] = true;
                found.push_back(one);
            }
        }
    }
    return waiting;
}

bool ResourceGraph::is_closed_to(User::Kind kind) const {
    for (Id id = 0; id < nodes_.size(); ++id) {
        const std::vector<User>& users = nodes_[id].external_users;
        const bool is_used =
            nodes_[id].order == Order::last || std::find(users.begin(), users.end(), User(kind)) != users.end();
        if (is_used && states_[id] != State::open) {
            return true;
        }
    }
    return false;
}

std::function<void()> ResourceGraph::begin_close(Id resource, Clock::time_point now) {
    states_.at(resource) = State::closing;
    nodes_[resource].since = now;
    return std::move(nodes_[resource].close);
}

void ResourceGraph::end_close(Id resource, Outcome outcome) {
    states_.at(resource) = outcome == Outcome::closed ? State::closed : State::threw;
}

std::vector<ResourceGraph::Id> ResourceGraph::take_overdue(Clock::time_point now) {
    std::vector<Id> overdue;
    for (Id id = 0; id < nodes_.size(); ++id) {
        if (states_[id] == State::closing && nodes_[id].since + nodes_[id].period <= now) {
            states_[id] = State::hanging;
            overdue.push_back(id);
        }
    }
    return overdue;
}

std::optional<ResourceGraph::Clock::time_point> ResourceGraph::next_deadline() const {
    std::optional<Clock::time_point> next;
    for (Id id = 0; id < nodes_.size(); ++id) {
        if (states_[id] == State::closing) {
            const Clock::time_point deadline = nodes_[id].since + nodes_[id].period;
            next = next ? std::min(*next, deadline) : deadline;
        }
    }
    return next;
}

std::size_t ResourceGraph::open_count() const {
    return static_cast<std::size_t>(
        std::count_if(states_.begin(), states_.end(), [](State state) { return !is_over(state); }));
}

// First the resources being closed, then those whose close threw, then the others in the order in which they will be
// closed if nothing goes wrong.
std::vector<ResourceGraph::Id> ResourceGraph::report_order() const {
    std::vector<Id> order;
    for (const State wanted : {State::hanging, State::closing, State::threw}) {
        for (Id id = 0; id < nodes_.size(); ++id) {
            if (states_[id] == wanted) {
                order.push_back(id);
            }
        }
    }
    States expected = states_;
    std::replace(expected.begin(), expected.end(), State::closing, State::closed);
    std::replace(expected.begin(), expected.end(), State::hanging, State::closed);
    while (const std::optional<Id> id = next(expected, ExternalUsers{})) {
        expected[*id] = State::closed;
        order.push_back(*id);
    }
    return order;
}

void ResourceGraph::describe(Clock::time_point now, std::size_t most, std::vector<Waiting>& report) const {
    for (const Id id : report_order()) {
        if (most-- == 0) {
            return;
        }
        const auto age = std::chrono::duration_cast<std::chrono::microseconds>(now - nodes_[id].since);
        report.push_back({"resource", description(id), std::max<std::int64_t>(0, age.count())});
    }
}

// Shortens the name, not the remark, to stay within max_name_bytes.
std::string ResourceGraph::description(Id id) const {
    std::string remark;
    switch (states_[id]) {
        case State::hanging:
            remark = " (its close hangs)";
            break;
        case State::closing:
            remark = " (closing)";
            break;
        case State::threw:
            remark = " (its close threw)";
            break;
        case State::open:
            if (const std::optional<Id> user = blocking_user(id)) {
                remark = " (used by " + std::string(wire::cut(nodes_[*user].name, max_name_bytes / 3)) + ")";
            }
            break;
        case State::closed:
            break;
    }
    return std::string(wire::cut(nodes_[id].name, max_name_bytes - remark.size())) + remark;
}

// If there are several, prefers one that hangs, because it is the cause.
std::optional<ResourceGraph::Id> ResourceGraph::blocking_user(Id id) const {
    std::optional<Id> holds;
    for (const Id user : nodes_[id].users) {
        if (states_[user] == State::hanging) {
            return user;
        }
        if (!is_over(states_[user]) && !holds) {
            holds = user;
        }
    }
    return holds;
}

}  // namespace holdfast
