// What was met in each stage of a rollout.

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string>

#include "tests/simulator/describe.hpp"
#include "tests/simulator/visits.hpp"

namespace holdfast::simulator {

namespace {

constexpr auto stage_names =
    std::to_array<std::string_view>({"checking", "starting", "taking over", "probation", "retiring", "rolling back"});
constexpr auto requests =
    std::to_array<std::string_view>({"restart", "stop", "scale", "scale by", "pause", "rollback", "undo", "reload"});
constexpr auto in_all = std::to_array<std::string_view>({"elapsed", "an old one ended", "a word of an old one"});
constexpr auto of_new_ones = std::to_array<std::string_view>({"a new one ended", "a word of a new one"});

// Whose worker it is, seen from the rollout: the newest generation is the new one.
std::string side_of(const core::Status& status, WorkerId id) {
    Generation newest = status.generation;
    for (const auto& worker : status.workers) newest = std::max(newest, worker.generation);
    for (const auto& worker : status.workers)
        if (worker.id == id) return worker.generation == newest ? "a new one" : "an old one";
    return "";
}

std::string name_of_event(const testing::FakeWorld& world, std::string_view stage) {
    const core::Event& event = world.last_event();
    if (std::holds_alternative<core::Elapsed>(event)) return "elapsed";
    if (const auto* asked = std::get_if<core::Asked>(&event)) return std::string(name_of(asked->request));
    if (const auto* prepared = std::get_if<core::Prepared>(&event))
        return prepared->fault.empty() ? "prepared" : "veto";
    const auto side = [&](WorkerId id) {
        return stage == "checking" ? std::string("an old one") : side_of(world.before(), id);
    };
    if (const auto* exited = std::get_if<core::Exited>(&event)) return side(exited->worker) + " ended";
    if (const auto* said = std::get_if<core::Said>(&event)) return "a word of " + side(said->worker);
    return "";
}

}  // namespace

void Visits::count_stage(const testing::FakeWorld& world) {
    const auto& change = world.before().change;
    if (!change || change->what.starts_with("scale") || change->what.starts_with("undo")) return;
    ++stage_events_[change->stage + ", " + name_of_event(world, change->stage)];
}

// Whoever is new exists in every stage but the first; what is prepared is met there alone.
int Visits::print_stages(std::ostream& out) const {
    out << "(stage of a rollout, event):\n";
    int wrong = 0;
    const auto expect = [&](std::string_view stage, std::string_view event) {
        const std::string name = std::string(stage) + ", " + std::string(event);
        const auto found = stage_events_.find(name);
        const Count count = found == stage_events_.end() ? 0 : found->second;
        out << "  " << std::left << std::setw(44) << name << std::right << std::setw(12) << count
            << (count == 0 ? "   never met" : "") << '\n';
        wrong += count == 0 ? 1 : 0;
    };
    for (const std::string_view stage : stage_names) {
        for (const std::string_view event : requests) expect(stage, event);
        for (const std::string_view event : in_all) expect(stage, event);
        if (stage == stage_names.front()) {
            expect(stage, "prepared");
            expect(stage, "veto");
            continue;
        }
        for (const std::string_view event : of_new_ones) expect(stage, event);
    }
    return wrong;
}

}  // namespace holdfast::simulator
