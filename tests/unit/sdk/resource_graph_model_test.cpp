// Compares random graphs, with random outcomes of closes in a random schedule, with a model that implements the rules
// differently: with matrices instead of graph traversals.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "resource_graph.hpp"

namespace holdfast {
namespace {

using Id = ResourceGraph::Id;
using Time = ResourceGraph::Clock::time_point;
using Matrix = std::vector<std::vector<bool>>;

constexpr std::uint32_t number_of_tasks = 3;

void close_transitively(Matrix& reaches) {
    for (std::size_t via = 0; via < reaches.size(); ++via) {
        for (std::size_t from = 0; from < reaches.size(); ++from) {
            for (std::size_t to = 0; to < reaches.size(); ++to) {
                if (reaches[from][via] && reaches[via][to]) {
                    reaches[from][to] = true;
                }
            }
        }
    }
}

class Model {
  public:
    enum class State { open, closing, hanging, over };

    void add(ResourceGraph::Order order) {
        is_last_.push_back(order == ResourceGraph::Order::last);
        external_users_.emplace_back();
        state_.push_back(State::open);
        for (std::vector<bool>& row : uses_) {
            row.push_back(false);
        }
        uses_.emplace_back(state_.size(), false);
    }

    std::size_t size() const { return state_.size(); }
    State state(Id id) const { return state_[id]; }
    void set(Id id, State state) { state_[id] = state; }
    void use(Id resource, Id user) { uses_[user][resource] = true; }
    void use_externally(Id resource, User user) { external_users_[resource].push_back(user); }

    bool would_create_cycle(Id resource, Id user) const {
        Matrix reaches = uses_;
        reaches[user][resource] = true;
        close_transitively(reaches);
        return reaches[user][user];
    }

    std::vector<Id> closable(const ResourceGraph::ExternalUsers& held) const {
        Matrix waits(size(), std::vector<bool>(size(), false));
        const std::vector<bool> is_stuck = stuck();
        for (Id id = 0; id < size(); ++id) {
            for (Id other = 0; other < size() && state_[id] == State::open; ++other) {
                const bool by_order = is_last_[id] && other > id && !is_stuck[other];
                waits[id][other] = state_[other] != State::over && (uses_[other][id] || by_order);
            }
        }
        Matrix transitively = waits;
        close_transitively(transitively);
        std::vector<Id> closable;
        for (Id id = 0; id < size(); ++id) {
            bool is_held_back = state_[id] != State::open || is_used_externally(id, held);
            for (Id other = 0; other < size(); ++other) {
                is_held_back = is_held_back || (waits[id][other] && (uses_[other][id] || !transitively[other][id]));
            }
            if (!is_held_back) {
                closable.push_back(id);
            }
        }
        return closable;
    }

    // The resources that hang, and those that they use, directly or through other open resources.
    std::vector<bool> stuck() const {
        std::vector<bool> is_stuck(size());
        for (std::size_t round = 0; round < size(); ++round) {
            for (Id id = 0; id < size(); ++id) {
                bool now = state_[id] == State::hanging;
                for (Id user = 0; user < size(); ++user) {
                    now = now || (state_[id] == State::open && uses_[user][id] && is_stuck[user]);
                }
                is_stuck[id] = now;
            }
        }
        return is_stuck;
    }

  private:
    bool is_used_externally(Id id, const ResourceGraph::ExternalUsers& held) const {
        bool is_used = is_last_[id] && (held.requests || held.sessions || held.work || !held.tasks.empty());
        for (const User& user : external_users_[id]) {
            is_used = is_used || (user == requests && held.requests) || (user == sessions && held.sessions) ||
                      (user == work && held.work) || (user == tasks && !held.tasks.empty());
            for (const std::uint32_t running : held.tasks) {
                is_used = is_used || user == User(User::Kind::task, running);
            }
        }
        return is_used;
    }

    std::vector<bool> is_last_;
    std::vector<std::vector<User>> external_users_;
    std::vector<State> state_;
    Matrix uses_;  // [user][resource]
};

class RandomGraph {
  public:
    explicit RandomGraph(unsigned seed) : random_(seed) {
        const Id count = 1 + pick(12);
        for (Id id = 0; id < count; ++id) {
            const auto order = one_in(3) ? ResourceGraph::Order::last : ResourceGraph::Order::free;
            graph_.add(
                "r" + std::to_string(id), [] {}, order, now_);
            model_.add(order);
        }
        for (Id uses = pick(2 * count + 1); uses > 0; --uses) {
            add_use(pick(count), pick(count));
        }
        for (Id uses = pick(count + 1); uses > 0; --uses) {
            const std::vector<User> users{requests, sessions, work, tasks,
                                          User(User::Kind::task, pick(number_of_tasks))};
            const Id resource = pick(count);
            const User user = users[pick(static_cast<Id>(users.size()))];
            graph_.use(resource, user);
            model_.use_externally(resource, user);
        }
    }

