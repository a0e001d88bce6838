#include "tests/simulator/minimise.hpp"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <vector>

#include "tests/simulator/fields.hpp"
#include "tests/simulator/service_run.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;

namespace {

// A violation without its numbers: what stays the same when times and workers change.
std::string kind_of(std::string text) {
    std::erase_if(text, [](char letter) { return letter >= '0' && letter <= '9'; });
    return text;
}

class Minimiser {
  public:
    Minimiser(const Story& story, Duration budget, const Replay& replay)
        : best_(story),
          end_(std::chrono::steady_clock::now() + std::chrono::microseconds(budget.count())),
          replay_(replay) {}

    Minimised run();

  private:
    bool has_time() const { return std::chrono::steady_clock::now() < end_; }
    bool try_this(const Story& story);
    void end_early();
    void drop_incidents();
    template <class Map>
    void drop_entries(Map Story::*entries);
    template <class Part, class Access>
    void make_usual(const Part& usual, Access access);
    template <class Field>
    void make_plain(Field Story::*field);
    void simplify();
    void shrink_times();
    template <class Access>
    void shrink_fields(Access access);

    Story best_;
    std::chrono::steady_clock::time_point end_;
    const Replay& replay_;
    std::string kind_, violation_;
    Instant failed_at_{};
    std::uint64_t replays_ = 0;
    bool has_changed_ = false;
};

bool Minimiser::try_this(const Story& story) {
    ++replays_;
    const ReplayResult replayed = replay_(story);
    if (replayed.violations.empty() || kind_of(replayed.violations.front()) != kind_) return false;
    best_ = story;
    violation_ = replayed.violations.front();
    failed_at_ = replayed.end;
    has_changed_ = true;
    return true;
}

// What comes after the failure is no part of it.
void Minimiser::end_early() {
    Story story = best_;
    std::erase_if(story.incidents,
                  [&](const Incident& incident) { return incident.at > failed_at_.time_since_epoch(); });
    story.roams_until = std::min(story.roams_until, failed_at_.time_since_epoch());
    if (!try_this(story)) return;
    for (const Duration until : {Duration{}, best_.roams_until / 2}) {
        story = best_;
        story.roams_until = until;
        if (until < best_.roams_until && try_this(story)) return;
    }
}

void Minimiser::drop_incidents() {
    for (std::size_t size = std::max<std::size_t>(best_.incidents.size() / 2, 1); has_time(); size /= 2) {
        for (std::size_t from = 0; from < best_.incidents.size() && has_time();) {
            Story story = best_;
            const auto first = story.incidents.begin() + static_cast<std::ptrdiff_t>(from);
            const auto count = std::min(size, story.incidents.size() - from);
            story.incidents.erase(first, first + static_cast<std::ptrdiff_t>(count));
            if (!try_this(story)) from += size;
        }
        if (size <= 1) return;
    }
}

// Whoever is not named behaves well.
template <class Map>
void Minimiser::drop_entries(Map Story::*entries) {
    std::vector<std::uint64_t> keys;
    for (const auto& entry : best_.*entries) keys.push_back(entry.first);
    for (std::size_t size = std::max<std::size_t>(keys.size(), 1); has_time(); size /= 2) {
        for (std::size_t from = 0; from < keys.size() && has_time(); from += size) {
            Story story = best_;
            for (std::size_t i = from; i < std::min(from + size, keys.size()); ++i) (story.*entries).erase(keys[i]);
            if ((story.*entries).size() < (best_.*entries).size()) try_this(story);
        }
        if (size <= 1) return;
    }
}

// `access` gives the part of a story; each of its fields is made what it is by default, if the story still fails.
template <class Part, class Access>
void Minimiser::make_usual(const Part& usual, Access access) {
    std::size_t count = 0;
    Part counted = usual;
    each_field(counted, [&](const char*, auto&) { ++count; });
    for (std::size_t target = 0; target < count && has_time(); ++target) {
        Story story = best_;
        Part source = usual;
        std::size_t index = 0;
        Part& part = access(story);
        each_field(part, [&](const char*, auto& field) {
            std::size_t other = 0;
            each_field(source, [&](const char*, auto& value) {
                if constexpr (std::is_same_v<std::remove_reference_t<decltype(field)>,
                                             std::remove_reference_t<decltype(value)>>)
                    if (index == target && other == target) field = value;
                ++other;
            });
            ++index;
        });
        if (to_text(story) != to_text(best_)) try_this(story);
    }
}

template <class Field>
void Minimiser::make_plain(Field Story::*field) {
    Story story = best_;
    story.*field = Story{}.*field;
    if (story.*field != best_.*field) try_this(story);
}

void Minimiser::simplify() {
    drop_entries(&Story::lateness);
    drop_entries(&Story::preparations);
    drop_entries(&Story::scripts);
    make_usual(core::Policy{}, [](Story& story) -> core::Policy& { return story.policy; });
    make_plain(&Story::seed);
    make_plain(&Story::protocol_mix);
    if (best_.policy.workers > 2) {
        Story story = best_;
        story.policy.workers = 2;
        try_this(story);
    }
    for (std::size_t i = 0; i < best_.incidents.size() && has_time(); ++i)
        make_usual(best_.policy, [i](Story& story) -> core::Policy& { return story.incidents[i].policy; });
    std::vector<std::uint64_t> workers, preparations;
    for (const auto& entry : best_.scripts) workers.push_back(entry.first);
    for (const auto& entry : best_.preparations) preparations.push_back(entry.first);
    for (const std::uint64_t id : workers)
        make_usual(default_script(best_.policy),
                   [id](Story& story) -> testing::WorkerScript& { return story.scripts[id]; });
    for (const std::uint64_t id : preparations)
        make_usual(testing::PreparationScript{},
                   [id](Story& story) -> testing::PreparationScript& { return story.preparations[id]; });
}

Duration* time_in(Duration& field) { return &field; }
Duration* time_in(std::optional<Duration>& field) { return field ? &*field : nullptr; }
template <class Other>
Duration* time_in(Other&) {
    return nullptr;
}

// Shorter ones first, then rounder ones.
std::vector<Duration> shorter_than(Duration time) {
    std::vector<Duration> shorter;
    for (const Duration unit : {Duration{10s}, Duration{1s}, Duration{100ms}, Duration{10ms}, Duration{1ms}}) {
        if (time > unit) shorter.push_back(unit);
        const Duration whole{time.count() / unit.count() * unit.count()};
        if (whole > Duration{} && whole < time) shorter.push_back(whole);
    }
    if (time > 1ms) shorter.push_back(time / 2);
    std::sort(shorter.begin(), shorter.end());
    return shorter;
}

// What is not said in the story is not shrunk either.
template <class Part>
std::vector<Duration> usual_times(Part part) {
    std::vector<Duration> times;
    each_field(part, [&](const char*, auto& field) {
        const Duration* time = time_in(field);
        times.push_back(time == nullptr ? Duration{-1} : *time);
    });
    return times;
}

template <class Access>
void Minimiser::shrink_fields(Access access) {
    std::size_t count = 0;
    each_field(access(best_), [&](const char*, auto&) { ++count; });
    for (std::size_t target = 0; target < count && has_time(); ++target) {
        Story story = best_;
        Duration* time = nullptr;
        std::size_t index = 0;
        const auto usual = usual_times(std::remove_reference_t<decltype(access(story))>{});
        each_field(access(story), [&](const char*, auto& field) {
            if (index == target) time = time_in(field);
            if (time != nullptr && index == target && *time == usual[index]) time = nullptr;
            ++index;
        });
        if (time == nullptr) continue;
        for (const Duration shorter : shorter_than(*time)) {
            *time = shorter;
            if (try_this(story) || !has_time()) break;
        }
    }
}

void Minimiser::shrink_times() {
    std::vector<std::uint64_t> workers, preparations;
    for (const auto& entry : best_.scripts) workers.push_back(entry.first);
    for (const auto& entry : best_.preparations) preparations.push_back(entry.first);
    for (std::size_t i = 0; i < best_.incidents.size(); ++i)
        shrink_fields([i](Story& story) -> Incident& { return story.incidents[i]; });
    for (const std::uint64_t id : workers)
        shrink_fields([id](Story& story) -> testing::WorkerScript& { return story.scripts[id]; });
    for (const std::uint64_t id : preparations)
        shrink_fields([id](Story& story) -> testing::PreparationScript& { return story.preparations[id]; });
}

Minimised Minimiser::run() {
    const ReplayResult first = replay_(best_);
    if (first.violations.empty()) return {best_, "", 1};
    kind_ = kind_of(first.violations.front());
    violation_ = first.violations.front();
    failed_at_ = first.end;
    do {
        has_changed_ = false;
        end_early();
        drop_incidents();
        simplify();
        shrink_times();
        // A shorter story may do without more: again, until nothing changes but the end of it.
        if (!has_time()) break;
        const Story before = best_;
        drop_incidents();
        has_changed_ = to_text(before) != to_text(best_);
    } while (has_changed_);
    return {best_, violation_, replays_};
}

}  // namespace

Minimised minimise(const Story& story, Duration budget, const Replay& replay) {
    return Minimiser(story, budget, replay).run();
}

void print(std::ostream& out, const Minimised& minimised) {
    if (minimised.violation.empty()) {
        out << "told again from its story it does not fail: replay it by its seed\n";
        return;
    }
    out << "the shortest schedule found that fails so (" << minimised.replays << " replays):\n"
        << to_text(minimised.story) << minimised.violation << '\n';
    out << "as a test, for regression_test.cpp:\nTEST(Regression, NameWhatMustBeSo) {\n    "
           "EXPECT_EQ(first_violation(R\"(\n"
        << to_text(minimised.story) << ")\"), \"\");\n}\n";
}

}  // namespace holdfast::simulator
