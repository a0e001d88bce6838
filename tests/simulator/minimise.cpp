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

// The text of a violation without numbers: it does not depend on times and worker ids.
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
    bool try_story(const Story& story);
    void end_early();
    void drop_incidents();
    template <class Map>
    void drop_entries(Map Story::*entries);
    template <class Part, class Access>
    void reset_fields(const Part& usual, Access access);
    template <class Field>
    void reset_field(Field Story::*field);
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

bool Minimiser::try_story(const Story& story) {
    ++replays_;
    const ReplayResult replayed = replay_(story);
    if (replayed.violations.empty() || kind_of(replayed.violations.front()) != kind_) return false;
    best_ = story;
    violation_ = replayed.violations.front();
    failed_at_ = replayed.end;
    has_changed_ = true;
    return true;
}

// Drops everything after the failure.
void Minimiser::end_early() {
    Story story = best_;
    std::erase_if(story.incidents,
                  [&](const Incident& incident) { return incident.at > failed_at_.time_since_epoch(); });
    story.roams_until = std::min(story.roams_until, failed_at_.time_since_epoch());
    if (!try_story(story)) return;
    for (const Duration until : {Duration{}, best_.roams_until / 2}) {
        story = best_;
        story.roams_until = until;
        if (until < best_.roams_until && try_story(story)) return;
    }
}

void Minimiser::drop_incidents() {
    for (std::size_t size = std::max<std::size_t>(best_.incidents.size() / 2, 1); has_time(); size /= 2) {
        for (std::size_t from = 0; from < best_.incidents.size() && has_time();) {
            Story story = best_;
            const auto first = story.incidents.begin() + static_cast<std::ptrdiff_t>(from);
            const auto count = std::min(size, story.incidents.size() - from);
            story.incidents.erase(first, first + static_cast<std::ptrdiff_t>(count));
            if (!try_story(story)) from += size;
        }
        if (size <= 1) return;
    }
}

// Drops scripts: a worker or preparation without a script is well behaved.
template <class Map>
void Minimiser::drop_entries(Map Story::*entries) {
    std::vector<std::uint64_t> keys;
    for (const auto& entry : best_.*entries) keys.push_back(entry.first);
    for (std::size_t size = std::max<std::size_t>(keys.size(), 1); has_time(); size /= 2) {
        for (std::size_t from = 0; from < keys.size() && has_time(); from += size) {
            Story story = best_;
            for (std::size_t i = from; i < std::min(from + size, keys.size()); ++i) (story.*entries).erase(keys[i]);
            if ((story.*entries).size() < (best_.*entries).size()) try_story(story);
        }
        if (size <= 1) return;
    }
}

// Resets each field of a part of the story to its default if the story still fails. `access` returns the part.
template <class Part, class Access>
void Minimiser::reset_fields(const Part& usual, Access access) {
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
        if (to_text(story) != to_text(best_)) try_story(story);
    }
}

template <class Field>
void Minimiser::reset_field(Field Story::*field) {
    Story story = best_;
    story.*field = Story{}.*field;
    if (story.*field != best_.*field) try_story(story);
}

void Minimiser::simplify() {
    drop_entries(&Story::lateness);
    drop_entries(&Story::preparations);
    drop_entries(&Story::scripts);
    reset_fields(core::Policy{}, [](Story& story) -> core::Policy& { return story.policy; });
    reset_field(&Story::seed);
    reset_field(&Story::protocol_mix);
    if (best_.policy.workers > 2) {
        Story story = best_;
        story.policy.workers = 2;
        try_story(story);
    }
    for (std::size_t i = 0; i < best_.incidents.size() && has_time(); ++i)
        reset_fields(best_.policy, [i](Story& story) -> core::Policy& { return story.incidents[i].policy; });
    std::vector<std::uint64_t> workers, preparations;
    for (const auto& entry : best_.scripts) workers.push_back(entry.first);
    for (const auto& entry : best_.preparations) preparations.push_back(entry.first);
    for (const std::uint64_t id : workers)
        reset_fields(default_script(best_.policy),
                     [id](Story& story) -> testing::WorkerScript& { return story.scripts[id]; });
    for (const std::uint64_t id : preparations)
        reset_fields(testing::PreparationScript{},
                     [id](Story& story) -> testing::PreparationScript& { return story.preparations[id]; });
}

Duration* time_in(Duration& field) { return &field; }
Duration* time_in(std::optional<Duration>& field) { return field ? &*field : nullptr; }
template <class Other>
Duration* time_in(Other&) {
    return nullptr;
}

// The candidates for a shorter duration, in ascending order: round values and half of the duration.
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

// The default of each duration field, −1 for other fields. A field with its default value is not in the text of the
// story, so it is not shortened.
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
            if (try_story(story) || !has_time()) break;
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
        // A shorter story may need fewer incidents. Repeats until only the end changes.
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
        out << "the replay of its story does not fail: replay it by its seed\n";
        return;
    }
    out << "the shortest schedule found with the same failure (" << minimised.replays << " replays):\n"
        << to_text(minimised.story) << minimised.violation << '\n';
    out << "as a test, for regression_test.cpp:\nTEST(Regression, NameTheExpectedBehaviour) {\n    "
           "EXPECT_EQ(first_violation(R\"(\n"
        << to_text(minimised.story) << ")\"), \"\");\n}\n";
}

}  // namespace holdfast::simulator