    // Takes random steps until none is possible, and compares after each.
    void close_all() {
        while (!has_failed() && (step() || release_one())) {
        }
        for (Id id = 0; id < model_.size(); ++id) {
            const bool is_over = model_.state(id) == Model::State::over;
            EXPECT_EQ(is_over, !model_.stuck()[id]) << graph_.name(id);
        }
    }

  private:
    static bool has_failed() { return testing::Test::HasFailure(); }

    Id pick(Id below) { return std::uniform_int_distribution<Id>(0, below - 1)(random_); }
    bool one_in(Id many) { return pick(many) == 0; }

    void add_use(Id resource, Id user) {
        const bool is_cycle = model_.would_create_cycle(resource, user);
        try {
            graph_.use(resource, User(User::Kind::resource, user));
            EXPECT_FALSE(is_cycle);
            model_.use(resource, user);
        } catch (const std::logic_error&) {
            EXPECT_TRUE(is_cycle);
        }
    }

    // Returns false if only the release of an external user can change anything.
    bool step() {
        const std::vector<Id> closable = model_.closable(held_);
        const std::optional<Id> next = graph_.next(held_);
        EXPECT_EQ(next.has_value(), !closable.empty());
        if (next.has_value() != !closable.empty()) {
            return false;
        }
        if (next) {
            EXPECT_EQ(*next, closable.back()) << "the one registered last";
        }
        check_counts();
        std::vector<Id> closing = in_state(Model::State::closing);
        const std::vector<Id> hanging = in_state(Model::State::hanging);
        if (!hanging.empty() && one_in(4) && recovers_ > 0) {
            --recovers_;
            closing = hanging;
        }
        if (!closing.empty() && (!next || one_in(2))) {
            end_one(closing[pick(static_cast<Id>(closing.size()))]);
        } else if (next) {
            graph_.begin_close(*next, now_);
            model_.set(*next, Model::State::closing);
        }
        return next || !closing.empty();
    }

    void end_one(Id id) {
        if (one_in(5) && model_.state(id) == Model::State::closing) {
            hang();
            return;
        }
        graph_.end_close(id, one_in(4) ? ResourceGraph::Outcome::threw : ResourceGraph::Outcome::closed);
        model_.set(id, Model::State::over);
    }

    // Lets all running closes exceed their timeout.
    void hang() {
        now_ += std::chrono::seconds(5);
        const std::vector<Id> expected = in_state(Model::State::closing);
        EXPECT_EQ(graph_.take_overdue(now_), expected);
        for (const Id id : expected) {
            model_.set(id, Model::State::hanging);
        }
    }

    bool release_one() {
        std::vector<int> left;
        for (int kind = 0; kind < 4; ++kind) {
            const bool is_held[] = {held_.requests, held_.sessions, held_.work, !held_.tasks.empty()};
            if (is_held[kind]) {
                left.push_back(kind);
            }
        }
        if (left.empty()) {
            return false;
        }
        switch (left[pick(static_cast<Id>(left.size()))]) {
            case 0:
                held_.requests = false;
                break;
            case 1:
                held_.sessions = false;
                break;
            case 2:
                held_.work = false;
                break;
            default:
                held_.tasks.erase(held_.tasks.begin() + pick(static_cast<Id>(held_.tasks.size())));
        }
        return true;
    }

    std::vector<Id> in_state(Model::State state) const {
        std::vector<Id> ids;
        for (Id id = 0; id < model_.size(); ++id) {
            if (model_.state(id) == state) {
                ids.push_back(id);
            }
        }
        return ids;
    }

    void check_counts() const {
        const std::size_t not_over = model_.size() - in_state(Model::State::over).size();
        EXPECT_EQ(graph_.open_count(), not_over);
        std::vector<Waiting> report;
        graph_.describe(now_, 1000, report);
        EXPECT_GE(report.size(), not_over);
        EXPECT_EQ(graph_.next_deadline().has_value(), !in_state(Model::State::closing).empty());
    }

    std::mt19937 random_;
    Time now_{std::chrono::hours(1)};
    ResourceGraph graph_;
    Model model_;
    ResourceGraph::ExternalUsers held_{true, true, true, {0, 1, 2}};
    int recovers_ = 2;
};

TEST(ResourceGraph, ClosesAThousandRandomGraphsAsTheModelDoes) {
    for (unsigned seed = 0; seed < 1'000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomGraph(seed).close_all();
        if (HasFailure()) {
            return;
        }
    }
}

}  // namespace
}  // namespace holdfast
